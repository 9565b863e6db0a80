"""Fusion: a fused case with everything that made it, as export and report take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from .errors import input_error
from .fused import FusedVolume
from .grid import Grid

if TYPE_CHECKING:
    from .presets import Preset
    from .rois import Rois

ROI_NAMES = ("soft", "bone", "lesion")


class Sliders(Protocol):
    """What was asked for: a dataclass with at least these (fuse.FusionSettings)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def alpha(self) -> float: ...
    @property
    def beta(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def lambdas(self) -> tuple[float, float, float]: ...
    @property
    def tau_mm(self) -> float: ...
    @property
    def ct_window_hu(self) -> tuple[float, float]: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Judgement:
    """What is known of a fused volume beside its voxels, as the engine hands it to a host. rois: those it was made
    with; metrics, notes: as in Fusion; flicker: as in FusedVolume, where it was asked for."""

    rois: Rois
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    flicker: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fusion:
    """fused, rois: on `grid`; mri: key of the MR that was fused with the CT; preset: where the sliders started from,
    None without; metrics: rows of numbers by method, "fused" first and the trivial rows behind it; notes: sentences for
    the reader. Raises InputError when arrays and grid do not fit.
    """

    grid: Grid
    mri: str
    fused: FusedVolume
    rois: Rois
    settings: Sliders
    preset: Preset | None = None
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shapes = {self.fused.image.shape, self.fused.uncertainty.shape, *(m.shape for m in self.masks.values())}
        if shapes != {self.grid.shape}:
            raise input_error("a fusion whose arrays are not on its grid", f"{self.grid.shape}", "fuse the case again")

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """The three ROIs by name, bool [k, j, i]."""
        return {name: getattr(self.rois, name) for name in ROI_NAMES}

    @property
    def roi_ml(self) -> dict[str, float]:
        """The ROIs' volumes in mL."""
        return {name: float(np.count_nonzero(mask)) * self.grid.voxel_mm3 / 1000 for name, mask in self.masks.items()}


def border_words(gamma: float, lesion: bool, whose: str, why_none: str = "none was given") -> str:
    """What gamma did to the picture, one sentence. lesion: whether there is one; whose: its origin in words; why_none:
    why there is none."""
    if not lesion:
        return f"No lesion's border was drawn into the fused image: {why_none}."
    if not gamma:
        return f"No lesion's border was drawn into the fused image: its gray values are those without {whose}."
    return f"The border of {whose} was drawn into the gray values of the fused image, with gamma {gamma:g}."
