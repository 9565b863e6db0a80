"""Rigid registration by mutual information (Mattes et al. 2003, doi:10.1109/TMI.2003.809072) in SimpleITK."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from ..core.errors import input_error
from ..core.resampling import valid_mask
from ..core.volume import Volume

BINS = 50
SHRINK = (4, 2, 1)
SMOOTHING_MM = (4.0, 2.0, 0.0)
SAMPLES_PER_LEVEL = 60_000
MIN_OVERLAP_VOXELS = 1000
MOST_MEASURED = 2_000_000  # voxels of a fixed image by which a fit is told; its sampling error is below 0.01 nat


@dataclass(frozen=True)
class Registration:
    """transform maps fixed points to moving points (ITK); matrix_moving_to_reference is its inverse, 4 x 4 LPS mm.

    mutual_information: nats over the common field of view, higher fits better; iterations: optimiser steps in all;
    notes: plain sentences for the quality report.
    """

    transform: sitk.Transform
    matrix_moving_to_reference: np.ndarray
    mutual_information: float
    iterations: int
    notes: tuple[str, ...] = ()


def register_rigid(
    fixed: Volume, moving: Volume, seed: int = 0, valid: tuple[np.ndarray, np.ndarray] | None = None
) -> Registration:
    """The rigid motion that brings moving onto fixed; same seed, same result.

    Of identity, centred geometry and centred moments the best start is refined over three resolutions. A result that
    fits worse than the position given by the files (or that slides out of its overlap) is dropped, and a note says so.
    valid: the valid_mask() of fixed and of moving, bool [k, j, i] each, where they are known already.
    Raises InputError when no start makes the two images overlap, or one of them is constant.
    """
    images = _Pair.of(fixed, moving, valid or (valid_mask(fixed), valid_mask(moving)))
    starts = images.starts()
    voxels = {name: images.overlap_voxels(start) for name, start in starts.items()}
    if max(voxels.values()) < MIN_OVERLAP_VOXELS:
        raise input_error(
            f"{fixed.name} and {moving.name} without a common region of {MIN_OVERLAP_VOXELS} voxels",
            "two images of the same part of the body",
            "choose images of one patient and one region",
        )
    if images.is_constant():
        raise input_error(
            f"{fixed.name} or {moving.name} with one single value", "two images with content", "choose other images"
        )
    # Mutual information over a sliver of overlap can be high by chance.
    eligible = [start for name, start in starts.items() if voxels[name] >= max(voxels.values()) / 2]
    found, iterations = _optimise(images, max(eligible, key=images.thinned().mutual_information), seed)
    return _better_of(images, starts["as given"], found, iterations)


def mutual_information(
    fixed: Volume,
    moving: Volume,
    transform: sitk.Transform | None = None,
    mask: np.ndarray | None = None,
    valid: tuple[np.ndarray, np.ndarray] | None = None,
) -> float:
    """Mattes mutual information in nats over the common valid voxels, evenly thinned out in an image of more than
    MOST_MEASURED.

    It is nan where they are fewer than 1000, and 0 when an image is constant.

    transform: fixed to moving points, identity by default; mask: bool [k, j, i] on fixed's grid, further limiting them;
    valid: the valid_mask() of fixed and of moving, where they are known already.
    """
    fixed_valid, moving_valid = valid or (valid_mask(fixed), valid_mask(moving))
    if mask is not None:
        fixed_valid = fixed_valid & mask
    step = _thinning(fixed.array.size)  # before SimpleITK copies what is not looked at
    thinned, thinned_valid = fixed.thinned((step, step, step)), fixed_valid[::step, ::step, ::step]
    pair = _Pair.of(thinned, moving, (thinned_valid, moving_valid))
    return pair.mutual_information(transform or sitk.Transform(3, sitk.sitkIdentity))


def rigid_matrix(transform: sitk.Transform) -> np.ndarray:
    """The 4 x 4 LPS matrix of a linear SimpleITK transform, in the transform's own direction."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([transform.TransformPoint(tuple(axis)) for axis in np.eye(3)]).T - origin[:, None]
    matrix[:3, 3] = origin
    return matrix


@dataclass(frozen=True)
class _Pair:
    """Two float images with the masks of their valid voxels, as SimpleITK wants them."""

    fixed: sitk.Image
    moving: sitk.Image
    fixed_mask: sitk.Image
    moving_mask: sitk.Image

    @classmethod
    def of(cls, fixed: Volume, moving: Volume, valid: tuple[np.ndarray, np.ndarray]) -> _Pair:
        masks = (_mask_image(mask, volume) for mask, volume in zip(valid, (fixed, moving), strict=True))
        return cls(_finite_image(fixed), _finite_image(moving), *masks)

    def thinned(self) -> _Pair:
        """With every nth voxel of the fixed image along each axis, so that it has at most MOST_MEASURED."""
        step = _thinning(self.fixed.GetNumberOfPixels())
        if step == 1:
            return self
        return replace(
            self, fixed=self.fixed[::step, ::step, ::step], fixed_mask=self.fixed_mask[::step, ::step, ::step]
        )

    def starts(self) -> dict[str, sitk.Euler3DTransform]:
        """The positions an optimisation may start from: as given, centres of the boxes, centres of mass."""
        as_given = sitk.Euler3DTransform()
        middle = [(n - 1) / 2 for n in self.fixed.GetSize()]
        as_given.SetCenter(self.fixed.TransformContinuousIndexToPhysicalPoint(middle))
        modes = sitk.CenteredTransformInitializerFilter
        found = {"as given": as_given, "geometry": _centered(self.fixed, self.moving, modes.GEOMETRY)}
        fixed, moving = _mass(self.fixed, self.fixed_mask), _mass(self.moving, self.moving_mask)
        if fixed is not None and moving is not None:
            found["moments"] = _centered(fixed, moving, modes.MOMENTS)
        return found

    def overlap_voxels(self, transform: sitk.Transform) -> int:
        moved = sitk.Resample(self.moving_mask, self.fixed_mask, transform, sitk.sitkNearestNeighbor, 0)
        common = sitk.And(moved, self.fixed_mask)  # held: its view does not hold it
        return int(np.count_nonzero(sitk.GetArrayViewFromImage(common)))

    def is_constant(self) -> bool:
        """Whether one of the images has a single value over its mask, so that it shares no information."""
        pairs = (self.fixed, self.fixed_mask), (self.moving, self.moving_mask)
        return any(np.ptp(sitk.GetArrayViewFromImage(a)[sitk.GetArrayViewFromImage(m) > 0]) == 0 for a, m in pairs)

    def method(self) -> sitk.ImageRegistrationMethod:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricFixedMask(self.fixed_mask)
        method.SetMetricMovingMask(self.moving_mask)
        method.SetInterpolator(sitk.sitkLinear)
        return method

    def mutual_information(self, transform: sitk.Transform) -> float:
        if self.overlap_voxels(transform) < MIN_OVERLAP_VOXELS:
            return float("nan")
        if self.is_constant():
            return 0.0
        method = self.method()
        method.SetInitialTransform(transform)
        method.MetricUseMovingImageGradientFilterOff()  # the value needs no gradients, whose images take seconds
        return -float(method.MetricEvaluate(self.fixed, self.moving))


def _optimise(images: _Pair, start: sitk.Transform, seed: int) -> tuple[sitk.Transform, int]:
    method = images.method()
    steps: list[None] = []
    share = min(1.0, SAMPLES_PER_LEVEL / max(1, images.fixed.GetNumberOfPixels()))
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentagePerLevel([min(1.0, share * s**3) for s in SHRINK], seed=seed + 1)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 150, 0.6, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(SHRINK)
    method.SetSmoothingSigmasPerLevel(SMOOTHING_MM)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    method.AddCommand(sitk.sitkIterationEvent, lambda: steps.append(None))
    composite = sitk.CompositeTransform(method.Execute(images.fixed, images.moving))
    return composite.GetNthTransform(0).Downcast(), len(steps)


def _better_of(images: _Pair, given: sitk.Transform, found: sitk.Transform, iterations: int) -> Registration:
    thinned = images.thinned()
    before, after = thinned.mutual_information(given), thinned.mutual_information(found)
    slid_away = images.overlap_voxels(found) < images.overlap_voxels(given) / 2
    # Written so that a nan (too little overlap) before never wins, and one after never does.
    if np.isnan(after) or slid_away or after < before:
        note = "registration found no better fit than the position in the files, which was kept"
        return Registration(sitk.Euler3DTransform(), np.eye(4), before, iterations, (note,))
    matrix = np.linalg.inv(rigid_matrix(found))
    return Registration(found, matrix, after, iterations)


def _centered(fixed: sitk.Image, moving: sitk.Image, mode: int) -> sitk.Euler3DTransform:
    return sitk.Euler3DTransform(sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), mode))


def _mass(image: sitk.Image, mask: sitk.Image) -> sitk.Image | None:
    """The image's brightness above its darkest valid voxels, 0 elsewhere: air in CT is negative and weighs nothing."""
    array, inside = sitk.GetArrayFromImage(image), sitk.GetArrayViewFromImage(mask) > 0
    floor = np.percentile(array[inside], 5) if inside.any() else 0.0
    mass = np.where(inside, np.maximum(array - floor, 0), 0).astype(np.float32)
    return _like(image, mass) if mass.any() else None


def _like(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    result = sitk.GetImageFromArray(array)
    result.CopyInformation(image)
    return result


def _thinning(voxels: int) -> int:
    return int(np.ceil(np.cbrt(voxels / MOST_MEASURED)))


def _finite_image(volume: Volume) -> sitk.Image:
    array = volume.array.astype(np.float32, copy=False)
    finite = array if np.isfinite(array).all() else np.nan_to_num(array, posinf=0.0, neginf=0.0)
    return Volume(finite, volume.grid).to_sitk()


def _mask_image(mask: np.ndarray, volume: Volume) -> sitk.Image:
    return Volume(mask.astype(np.uint8), volume.grid).to_sitk()
