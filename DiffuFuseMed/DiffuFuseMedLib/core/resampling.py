"""A Volume on another Grid, with the mask of where it still says something."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from .errors import input_error
from .grid import Grid
from .modalities import spec_of
from .parallel import each, each_plane
from .volume import Volume

INTERPOLATORS = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor, "bspline": sitk.sitkBSpline}
PADDING_BELOW_HU = -1100.0
CORNER_HU = -1024.0
AIR_BELOW_HU = -900.0
ANTIALIAS_FROM = 1.5
MIN_REGION_FRACTION = 1e-3
MOST_SAMPLED = 4_000_000  # voxels from which a percentile is taken
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


def resample(
    volume: Volume,
    grid: Grid,
    interpolation: str = "linear",
    transform: sitk.Transform | None = None,
    outside: float = 0.0,
) -> Volume:
    """The volume on grid, in its own array type (bool comes back as uint8).

    interpolation: "linear", "nearest" or "bspline"; transform: maps points of grid to points of the volume, LPS mm (the
    ITK convention), identity by default; outside: the value given beyond the volume's voxel borders.
    Raises InputError for another interpolation.
    """
    if interpolation not in INTERPOLATORS:
        raise input_error(
            f"the interpolation {interpolation!r}", f"one of {list(INTERPOLATORS)}", "choose one of these"
        )
    if volume.array.dtype == bool:
        volume = volume.with_array(volume.array.astype(np.uint8))
    if transform is None and volume.grid == grid:
        return volume
    filter_ = sitk.ResampleImageFilter()
    filter_.SetReferenceImage(reference_image(grid))
    filter_.SetInterpolator(INTERPOLATORS[interpolation])
    filter_.SetTransform(transform or sitk.Transform())
    filter_.SetDefaultPixelValue(float(outside))
    array = sitk.GetArrayFromImage(filter_.Execute(volume.to_sitk()))
    return Volume(array, grid, volume.modality, dict(volume.meta))


def onto(
    volume: Volume, grid: Grid, transform: sitk.Transform | None = None, valid: np.ndarray | None = None
) -> tuple[Volume, np.ndarray]:
    """(volume, valid) on grid, valid bool [k, j, i]: a mask by nearest neighbour, an image as its modality wants.


    A voxel is valid when at least half of its interpolation weight falls on valid source voxels. Invalid source voxels
    take no part in a value (normalised convolution), so padding does not bleed into the edge of the field of view.
    Down-sampling by more than 1.5 smooths first, to the coarser grid's point spread (Cardoso et al. 2015,
    doi:10.1007/978-3-319-24571-3_81, eq. 3). Invalid voxels hold air (-1000 HU in CT, else 0).
    valid: valid_mask(volume), where it is known already.
    """
    valid = valid_mask(volume) if valid is None else valid
    if transform is None and volume.grid == grid and volume.modality is not None:
        return _emptied(volume, volume.array, valid), valid
    if volume.modality is None:
        moved = resample(volume, grid, "nearest", transform)
        return moved, _on_grid(valid.astype(np.float32), volume, grid, transform) >= 0.5
    weight = valid.astype(np.float32)
    weighted = _weighted(volume, weight, _antialias_sigma_voxels(volume.grid, grid))
    how = spec_of(volume.modality).interpolation
    share, value = each(lambda array: _on_grid(array, volume, grid, transform, how), (weight, weighted))
    inside = share >= 0.5
    np.divide(value, share, out=value, where=inside)
    return _emptied(Volume(value, grid, volume.modality, dict(volume.meta)), value, inside), inside


def _weighted(volume: Volume, weight: np.ndarray, sigma: tuple[float, ...]) -> np.ndarray:
    """float32: the values where weight is 1, smoothed among themselves by sigma voxels (k, j, i); 0 where it is 0."""
    valid = weight > 0
    weighted = np.where(valid, volume.array, np.float32(0)).astype(np.float32, copy=False)
    if not any(sigma):
        return weighted
    weighted = ndimage.gaussian_filter(weighted, sigma, mode="nearest")
    smooth_weight = ndimage.gaussian_filter(weight, sigma, mode="nearest")
    # The smoothed weight alone would move the edge of the field of view; the value needs it, the mask does not.
    return np.where(valid, weighted / np.maximum(smooth_weight, 1e-6), np.float32(0))


def _emptied(volume: Volume, array: np.ndarray, inside: np.ndarray) -> Volume:
    """The volume with array as float32, air outside of `inside`; the array itself where there is nothing to change."""
    array = array.astype(np.float32, copy=False)
    if not inside.all():
        array = np.where(inside, array, np.float32(spec_of(volume.modality).outside))
    return Volume(array, volume.grid, volume.modality, dict(volume.meta))


def resample_smoothly(array: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    """A float array [k, j, i] from source to grid, linearly, smoothed first where the spacing grows; 0 outside."""
    sigma = _antialias_sigma_voxels(source, grid)
    array = array.astype(np.float32)
    smooth = ndimage.gaussian_filter(array, sigma, mode="nearest") if any(sigma) else array
    return _on_grid(smooth, Volume(array, source), grid, None)


def valid_mask(volume: Volume) -> np.ndarray:
    """bool [k, j, i] on the volume's own grid: where the modality says anything.

    MR: not the zeros beyond its field of view; CT: not the scanner's padding; PET, SPECT and masks: everywhere.
    Voxels that are not finite are never valid.
    """
    finite = np.isfinite(volume.array)
    if volume.in_color:
        return np.asarray(finite.all(axis=-1))
    field = spec_of(volume.modality).field_of_view
    if field == "padding":
        return finite & ~_ct_padding(volume.array)
    return finite & ~_mr_outside(volume.array, finite) if field == "zeros" else finite


def reference_image(grid: Grid) -> sitk.Image:
    """An empty SimpleITK image with this geometry."""
    image = sitk.Image(grid.size, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


def _on_grid(
    array: np.ndarray, volume: Volume, grid: Grid, transform: sitk.Transform | None, interpolation: str = "linear"
) -> np.ndarray:
    return resample(Volume(array, volume.grid), grid, interpolation, transform).array


def _antialias_sigma_voxels(moving: Grid, grid: Grid) -> tuple[float, ...]:
    """Gaussian sigma in moving voxels per axis (k, j, i); 0 where grid is not coarser by more than ANTIALIAS_FROM."""
    cosines = np.reshape(grid.direction, (3, 3)).T @ np.reshape(moving.direction, (3, 3))
    step_mm = np.linalg.norm(cosines * np.asarray(grid.spacing_mm)[:, None], axis=0)
    ratio = step_mm / np.asarray(moving.spacing_mm)
    sigma = np.where(ratio > ANTIALIAS_FROM, np.sqrt(np.maximum(ratio**2 - 1, 0)) / FWHM_PER_SIGMA, 0.0)
    return tuple(float(s) for s in sigma[::-1])


def _mr_outside(array: np.ndarray, finite: np.ndarray) -> np.ndarray:
    # Rounding by earlier resampling leaves a little more than 0 beyond the field of view.
    scale = _high(array, finite)
    square = np.ones((3, 3), dtype=bool)

    def core(plane: np.ndarray, plane_finite: np.ndarray) -> np.ndarray:
        """Zeros, opened: cuts the thin bridges by which noise zeros in air and dark cortex would join the outside."""
        zero = ~plane_finite | (np.abs(plane) <= 1e-3 * scale)
        return ndimage.binary_dilation(ndimage.binary_erosion(zero, square, border_value=1), square) & zero

    return _touching_border(each_plane(core, 0, array, finite), min_voxels=MIN_REGION_FRACTION * array.size)


def _high(array: np.ndarray, finite: np.ndarray) -> float:
    """The 99th percentile of the finite values; 0 without any. A large image is thinned out evenly."""
    step = max(1, array.size // MOST_SAMPLED)
    sample = array.reshape(-1)[::step][finite.reshape(-1)[::step]]
    return float(np.percentile(sample, 99)) if sample.size else 0.0


def _ct_padding(array: np.ndarray) -> np.ndarray:
    padding = _touching_border(array < PADDING_BELOW_HU)
    return padding | _touching_border(array == CORNER_HU) if _is_round_field(array) else padding


def _is_round_field(array: np.ndarray) -> bool:
    """Whether a constant -1024 HU fills the corners a round field of view leaves, and is not just clipped air."""
    constant = array == CORNER_HU
    if not constant[:, [0, 0, -1, -1], [0, -1, 0, -1]].all():
        return False
    air = (array < AIR_BELOW_HU) & _inscribed_ellipse(array.shape[1:])
    return not air.any() or bool(constant[air].mean() <= 0.5)


def _inscribed_ellipse(shape_ji: tuple[int, int]) -> np.ndarray:
    j, i = (np.linspace(-1, 1, n) for n in shape_ji)
    return j[:, None] ** 2 + i[None, :] ** 2 < 0.95


def _touching_border(mask: np.ndarray, min_voxels: float = 1) -> np.ndarray:
    """The face-connected parts of mask that reach an in-plane edge and hold min_voxels or more.

    End slices do not count: what runs through the body runs through them, and missing slices reach the edges anyway.
    """
    if not any(np.take(mask, [0, -1], axis=axis).any() for axis in (1, 2)):
        return np.zeros(mask.shape, dtype=bool)
    labels, count = ndimage.label(mask)
    touches = np.zeros(count + 1, dtype=bool)
    for axis in (1, 2):
        touches[np.take(labels, [0, -1], axis=axis).ravel()] = True
    touches[0] = False
    # Slice by slice: numpy counts and looks up by 8-byte numbers, of which a large image has too many at once.
    if min_voxels > 1:
        touches &= sum(np.bincount(plane.ravel(), minlength=count + 1) for plane in labels) >= min_voxels
    return np.stack([touches[plane] for plane in labels])
