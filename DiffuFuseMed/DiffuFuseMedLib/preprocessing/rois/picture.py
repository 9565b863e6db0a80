"""ROIs of one registered pair of head pictures, CT (without HU, as 8-bit exports are) and MRI: skull and brain.

The CT tells bone by its gray relative to the brain's, which holds for any window that shows the brain. The brain is
the soft tissue that sees bone on nearly all sides; the MRI decides where CT alone cannot, at the skull base.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...core.errors import input_error
from ...core.rois import Rois
from .enclosed import enclosure
from .shapes import box, closed, dilated, eroded, filled, largest, opened, pasted, pieces, without_small
from .thresholds import MODEL, RoiThresholds

PICTURE_PX = 256
MARGIN_PX = 12
DARK = 0.05  # of white: below it, air and fat in a brain window
MRI_DARK = 0.06  # of the 99.5 percentile: below it air, cortical bone, fast flow
ENCLOSED = 0.88
OPENING_PX = 4.0
BRAIN_PX = 120
CREST_PX, CREST_GAP_PX = 100, 10.0
# Pieces apart from the largest (temporal lobes at the skull base, but also eyes and muscles), seen on all 129 pictures
# at hand: bone makes up 0.58 or more of the ring around a lobe and 0.55 or less around an eye or muscle.
RING_PX = 4.0
RING_BONE = 0.57
MRI_LIKE = (0.55, 1.6)  # median in the MRI relative to the largest piece: muscle is darker, an eye brighter


def picture_rois(ct: np.ndarray, mri: np.ndarray | None, thresholds: RoiThresholds = MODEL) -> Rois:
    """The Rois of one pair, all bool [j, i]; region "head", lesion empty.

    ct, mri: gray 0..1 [j, i] of one shape, mri may be missing. soft is empty where the picture cuts no brain.
    Raises InputError for other shapes or values.
    """
    ct, mri = _checked(ct, mri)
    scale = max(ct.shape) / PICTURE_PX
    head = head_outline(ct, mri, scale)
    where = box(head, MARGIN_PX)
    soft, bone = _brain_and_skull(ct[where], None if mri is None else mri[where], head[where], thresholds, scale)
    soft, bone = (pasted(mask, where, ct.shape) for mask in (soft, bone))
    return Rois(soft, bone, np.zeros(ct.shape, bool), head, "head", _source(thresholds, mri is not None))


def brain_gray(ct: np.ndarray, head: np.ndarray) -> float:
    """The gray value that is most frequent in the head, [j, i], between black (air, fat) and white (bone)."""
    bins = 46
    counts, edges = np.histogram(ct[head], bins=bins, range=(DARK, 0.97))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), 1.5)
    return float(edges[smooth.argmax()] + (edges[1] - edges[0]) / 2)


def head_outline(ct: np.ndarray, mri: np.ndarray | None, scale: float = 1.0) -> np.ndarray:
    """bool [j, i]: the head without the head holder, which opening cuts off; holes are filled."""
    tissue = ct > DARK
    if mri is not None:
        tissue = tissue | (mri > 2 * MRI_DARK * np.percentile(mri, 99.5))
    return largest(opened(filled(closed(tissue, 2 * scale)), 5 * scale))


def _brain_and_skull(
    ct: np.ndarray, mri: np.ndarray | None, head: np.ndarray, thresholds: RoiThresholds, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    bone = _bone(ct, mri, head, thresholds, scale)
    whole = _brain(ct, mri, bone, scale, thresholds)
    return eroded(whole, thresholds.erosion_px * scale) & head, bone & ~whole


def _bone(
    ct: np.ndarray, mri: np.ndarray | None, head: np.ndarray, thresholds: RoiThresholds, scale: float
) -> np.ndarray:
    gray = brain_gray(ct, head)
    limit = gray + thresholds.bone_share * (float(ct.max()) - gray)
    bright = (ct > limit) & head
    if mri is not None:
        bright &= ~_hardened_brain(ct, mri, head, gray, limit, scale)
    return without_small(bright, thresholds.bone_px * scale**2)


def _hardened_brain(
    ct: np.ndarray, mri: np.ndarray, head: np.ndarray, gray: float, limit: float, scale: float
) -> np.ndarray:
    """Where the CT is bright with noise only, no air or fat is near, and the MRI is as bright as brain.

    Beam hardening lifts the temporal lobes between the petrous bones over the limit, pixel by pixel.
    """
    brain = head & (np.abs(ct - gray) < 0.1)
    level = float(np.median(mri[brain])) if brain.any() else 0.0
    near_air = ndimage.minimum_filter(ct, max(3, round(5 * scale))) < gray / 2
    return (ndimage.gaussian_filter(ct, 1.5 * scale) < limit) & ~near_air & (mri > MRI_LIKE[0] * level)


def _brain(
    ct: np.ndarray, mri: np.ndarray | None, bone: np.ndarray, scale: float, thresholds: RoiThresholds
) -> np.ndarray:
    """The brain without holes, bleeding and calcification included."""
    wall = closed(bone, thresholds.closing_px * scale)
    tissue = (ct > DARK) & ~bone
    if mri is not None:
        tissue &= mri > MRI_DARK * np.percentile(mri, 99.5)
    sight = ndimage.gaussian_filter(enclosure(wall), 2 * scale)
    core = without_small(opened(tissue & (sight > ENCLOSED), OPENING_PX * scale), BRAIN_PX * scale**2)
    core = _walled(core, mri, wall, scale)
    skull = _skull(bone, core, scale)
    return filled(closed(core, 2 * OPENING_PX * scale) & ~skull) & ~skull


def _skull(bone: np.ndarray, core: np.ndarray, scale: float) -> np.ndarray:
    """Bone that is no island in the brain; a large island next to the skull is the crest of a petrous bone."""
    labels, sizes = pieces(bone)
    outside = np.bincount(labels[~ndimage.binary_dilation(filled(core))], minlength=sizes.size) > 0
    skull = (outside & (sizes > 0))[labels]
    large = ~outside & (sizes >= CREST_PX * scale**2)
    if large.any():
        near = np.bincount(labels[dilated(skull, CREST_GAP_PX * scale)], minlength=sizes.size) > 0
        skull |= (large & near)[labels]
    return skull


def _walled(core: np.ndarray, mri: np.ndarray | None, wall: np.ndarray, scale: float) -> np.ndarray:
    """The largest piece, and those others that lie against bone and are as bright in the MRI: no globe, no muscle."""
    labels, sizes = pieces(core)
    kept = sizes > 0
    for label in np.flatnonzero(kept & (np.arange(sizes.size) != sizes.argmax())):
        piece = labels == label
        ring = dilated(piece, RING_PX * scale) & ~piece
        walled = ring.any() and wall[ring].mean() >= RING_BONE
        kept[label] = walled and _like(mri, piece, labels == sizes.argmax())
    return kept[labels]


def _like(mri: np.ndarray | None, piece: np.ndarray, brain: np.ndarray) -> bool:
    if mri is None:
        return True
    low, high = MRI_LIKE
    return bool(low <= np.median(mri[piece]) / max(float(np.median(mri[brain])), 1e-6) <= high)


def _source(thresholds: RoiThresholds, with_mri: bool) -> dict[str, str]:
    of = "CT and MRI pictures" if with_mri else "CT picture"
    return {
        "soft": f"brain: tissue that sees bone on nearly all sides, from the {of} ({thresholds.name} thresholds)",
        "bone": f"skull and jaw: brighter than brain in the CT picture ({thresholds.name} thresholds)",
        "lesion": "none given",
        "inside": f"outline of the head in the {of}",
    }


def _checked(ct: np.ndarray, mri: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    ct = np.asarray(ct, dtype=np.float32)
    if ct.ndim != 2:
        raise input_error(f"a CT picture of shape {ct.shape}", "a gray picture (H, W)", "pass one slice")
    if mri is None:
        _check_gray(ct, "CT")
        return ct, None
    mri = np.asarray(mri, dtype=np.float32)
    if mri.shape != ct.shape:
        raise input_error(f"pictures of {ct.shape} and {mri.shape}", "a pair of one shape", "pass registered pictures")
    _check_gray(ct, "CT")
    _check_gray(mri, "MRI")
    return ct, mri


def _check_gray(picture: np.ndarray, name: str) -> None:
    if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise input_error(f"{name} values outside 0..1", "gray values from 0 to 1", "divide 8-bit values by 255")
