"""Review: what the page says and shows of a reader's work on the worklist, as plain lists the template walks through.

The worklist lives in a layer above this one, so it comes in through a Protocol: nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..core.case import Case
from ..core.errors import input_error
from ..core.grid import Grid
from . import review_figures, words
from .content import data_uri

DONE, SKIPPED, OPEN = ("accepted", "corrected"), "skipped", "open"


class Progress(Protocol):
    """share: 0 to 1, of the expected error in uncertain voxels."""

    done: int
    skipped: int
    count: int
    share: float


class Worklist(Protocol):
    """regions: with id, place, expected_error_mm3, why; labels: a region's id in its voxels [k, j, i] on grid."""

    regions: Sequence[Any]
    labels: np.ndarray
    grid: Grid
    left_over_mm3: float
    spread_mm3: float


class Reviewed(Protocol):
    """A review.Review. decisions: by region id, with status, seconds, changed_voxels, changed_mm3, taken."""

    worklist: Worklist
    decisions: Mapping[int, Any]

    def progress(self) -> Progress: ...


@dataclass(frozen=True)
class ReviewSection:
    """What the report needs of a review. drawn: the lesion as it stands, predicted: as the network left it, both bool
    [k, j, i] on the worklist's grid; fused: gray values 0 to 1 on the same, None shows the CT.

    Raises InputError for arrays of another shape.
    """

    review: Reviewed
    drawn: np.ndarray
    predicted: np.ndarray
    fused: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = self.review.worklist.grid.shape
        given = {array.shape for array in (self.drawn, self.predicted, self.fused) if array is not None}
        if given != {shape}:
            raise input_error(f"masks of shape {sorted(given)}", f"{shape}, the worklist's", "run the case again")

    @property
    def corrected(self) -> bool:
        """Whether the lesion differs anywhere from what the network drew."""
        return bool((self.drawn != self.predicted).any())


def review_section(section: ReviewSection, case: Case) -> dict[str, Any]:
    """Everything the template review.html.j2 names. Raises InputError when review and case are not on one grid."""
    found = section.review.worklist
    if not found.grid.same_as(case.grid):
        raise input_error("a review on another grid than its case", "one grid", "run the case again")
    decided = [(region, section.review.decisions.get(region.id)) for region in found.regions]
    pictures = review_figures.pictures(section, case)
    return {
        "progress": progress_sentence(section.review.progress()),
        "decided": [_card(r, d, pictures[r.id]) for r, d in decided if d and _worked_at(d)],
        "open": [_open_row(r) for r, d in decided if not d or not _worked_at(d)],
        "rest": rest_sentence(found),
        "picture": pictures.caption,
    }


def _worked_at(decision: Any) -> bool:
    """Decided on, or open with outlines taken for parts of it."""
    return decision.status != OPEN or bool(decision.taken)


def progress_sentence(progress: Progress) -> str:
    """How far the worklist is done, and how much of the expected error that is."""
    if not progress.count:
        return "The worklist was empty: no voxel's label was expected to be wrong more than one time in five."
    left = progress.count - progress.done - progress.skipped
    passed = f", {progress.skipped} skipped" if progress.skipped else ""
    handled = f"{100 * progress.share:.0f} % of the expected error of uncertain voxels was handled"
    return f"{progress.done} of {progress.count} regions done{passed}, {left} left open: {handled}."


def rest_sentence(worklist: Worklist) -> str:
    """The expected error that no region of the list stands for."""
    rest = (
        ("uncertain voxels of pieces too small or too many to list", worklist.left_over_mm3),
        ("single voxels that are each rather sure", worklist.spread_mm3),
    )
    return "Not in the list: " + " and ".join(f"{_ml(mm3)} in {where}" for where, mm3 in rest) + "."


def time_spent(seconds: float) -> str:
    """Whole seconds, from a minute on in minutes too."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def change(decision: Any) -> str:
    """What the reader added or took away while at the region."""
    return f"{decision.changed_mm3 / 1000:+.2f} mL" if decision.changed_voxels else "unchanged"


def _card(region: Any, decision: Any, picture: review_figures.Picture) -> dict[str, str]:
    what = f"region {region.id}, {region.question}"
    return {
        **_open_row(region),
        "status": decision.status,
        "change": change(decision),
        "taken": words.sentence_case(f"taken: {decision.taken}") if decision.taken else "",
        "time": time_spent(decision.seconds),
        "where": picture.where,
        "src": data_uri(picture.png),
        "alt": f"{what}: {picture.where} with the lesion as predicted and as it is now, the region outlined",
    }


def _open_row(region: Any) -> dict[str, str]:
    return {
        "id": str(region.id),
        "place": region.question,
        "error": _ml(region.expected_error_mm3),
        "why": words.sentence_case(region.why) if region.why else "not known",
    }


def _ml(mm3: float) -> str:
    return f"{words.number(mm3 / 1000)} mL"
