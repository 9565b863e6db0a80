"""ROIs of a head whose CT is a stack of 8-bit pictures without HU: picture by picture along k."""

from __future__ import annotations

import numpy as np

from ...core.rois import NAMES, Rois
from .picture import picture_rois
from .thresholds import MODEL, RoiThresholds

LARGEST_GRAY = 255.0


def is_stack_of_pictures(ct: np.ndarray, valid: np.ndarray) -> bool:
    """Whether CT values [k, j, i] are gray values 0..255 (or 0..1) and no HU, where air would lie near -1000."""
    seen = False
    for values in (plane[inside] for plane, inside in zip(ct, valid, strict=True)):  # of a body the first has air
        if values.size and not (values.min() >= 0 and values.max() <= LARGEST_GRAY):
            return False
        seen = seen or values.size > 0
    return seen


def stack_rois(ct: np.ndarray, mri: np.ndarray | None, thresholds: RoiThresholds = MODEL) -> Rois:
    """The Rois of each axial pair, stacked [k, j, i]. ct: gray 0..255 or 0..1; mri: any unit, negative values are 0."""
    ct = _gray(ct, LARGEST_GRAY if ct.max() > 1 else 1.0)
    mri = None if mri is None else _gray(mri, float(np.percentile(mri, 99.9)))
    slices = [picture_rois(s, None if mri is None else mri[k], thresholds) for k, s in enumerate(ct)]
    masks = {name: np.stack([getattr(s, name) for s in slices]) for name in NAMES}
    source = {name: f"slice by slice, {text}" for name, text in slices[0].source.items() if name != "lesion"}
    return Rois(**masks, region="head", source={**source, "lesion": "none given"})


def _gray(array: np.ndarray, white: float) -> np.ndarray:
    return np.clip(array / max(white, 1e-6), 0, 1).astype(np.float32)
