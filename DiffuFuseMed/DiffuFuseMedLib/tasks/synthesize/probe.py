"""A segmenter tested on a scanner's own images: synthetic tumors of chosen size and contrast in one case, and which of
them it finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ...core.case import Case
from ...core.errors import CancelledError, InputError, input_error
from ...metrics.tumor_appearance import Appearance
from ...systems.diff4mmlits.tumor_mask import KEPT, TumorMask, draw_mask
from ...systems.diff4mmlits.tumor_statistics import Drawn, TumorStatistics
from .synthesize import Cancel, SynthesisSettings, Synthesizer

FOUND_IOU = 0.1  # of a tumor with what is called lesion on it, as in nnDetection (Baumgartner et al., MICCAI 2021)
DIAMETER_MM, CONTRAST = (5.0, 300.0), (0.05, 3.0)
Segment = Callable[[Case], np.ndarray]
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
class Probed:
    """One tumor: what was planned, its volume and mean uptake (nan without PET), and what the segmenter made of it."""

    diameter_mm: float
    contrast: float
    volume_ml: float
    suv_mean: float
    iou: float
    recall: float
    seed: int

    @property
    def found(self) -> bool:
        return self.iou >= FOUND_IOU


@dataclass(frozen=True)
class Probe:
    """tumors: those that were tried; misfits: by (diameter, contrast) how many found no room in the case; false_ml:
    what the segmenter calls lesion where there is none."""

    tumors: list[Probed]
    misfits: dict[tuple[float, float], int]
    false_ml: float


class Sized:
    """The statistics of a synthesizer, with size and contrast as they are told."""

    def __init__(self, statistics: TumorStatistics, diameter_mm: float, contrast: float) -> None:
        self._statistics, self._diameter_mm, self._contrast = statistics, diameter_mm, contrast

    def draw(self, rng: np.random.Generator) -> Drawn:
        drawn = self._statistics.draw(rng)
        scale = self._diameter_mm / 2 / float(np.prod(drawn.semi_axes_mm)) ** (1 / 3)
        a, b, c = (axis * scale for axis in drawn.semi_axes_mm)
        return Drawn((a, b, c), drawn.depth_mm, fainter(drawn.look, self._contrast))


def fainter(look: Appearance, contrast: float) -> Appearance:
    """The appearance with this share of its uptake and of the logarithm of its T1 contrast; CT as it is."""
    return replace(
        look,
        suv_max=look.suv_max * contrast,
        suv_mean=look.suv_mean * contrast,
        t1_contrast=look.t1_contrast**contrast,
    )


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
    wanted = [(d, c) for d in plan.diameters_mm for c in plan.contrasts]
    tumors: list[Probed] = []
    misfits: dict[tuple[float, float], int] = {}
    for number, (diameter_mm, contrast) in enumerate(wanted):
        for turn in range(plan.count):
            share = (number + turn / plan.count) / len(wanted)
            step(share, f"a tumor of {diameter_mm:g} mm, contrast {contrast:g}")
            seed = plan.seed + number * plan.count + turn
            at = _placed(synthesizer, diameter_mm, contrast, seed, cancel)
            if at is None:
                misfits[diameter_mm, contrast] = misfits.get((diameter_mm, contrast), 0) + 1
                continue
            made = synthesizer.tumor(SynthesisSettings(seed), None, cancel, at)
            called = segment(made.of(synthesizer.case).unscored())
            tumors.append(
                Probed(
                    diameter_mm,
                    contrast,
                    float(at.mask.sum()) * synthesizer.case.grid.voxel_mm3 / 1000,
                    made.measured["suv_mean"],
                    *overlap_of(called, at.mask),
                    seed,
                )
            )
    if not tumors:
        given = f"a case without room for tumors of {', '.join(f'{d:g}' for d in plan.diameters_mm)} mm"
        raise input_error(given, "soft tissue to put them in", "choose smaller ones, or another case")
    step(1.0, "the case as it is")
    called = segment(synthesizer.case.unscored())
    return Probe(tumors, misfits, float(called.sum()) * synthesizer.case.grid.voxel_mm3 / 1000)


def _placed(
    synthesizer: Synthesizer, diameter_mm: float, contrast: float, seed: int, cancel: Cancel | None
) -> TumorMask | None:
    """A place and an outline; None where no tumor of this size fits."""
    room = synthesizer.room
    if KEPT * np.pi / 6 * diameter_mm**3 > room.soft.sum() * room.grid.voxel_mm3:
        return None

    def check() -> None:
        if cancel and cancel():
            raise CancelledError("the probe was stopped by its user")

    sized = Sized(synthesizer.model.network.statistics, diameter_mm, contrast)
    try:
        return draw_mask(room, sized, np.random.default_rng([seed, 0]), check)
    except InputError:
        return None


def overlap_of(called: np.ndarray, tumor: np.ndarray) -> tuple[float, float]:
    """IoU of the tumor with the connected pieces of `called` that touch it, and the share of it that is called lesion.

    called, tumor: bool [k, j, i].
    """
    parts, _ = ndimage.label(called)
    touching = np.setdiff1d(parts[tumor], [0])
    pieces = np.isin(parts, touching)
    both = float((pieces & tumor).sum())
    return both / float((pieces | tumor).sum()), both / float(tumor.sum())


def sensitivities(tumors: Sequence[Probed]) -> list[tuple[float, float, int, int]]:
    """(diameter, contrast, found, tried) of each kind, in the order in which they were tried."""
    kinds = dict.fromkeys((t.diameter_mm, t.contrast) for t in tumors)
    rows = []
    for diameter_mm, contrast in kinds:
        own = [t for t in tumors if (t.diameter_mm, t.contrast) == (diameter_mm, contrast)]
        rows.append((diameter_mm, contrast, sum(t.found for t in own), len(own)))
    return rows
