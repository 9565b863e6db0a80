"""A simulated reader who knows the reference, and works a worklist off: choosing among outlines, or painting perfectly.

How much of what perfect painting wins is won by choosing says what the offered outlines are worth, apart from how well
anybody would choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.prediction import Prediction
from ..core.voxels import Voxels
from .choices import Choice, choices_at
from .reach import Places
from .regions import Worklist

RANDOM_ORDERS = 3
BEGUN, PAINTED, KEPT = "", "painted", "none, the lesion as it was is best"


@dataclass(frozen=True)
class Worked:
    """lesion: bool [k, j, i] after a region was worked off; how: what was done there, "" before the first; offered: how
    many outlines there were to choose among."""

    lesion: np.ndarray
    how: str = BEGUN
    offered: int = 0


class SimulatedReader:
    """reference: bool [k, j, i] on the prediction's grid; without: as of choices_at(); found: the prediction's list."""

    def __init__(
        self, found: Worklist, prediction: Prediction, without: Mapping[str, Voxels], reference: np.ndarray
    ) -> None:
        self._found, self._reference, self._without = found, reference, without
        self._prediction, self._places = prediction, Places(found)

    def orders(self, seed: int = 0) -> dict[str, list[list[int]]]:
        """Ids of all regions by the name of an order: of random ones there are several."""
        ids = [region.id for region in self._found.regions]
        rng = np.random.default_rng(seed)
        at_random = [rng.permutation(ids).tolist() for _ in range(RANDOM_ORDERS)]
        return {"as listed": [ids], "by entropy": [self._found.ids_by_entropy], "at random": at_random}

    def painting(self, order: Sequence[int]) -> Iterator[Worked]:
        """The lesion before any region, and after each of these was painted as the reference is, in it alone."""
        lesion = self._prediction.labels == 1
        yield Worked(lesion)
        for region in order:
            lesion = np.where(self._found.labels == region, self._reference, lesion)
            yield Worked(lesion, PAINTED)

    def choosing(self, order: Sequence[int]) -> Iterator[Worked]:
        """The same, after the best of what is offered was taken, or none where the lesion as it stands is best."""
        lesion = self._prediction.labels == 1
        yield Worked(lesion)
        for region in order:
            offered = choices_at(self._places, region, lesion, self._prediction, self._without)
            best = self._best(offered, lesion)
            lesion = lesion if best is None else best.taken(lesion)
            yield Worked(lesion, _kind(best), len(offered))

    def _best(self, offered: Sequence[Choice], lesion: np.ndarray) -> Choice | None:
        """The one with the best Dice of the whole lesion; None where none is better than that."""
        reference = self._reference
        both, size = np.count_nonzero(lesion & reference), np.count_nonzero(lesion) + np.count_nonzero(reference)
        best, dice = None, 2 * both / size if size else 1.0
        for choice in offered:
            there, drawn = lesion[choice.box], reference[choice.box]
            gain = np.count_nonzero(choice.lesion & drawn) - np.count_nonzero(there & drawn)
            total = size + np.count_nonzero(choice.lesion) - np.count_nonzero(there)
            found = 2 * (both + gain) / total if total else 1.0
            if found > dice:
                best, dice = choice, found
        return best


def _kind(choice: Choice | None) -> str:
    """What the outline is of, in words that many share."""
    if choice is None:
        return KEPT
    if choice.share is not None:
        return "a group of samples"
    return choice.source if choice.source.startswith("without") else "a level of the probability"
