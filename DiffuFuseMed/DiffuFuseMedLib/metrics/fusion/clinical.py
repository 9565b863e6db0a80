"""What a reader would stumble over: edges and jumps that no source shows, and findings of one source that vanished."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ...core.errors import input_error
from .pictures import check_masks, checked, correlation, is_constant

PLANES = ("axial", "coronal", "sagittal")  # their slices follow each other along k, j and i
SHELL_PX = 2


def seam(f: np.ndarray, a: np.ndarray, b: np.ndarray, bone: np.ndarray) -> float:
    """How much of the sources' edge along the bone the fused picture (H, W) has; about 1 is right.

    Mean Sobel gradient of F over the mean of the stronger source gradient, on the pixels that touch the bool mask from
    outside (4 neighbors). Below 1 the border of the bone is washed out, above 1 the fusion added to it. NaN without
    a rim.
    """
    fused, strongest = _gradients(f, a, b)
    check_masks(fused.shape, bone)
    return _ratio(fused, strongest, _outer_rim(bone))


def seam_excess(f: np.ndarray, a: np.ndarray, b: np.ndarray, bone: np.ndarray) -> float:
    """Gradient along the bone's border that neither source has there, as a share of what they have; 0 is right.

    One-sided: pixel by pixel what F's Sobel gradient exceeds the stronger source's by, never less than 0; on the rim
    of both sides of the border, since a cut between two pictures shows on either. NaN without a rim.
    Pictures (H, W), 0..255; bone: bool (H, W).
    """
    fused, strongest = _gradients(f, a, b)
    check_masks(fused.shape, bone)
    rim = _outer_rim(bone) | _outer_rim(~bone)
    return _ratio(np.maximum(fused - strongest, 0), strongest, rim)


def ct_in_soft(f: np.ndarray, ct: np.ndarray, mri: np.ndarray, soft: np.ndarray) -> float:
    """Partial correlation of F with CT given MRI over the bool mask (H, W); -1 to 1.

    What CT alone shows there (bleeding, calcification, gas) is in the fused picture when this is high. A pure copy of
    the MRI scores 0, any blend 1: it guards against loss and ranks nothing else. NaN where the CT says nothing that the
    MRI does not. The same function serves a tracer in place of the CT.
    """
    f, ct, mri = checked(f, ct, mri)
    check_masks(f.shape, soft)
    kept, shown = (_without(x[soft], mri[soft]) for x in (f, ct))
    return 0.0 if is_constant(kept) and not is_constant(shown) else correlation(kept, shown)


def tracer_in_soft(f: np.ndarray, tracer: np.ndarray, soft: np.ndarray) -> float:
    """Correlation of F with the tracer's luminance over the bool mask (H, W); NaN where either is constant."""
    f, tracer = checked(f, tracer)
    check_masks(f.shape, soft)
    return correlation(f[soft], tracer[soft])


def border_contrast(f: np.ndarray, lesion: np.ndarray) -> float:
    """How well the lesion's border can be seen: contrast to noise between the 2 px inside and the 2 px outside of it.

    |difference of the means| over the root of the mean variance, where one gray value is the least noise that counts.
    NaN for an empty mask or one without an outside. Picture (H, W), 0..255; lesion: bool (H, W).
    """
    (f,) = checked(f)
    check_masks(f.shape, lesion)
    inner = lesion & ~ndimage.binary_erosion(lesion, iterations=SHELL_PX, border_value=1)
    outer = ndimage.binary_dilation(lesion, iterations=SHELL_PX) & ~lesion
    if not (inner.any() and outer.any()):
        return float("nan")
    noise = np.sqrt((f[inner].var() + f[outer].var()) / 2 + 1)
    return float(abs(f[inner].mean() - f[outer].mean()) / noise)


def flicker(volume: np.ndarray, sources: Sequence[np.ndarray], inside: np.ndarray) -> dict[str, float]:
    """By plane, how much the fused volume [k, j, i] jumps from slice to slice beyond its sources, in gray values.

    For each pair of neighboring voxels that both lie in the bool mask `inside`: |step of the fused volume| minus the
    largest |step| of any source, never less than 0; the mean over all pairs along the plane's normal. Volume and
    sources are on one scale, which is the result's unit. Any blend with fixed weights that sum to 1 has 0. NaN without
    a pair. Raises InputError unless all have one shape [k, j, i].
    """
    shapes = {np.shape(x) for x in (volume, inside, *sources)}
    if len(shapes) > 1 or np.ndim(volume) != 3 or not len(sources):
        raise input_error(f"{len(sources)} sources and shapes {sorted(shapes)}", "volumes of one shape", "align them")
    check_masks(np.shape(volume), inside)
    return {plane: _jump(volume, sources, inside, axis) for axis, plane in enumerate(PLANES)}


def _jump(volume: np.ndarray, sources: Sequence[np.ndarray], inside: np.ndarray, axis: int) -> float:
    both = np.take(inside, range(1, inside.shape[axis]), axis) & np.take(inside, range(inside.shape[axis] - 1), axis)
    if not both.any():
        return float("nan")
    step, *others = (np.abs(np.diff(np.asarray(x, np.float64), axis=axis)[both]) for x in (volume, *sources))
    return float(np.maximum(step - np.max(others, axis=0), 0).mean())


def _gradients(f: np.ndarray, *sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sobel gradient in gray values per pixel: the fused picture's, and the stronger of the sources'."""
    fused, *others = (np.hypot(ndimage.sobel(x, 0), ndimage.sobel(x, 1)) / 8 for x in checked(f, *sources))
    return fused, np.max(others, axis=0)


def _outer_rim(mask: np.ndarray) -> np.ndarray:
    return ndimage.binary_dilation(mask) & ~mask


def _ratio(part: np.ndarray, whole: np.ndarray, where: np.ndarray) -> float:
    total = whole[where].sum()
    return float(part[where].sum() / total) if total > 0 else float("nan")


def _without(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What a straight line over `known` leaves of x."""
    if is_constant(known):
        return x
    known = known - known.mean()
    return x - known * (known @ x / (known @ known))
