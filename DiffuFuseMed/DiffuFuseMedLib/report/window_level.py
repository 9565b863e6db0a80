"""Windows: which intensities become black and white, per modality, and what the caption says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.case import Case
from ..core.modalities import ModalitySpec, spec_of
from ..core.shown_range import shown_range
from ..core.suv_units import BODY_WEIGHT, SuvScale


@dataclass(frozen=True)
class Window:
    """low is shown black and high white, or the other way when inverted; unit: of both, in print."""

    low: float
    high: float
    caption: str
    inverted: bool = False
    unit: str = ""

    def gray(self, image: np.ndarray) -> np.ndarray:
        """float [0, 1] of the same shape."""
        scaled = np.clip((image - self.low) / (self.high - self.low), 0, 1)
        return 1 - scaled if self.inverted else scaled


def window_of(modality: str, image: np.ndarray, valid: np.ndarray, suv: SuvScale = BODY_WEIGHT) -> Window:
    """The modality's own for print, else from the valid voxels: a tracer's ends at what the body takes up at most."""
    spec = spec_of(modality)
    low, high = spec.report_window or _of_the_case(spec, image[valid], suv.factor if spec.scale == "SUV" else 1.0)
    if spec.report_window is None and not spec.tracer:
        return Window(low, high, "1st to 99.5th percentile", spec.inverted)
    inverted = ", inverted" if spec.inverted else ""
    what, unit = (suv.told.name, suv.told.unit) if spec.scale == "SUV" else (spec.quantity, spec.report_unit)
    return Window(low, high, f"{what} {low:g} to {high:g} {unit}{inverted}", spec.inverted, unit)


def _of_the_case(spec: ModalitySpec, values: np.ndarray, per_shown: float) -> tuple[float, float]:
    """values: multiplied by per_shown, as the window is."""
    low, high = shown_range(spec, values / per_shown if per_shown != 1.0 else values, per_shown)
    return float(f"{low * per_shown:.6g}"), float(f"{high * per_shown:.6g}")


def windows_of(case: Case, images: dict[str, np.ndarray], suv: SuvScale = BODY_WEIGHT) -> dict[str, Window]:
    """Of each modality of the case but those in color, which have none, by all of it rather than by the part that is
    drawn. images: in the unit shown."""
    gray = {key: image for key, image in images.items() if not case.volumes[key].in_color}
    return {key: window_of(key, image, case.valid[key], suv) for key, image in gray.items()}
