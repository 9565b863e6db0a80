"""Intensities as the networks see them: dimensionless, about -1 to 1, and 0 wherever a modality says nothing.

CT keeps HU and PET keeps SUV (fixed curves, no statistics of the image), so 40 HU or SUV 2.5 look the same in every
patient. MR and SPECT have no unit of their own and are scaled by percentiles of the body (Nyul and Udupa 1999,
doi:10.1002/(SICI)1522-2594(199912)42:6<1072::AID-MRM11>3.0.CO;2-M, with two landmarks).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..core.modalities import spec_of
from ..core.volume import Volume

CT_WINDOW_HU = (-200.0, 300.0)
PET_KNEE_SUV = 10.0
BODY_FRACTION = 0.1
PERCENTILES = (1.0, 99.0)


def normalise(volume: Volume, valid: np.ndarray) -> np.ndarray:
    """The network's input for one modality: float32 [k, j, i], 0 where valid is False or the voxel is not finite.

    volume: HU, SUVbw, MR units or counts by its modality, or a picture in color, of which red, green and blue come back
    as the last axis; valid: bool [k, j, i] on the same grid.
    """
    seen = np.asarray(valid, dtype=bool)
    usable = (seen[..., None] if volume.in_color else seen) & np.isfinite(volume.array)
    array = np.where(usable, volume.array, np.float32(0)).astype(np.float32, copy=False)
    curve = color_scale if volume.in_color else CURVES[spec_of(volume.modality).scale]
    scaled = curve(array, usable)
    return np.where(usable, scaled, np.float32(0)).astype(np.float32, copy=False)


def ct_scale(array_hu: np.ndarray, usable: np.ndarray | None = None) -> np.ndarray:
    """HU of any shape, clipped to the soft-tissue window CT_WINDOW_HU and mapped linearly to [-1, 1]."""
    low, high = CT_WINDOW_HU
    return (np.clip(array_hu, low, high) - low) * (2 / (high - low)) - 1


def pet_scale(array_suv: np.ndarray, usable: np.ndarray | None = None) -> np.ndarray:
    """log(1 + SUV) / log(1 + 10) - 0.5: SUV 0 is -0.5, SUV 10 is 0.5, and a hot bladder does not drown the rest.

    array_suv: of any shape.
    """
    return np.log1p(np.maximum(array_suv, 0)) * (1 / np.log1p(PET_KNEE_SUV)) - 0.5


def percentile_scale(array: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The 1st to 99th percentile of the usable body voxels [k, j, i] mapped to [-1, 1], clipped to [-1.5, 1.5]."""
    ends = body_percentiles(array, usable)
    if ends is None:
        return np.zeros_like(array)
    low, high = ends
    half_range = max((high - low) / 2, float(np.finfo(np.float32).tiny))
    return np.clip((array - np.float32((low + high) / 2)) / np.float32(half_range), -1.5, 1.5)


def body_percentiles(array: np.ndarray, usable: np.ndarray) -> tuple[float, float] | None:
    """The 1st and 99th percentile of the usable body voxels [k, j, i]; None without any."""
    body = array[usable & (array > _body_threshold(array, usable))]
    if body.size == 0:
        return None
    low, high = np.percentile(body, PERCENTILES)
    return float(low), float(high)


def color_scale(array: np.ndarray, usable: np.ndarray | None = None) -> np.ndarray:
    """0 to 255 of any shape mapped linearly to [-1, 1]."""
    return array / np.float32(127.5) - 1


# By ModalitySpec.scale.
CURVES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "HU": ct_scale,
    "SUV": pet_scale,
    "relative": percentile_scale,
    "color": color_scale,
}


def body_mask(volume: Volume, valid: np.ndarray) -> np.ndarray:
    """bool [k, j, i]: tissue as against air, holes filled slice by slice, within valid.

    CT: above -300 HU; PET: above SUV 0.1; MR and SPECT: above a tenth of the 99th percentile.
    """
    usable = np.asarray(valid, dtype=bool) & np.isfinite(volume.array)
    threshold = spec_of(volume.modality).body_above
    if threshold is None:
        threshold = _body_threshold(volume.array, usable)
    return _without_holes(usable & (volume.array > threshold)) & usable


def n4(volume: Volume, valid: np.ndarray, shrink: int = 4) -> Volume:
    """The MR volume without its bias field: N4 (Tustison et al. 2010, doi:10.1109/TMI.2010.2046908) in SimpleITK.

    The field is fitted inside the body at 1/shrink resolution in plane and divided out at full resolution.
    Where there is no body to fit, the volume comes back as it is. valid: bool [k, j, i].
    """
    body = body_mask(volume, valid)
    if not body.any():
        return volume
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    mask = Volume(body.astype(np.uint8), volume.grid).to_sitk()
    field = sitk.GetArrayFromImage(sitk.Exp(_log_bias_field(image, mask, shrink)))
    corrected = np.where(valid, volume.array / np.maximum(field, 1e-3), volume.array)
    return volume.with_array(corrected.astype(np.float32), bias_corrected="N4")


def _log_bias_field(image: sitk.Image, mask: sitk.Image, shrink: int) -> sitk.Image:
    # Slices are thick and few: shrinking across them would leave nothing to fit.
    i, j, k = image.GetSize()
    factors = [min(shrink, max(1, i // 8)), min(shrink, max(1, j // 8)), min(shrink, max(1, k // 32))]
    n4_filter = sitk.N4BiasFieldCorrectionImageFilter()
    n4_filter.SetMaximumNumberOfIterations([30, 30, 20])
    n4_filter.Execute(sitk.Shrink(image, factors), sitk.Shrink(mask, factors))
    return n4_filter.GetLogBiasFieldAsImage(image)


def _body_threshold(array: np.ndarray, usable: np.ndarray) -> float:
    # Otsu and Li split muscle from fat when a field of view holds little air (Dice with the CT's body as low as 0.4
    # on the soft-tissue sarcoma cases); a tenth of the bright end stays between 0.87 and 0.99.
    inside = array[usable]
    return BODY_FRACTION * float(np.percentile(inside, PERCENTILES[1])) if inside.size else 0.0


def _without_holes(mask: np.ndarray) -> np.ndarray:
    # In plane only: a marrow cavity leaves the volume through its end slices and would not be a hole in 3D.
    in_plane = np.zeros((3, 3, 3), dtype=bool)
    in_plane[1] = ndimage.generate_binary_structure(2, 1)
    labels, count = ndimage.label(~mask, structure=in_plane)
    outside = np.zeros(count + 1, dtype=bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        outside[edge.ravel()] = True
    return mask | ~outside[labels]
