"""A segmenter tested on a scanner's own images: synthetic tumors of chosen size and contrast in one case, and which of
them it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError, input_error
from ...core.probed import CONTRAST, DIAMETER_MM, Probed
from ...systems.diff4mmlits.tumor_mask import KEPT, TumorMask
from .synthesize import Cancel, Synthesizer
from .trial import Kind, Segment, placed, try_tumor

Step = Callable[[float, str], None]


@dataclass(frozen=True)
class Plan:
    """diameters_mm: of a ball as large as the tumor; contrasts: 1 is that of a training patient's tumor, 0.5 has half
    of its uptake and half of the logarithm of its T1 contrast; count: tumors of each size and contrast."""

    diameters_mm: tuple[float, ...] = (15.0, 30.0, 60.0)
    contrasts: tuple[float, ...] = (1.0, 0.5)
    count: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises InputError for sizes, contrasts or a number that cannot be."""
        for name, values, (low, high) in (
            ("diameters in mm", self.diameters_mm, DIAMETER_MM),
            ("contrasts", self.contrasts, CONTRAST),
        ):
            if not values or not all(low <= value <= high for value in values):
                given = f"{name} {', '.join(f'{v:g}' for v in values) or 'without a number'}"
                raise input_error(given, f"numbers from {low:g} to {high:g}", "correct them")
        if self.count < 1:
            raise input_error(f"{self.count} tumors of each", "at least one", "correct --n")


@dataclass(frozen=True)
class Probe:
    """tumors: those that were tried; misfits: by (diameter, contrast) how many found no room in the case; false_ml:
    what the segmenter calls lesion where there is none."""

    tumors: list[Probed]
    misfits: dict[tuple[float, float], int]
    false_ml: float


def probe(
    synthesizer: Synthesizer,
    segment: Segment,
    plan: Plan | None = None,
    step: Step = lambda share, what: None,
    cancel: Cancel | None = None,
) -> Probe:
    """segment: a case without anything drawn -> bool [k, j, i], what it calls lesion. The synthesizer's case should be
    without a tumor of its own. Raises InputError where no planned tumor fits, CancelledError when cancel says so."""
    plan = plan or Plan()
    wanted = [Kind(d, c) for d in plan.diameters_mm for c in plan.contrasts]
    tumors: list[Probed] = []
    misfits: dict[tuple[float, float], int] = {}
    step(0.0, "the case as it is")
    bare = segment(synthesizer.case.unscored())
    for number, kind in enumerate(wanted):
        for turn in range(plan.count):
            share = (number + turn / plan.count) / len(wanted)
            step(share, f"a tumor of {kind.diameter_mm:g} mm, contrast {kind.contrast:g}")
            seed = plan.seed + number * plan.count + turn
            at = _room_for(synthesizer, kind, seed, cancel)
            if at is None:
                of_kind = kind.diameter_mm, kind.contrast
                misfits[of_kind] = misfits.get(of_kind, 0) + 1
            else:
                tumors.append(try_tumor(synthesizer, segment, kind, seed, at, bare, cancel=cancel).probed)
    if not tumors:
        given = f"a case without room for tumors of {', '.join(f'{d:g}' for d in plan.diameters_mm)} mm"
        raise input_error(given, "soft tissue to put them in", "choose smaller ones, or another case")
    step(1.0, "done")
    return Probe(tumors, misfits, float(bare.sum()) * synthesizer.case.grid.voxel_mm3 / 1000)


def _room_for(synthesizer: Synthesizer, kind: Kind, seed: int, cancel: Cancel | None) -> TumorMask | None:
    """A place and an outline; None where no tumor of this size fits."""
    room = synthesizer.room
    if KEPT * np.pi / 6 * kind.diameter_mm**3 > room.soft.sum() * room.grid.voxel_mm3:
        return None
    try:
        return placed(synthesizer, kind, seed, cancel=cancel)
    except InputError:
        return None
