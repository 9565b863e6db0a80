"""Volumes as gray pictures from 0 to 1, the way a reader would have them on screen: what is fused."""

from __future__ import annotations

import numpy as np

from ..core.volume import Volume
from .rois.stack import is_stack_of_pictures

MR_PERCENTILES = (1.0, 99.7)
MOST_SAMPLED = 4_000_000  # voxels from which percentiles are taken, evenly thinned out
AIR_SHARE = 0.05  # of the 99th percentile: below is no tissue


def ct_gray(volume: Volume, valid: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    """float32 [k, j, i] in 0..1: the HU window, linear; a CT that is 8-bit gray already is only scaled."""
    if is_stack_of_pictures(volume.array, valid):
        return _clipped(volume.array / max(float(volume.array[valid].max()), 1.0), valid)
    low, high = window_hu
    return _clipped((volume.array - low) / (high - low), valid)


def mr_gray(volume: Volume, valid: np.ndarray) -> np.ndarray:
    """float32 [k, j, i] in 0..1: from air to the 99.7th percentile of what is valid and no air, linear."""
    finite = np.isfinite(volume.array)
    array = volume.array if finite.all() else np.where(finite, volume.array, 0)
    step = max(1, array.size // MOST_SAMPLED)
    seen = array.reshape(-1)[::step][valid.reshape(-1)[::step]]
    if seen.size == 0:
        return np.zeros(volume.array.shape, np.float32)
    tissue = seen[seen > AIR_SHARE * np.percentile(seen, 99)]
    low = min(float(np.percentile(seen, MR_PERCENTILES[0])), 0.0)
    high = float(np.percentile(tissue, MR_PERCENTILES[1])) if tissue.size else 1.0
    return _clipped((array - low) / max(high - low, 1e-6), valid)


def _clipped(array: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """In place: a large volume would be in memory several times."""
    if not np.isfinite(array).all():
        np.nan_to_num(array, copy=False)
    np.clip(array, 0, 1, out=array)
    array[~valid] = 0
    return array.astype(np.float32, copy=False)
