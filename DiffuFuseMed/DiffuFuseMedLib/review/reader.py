"""A simulated reader who knows the reference, and works a worklist off: choosing one outline a region, choosing on part
by part, or painting perfectly.

How much of what perfect painting wins is won by choosing says what the offered outlines are worth, apart from how well
anybody would choose. Whatever is shown to the reader counts as a decision, taken or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.prediction import Prediction
from ..core.voxels import Voxels
from .choices import Choice, choices_at, choices_in
from .parts import Parts, parts_of
from .reach import Places
from .regions import Worklist

RANDOM_ORDERS = 3
PAINTED, KEPT = "painted", "none, the lesion as it was is best"


@dataclass(frozen=True)
class Worked:
    """lesion: bool [k, j, i] after a region was worked off; how: what was done there, one of them for each decision;
    offered: how many outlines there were to choose among, for each; dice: of the lesion, after each; before the first
    region, as it stands."""

    lesion: np.ndarray
    how: tuple[str, ...] = ()
    offered: tuple[int, ...] = ()
    dice: tuple[float, ...] = ()


class SimulatedReader:
    """reference: bool [k, j, i] on the prediction's grid; without: as of choices_at(); found: the prediction's list."""

    def __init__(
        self, found: Worklist, prediction: Prediction, without: Mapping[str, Voxels], reference: np.ndarray
    ) -> None:
        self._found, self._reference, self._without = found, reference, without
        self._prediction, self._places = prediction, Places(found)
        self._parts: dict[int, Parts] = {}

    def orders(self, seed: int = 0) -> dict[str, list[list[int]]]:
        """Ids of all regions by the name of an order: of random ones there are several."""
        ids = [region.id for region in self._found.regions]
        rng = np.random.default_rng(seed)
        at_random = [rng.permutation(ids).tolist() for _ in range(RANDOM_ORDERS)]
        return {"as listed": [ids], "by entropy": [self._found.ids_by_entropy], "at random": at_random}

    def looked_at(self, order: Sequence[int]) -> list[float]:
        """Voxels of the first regions of an order as a share of the lesion's, before any and after each; nan without a
        lesion."""
        voxels = np.bincount(self._found.labels.ravel(), minlength=max(order, default=0) + 1)
        lesion = np.count_nonzero(self._prediction.labels == 1)
        return [float(n) / lesion if lesion else float("nan") for n in np.cumsum([0, *voxels[list(order)]])]

    def painting(self, order: Sequence[int]) -> Iterator[Worked]:
        """The lesion before any region, and after each of these was painted as the reference is, in it alone."""
        lesion = self._prediction.labels == 1
        yield self._begun(lesion)
        for region in order:
            lesion = np.where(self._found.labels == region, self._reference, lesion)
            yield Worked(lesion, (PAINTED,))

    def choosing(self, order: Sequence[int]) -> Iterator[Worked]:
        """The same, after the best of what is offered was taken, or none where the lesion as it stands is best."""
        lesion = self._prediction.labels == 1
        yield self._begun(lesion)
        for region in order:
            made = self._decided(Worked(lesion), self._whole(region, lesion))
            lesion = made.lesion
            yield made

    def choosing_parts(self, order: Sequence[int]) -> Iterator[Worked]:
        """The same, and after that of each part of the region, to the last."""
        lesion = self._prediction.labels == 1
        yield self._begun(lesion)
        for region in order:
            made = self._decided(Worked(lesion), self._whole(region, lesion))
            parts = self._parts_of(region)
            for part in range(1, parts.count + 1) if parts.count > 1 else ():
                offered = choices_in(parts, part, made.lesion, self._prediction, self._without)
                made = self._decided(made, offered)
            lesion = made.lesion
            yield made

    def _begun(self, lesion: np.ndarray) -> Worked:
        return Worked(lesion, dice=(self._best((), lesion)[1],))

    def _whole(self, region: int, lesion: np.ndarray) -> tuple[Choice, ...]:
        return choices_at(self._places, region, lesion, self._prediction, self._without)

    def _parts_of(self, region: int) -> Parts:
        """Found once for all orders."""
        if region not in self._parts:
            self._parts[region] = parts_of(self._places, region, self._prediction)
        return self._parts[region]

    def _decided(self, made: Worked, offered: Sequence[Choice]) -> Worked:
        """One decision more; what offers nothing asks for none."""
        if not offered:
            return made
        best, dice = self._best(offered, made.lesion)
        lesion = made.lesion if best is None else best.taken(made.lesion)
        how, counts = (*made.how, _kind(best)), (*made.offered, len(offered))
        return Worked(lesion, how, counts, (*made.dice, dice))

    def _best(self, offered: Sequence[Choice], lesion: np.ndarray) -> tuple[Choice | None, float]:
        """The one with the best Dice of the whole lesion, and that; None where none is better than the lesion."""
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
        return best, float(dice)


def _kind(choice: Choice | None) -> str:
    """What the outline is of, in words that many share."""
    if choice is None:
        return KEPT
    if choice.share is not None:
        return "a group of samples"
    if choice.source.startswith("border"):
        return "the border moved"
    return choice.source if choice.source.startswith("without") else "a level of the probability"
