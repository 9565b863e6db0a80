"""One try of a segmenter: a synthetic tumor of chosen size and contrast, at a chosen place or where there is room, and
what is called lesion on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ...core.case import Case
from ...core.errors import CancelledError, input_error
from ...core.probed import CONTRAST, DIAMETER_MM, Probed
from ...core.synthetic import Synthetic
from ...metrics.tumor_appearance import Appearance
from ...systems.diff4mmlits.tumor_mask import Index, TumorMask, draw_mask
from ...systems.diff4mmlits.tumor_statistics import Drawn, TumorStatistics
from .synthesize import Cancel, Progress, SynthesisSettings, Synthesizer

Segment = Callable[[Case], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A tumor's size and contrast, as core.probed.Probed has them."""

    diameter_mm: float
    contrast: float = 1.0

    def __post_init__(self) -> None:
        """Raises InputError for what cannot be."""
        for name, value, (low, high) in (
            ("diameter in mm", self.diameter_mm, DIAMETER_MM),
            ("contrast", self.contrast, CONTRAST),
        ):
            if not low <= value <= high:
                raise input_error(f"a {name} of {value:g}", f"{low:g} to {high:g}", "correct it")


@dataclass(frozen=True)
class Trial:
    """made: the case's images with the tumor; called: bool [k, j, i], what the segmenter calls lesion in them."""

    made: Synthetic
    called: np.ndarray
    probed: Probed


class Sized:
    """The statistics of a synthesizer, with size and contrast as they are told."""

    def __init__(self, statistics: TumorStatistics, kind: Kind) -> None:
        self._statistics, self._kind = statistics, kind

    def draw(self, rng: np.random.Generator) -> Drawn:
        drawn = self._statistics.draw(rng)
        scale = self._kind.diameter_mm / 2 / float(np.prod(drawn.semi_axes_mm)) ** (1 / 3)
        a, b, c = (axis * scale for axis in drawn.semi_axes_mm)
        return Drawn((a, b, c), drawn.depth_mm, fainter(drawn.look, self._kind.contrast))


def fainter(look: Appearance, contrast: float) -> Appearance:
    """The appearance with this share of its uptake and of the logarithm of its T1 contrast; CT as it is."""
    return replace(
        look,
        suv_max=look.suv_max * contrast,
        suv_mean=look.suv_mean * contrast,
        t1_contrast=look.t1_contrast**contrast,
    )


def placed(
    synthesizer: Synthesizer, kind: Kind, seed: int, center_kji: Index | None = None, cancel: Cancel | None = None
) -> TumorMask:
    """A place and an outline; raises InputError where there is no room, CancelledError when cancel says so."""

    def check() -> None:
        if cancel and cancel():
            raise CancelledError("the try was stopped by its user")

    sized = Sized(synthesizer.model.network.statistics, kind)
    return draw_mask(synthesizer.room, sized, np.random.default_rng([seed, 0]), check, center_kji=center_kji)


def try_tumor(
    synthesizer: Synthesizer,
    segment: Segment,
    kind: Kind,
    seed: int = 0,
    at: TumorMask | None = None,
    bare: np.ndarray | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Trial:
    """segment: a case without anything drawn -> bool [k, j, i]; at: of placed(), by the seed where None; bare: what
    segment() says of the synthesizer's case, asked where None. Raises what placed() and Synthesizer.tumor() raise."""
    bare = segment(synthesizer.case.unscored()) if bare is None else bare
    at = at or placed(synthesizer, kind, seed, cancel=cancel)
    made = synthesizer.tumor(SynthesisSettings(seed), progress, cancel, at)
    called = segment(made.of(synthesizer.case).unscored())
    suv = made.measured["suv_mean"]
    volume_ml = float(at.mask.sum()) * synthesizer.case.grid.voxel_mm3 / 1000
    before = float(bare[at.mask].mean())
    known = suv if suv == suv else None
    return Trial(
        made,
        called,
        Probed(kind.diameter_mm, kind.contrast, volume_ml, known, *overlap_of(called, at.mask), before, seed),
    )


def overlap_of(called: np.ndarray, tumor: np.ndarray) -> tuple[float, float]:
    """IoU of the tumor with the connected pieces of `called` that touch it, and the share of it that is called lesion.

    called, tumor: bool [k, j, i].
    """
    parts, _ = ndimage.label(called)
    touching = np.setdiff1d(parts[tumor], [0])
    pieces = np.isin(parts, touching)
    both = float((pieces & tumor).sum())
    return both / float((pieces | tumor).sum()), both / float(tumor.sum())
