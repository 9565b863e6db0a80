"""The sliders mean what they say: the weights that ship, on slices of the real patient that ships."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.metrics.fusion import border_contrast, roi_psnr, roi_ssim
from DiffuFuseMedLib.models import registry
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import automatic_rois
from DiffuFuseMedLib.systems.clin_fusediff import FEATHER_PX
from DiffuFuseMedLib.tasks.fuse import PLANES, Fuser, FusionSettings
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_cdt

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
NAMES = ("clin-fusediff-student", "clin-fusediff-teacher")
MISSING = [name for name in NAMES if not (registry.models_folder() / name / registry.RECORD).is_file()]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the models folder has no {' and no '.join(MISSING)}")

POSITIONS = tuple(n / 6 for n in range(7))
SLICES = (("axial", 24), ("axial", 30), ("axial", 36), ("coronal", 62), ("sagittal", 90))
ROI_OF = {"alpha": "soft", "beta": "bone", "gamma": "lesion"}
BY_SLIDER = pytest.mark.parametrize("slider", ROI_OF)
BY_SLICE = pytest.mark.parametrize(("plane", "index"), SLICES)
SETTINGS = FusionSettings(samples=1)
TOLERANCE, TOLERANCE_DB, BORDER_TOLERANCE, CONTRAST_TOLERANCE = 1e-3, 1e-2, 2e-3, 5e-3
VISIBLE, VISIBLE_BORDER = 0.01, 0.004  # gamma changes nothing on the border itself
LARGEST_STEP = 2.5  # of the mean step


@dataclass(frozen=True)
class Curve:
    """pictures: (7, H, W) as one slider goes from 0 to 1; ct, mri (H, W) in 0..1, the ROIs of the slice and where its
    MRI is valid."""

    pictures: np.ndarray
    ct: np.ndarray
    mri: np.ndarray
    soft: np.ndarray
    bone: np.ndarray
    lesion: np.ndarray
    valid: np.ndarray

    def along(self, measure):
        """The measure of each picture, which it is given with gray values 0..255."""
        return np.array([measure(255.0 * p) for p in self.pictures])


@pytest.fixture(scope="module")
def fuser():
    return Fuser.shipped()


@pytest.fixture(scope="module")
def opened(fuser):
    """STS_010 with its drawn lesion as the user's segment."""
    case = load_case(STS_010)
    return fuser.open(case, automatic_rois(case, case.reference_mask.array > 0), SETTINGS)


@pytest.fixture(scope="module")
def curve(fuser, opened):
    """A function of slider, plane and index: what the slice does under that slider alone."""

    def make(slider, plane, index):
        pictures = [fuser.slice(opened, plane, index, replace(SETTINGS, **{slider: at})).image for at in POSITIONS]
        axis = PLANES[plane]
        sources = (np.take(x, index, axis=axis) for x in (opened.ct, opened.mri))
        return Curve(np.stack(pictures), *sources, *(np.take(mask, index, axis=axis) for mask in opened.masks))

    return make


def falls(values, tolerance):
    """Whether any step of the curve goes down by more than the tolerance."""
    return bool((np.diff(values) < -tolerance).any())


@BY_SLICE
def test_alpha_never_lowers_the_likeness_of_soft_tissue_to_the_mri(curve, plane, index):
    seen = curve("alpha", plane, index)
    values = seen.along(lambda f: roi_ssim(f, 255.0 * seen.mri, seen.soft & seen.valid))
    assert not falls(values, TOLERANCE), values
    assert values[-1] > values[0] + 0.01


@BY_SLICE
def test_beta_never_lowers_the_likeness_of_bone_to_the_ct(curve, plane, index):
    seen = curve("beta", plane, index)
    values = seen.along(lambda f: roi_ssim(f, 255.0 * seen.ct, seen.bone))
    assert not falls(values, TOLERANCE), values
    values = seen.along(lambda f: roi_psnr(f, 255.0 * seen.ct, seen.bone))
    assert not falls(values, TOLERANCE_DB), values
    assert values[-1] > values[0] + 0.5


def score_dice(fuser, pictures, lesion):
    """Soft Dice of the lesion and what the head that never guided sees in each picture."""
    with torch.no_grad():
        seen = fuser.teacher.network.lesion(torch.from_numpy(pictures)[:, None], "score")[:, 0].numpy()
    return 2 * (seen * lesion).sum((1, 2)) / (seen.sum((1, 2)) + lesion.sum())


def test_gamma_never_lowers_the_agreement_on_the_lesion(fuser, curve):
    """Soft Dice through the head that only scores, the mean over the slices with lesion."""
    curves = [seen for plane, index in SLICES if (seen := curve("gamma", plane, index)).lesion.any()]
    values = np.mean([score_dice(fuser, seen.pictures, seen.lesion) for seen in curves], axis=0)
    assert len(curves) >= 3
    assert not falls(values, BORDER_TOLERANCE), values
    assert values[-1] > values[0]


def test_gamma_hardly_lowers_and_in_the_end_raises_the_contrast_of_the_border(curve):
    """Hardly: where the two sides' means over a slice differ the other way than along most of the border, they meet
    before they part."""
    curves = [seen for plane, index in SLICES if (seen := curve("gamma", plane, index)).lesion.any()]
    values = np.mean([seen.along(lambda f, s=seen: border_contrast(f, s.lesion)) for seen in curves], axis=0)
    assert not falls(values, CONTRAST_TOLERANCE), values
    assert values[-1] > values[0] + 0.1


@BY_SLIDER
@BY_SLICE
def test_a_slider_moves_the_picture_visibly_and_without_jumps(curve, slider, plane, index):
    seen = curve(slider, plane, index)
    where = getattr(seen, ROI_OF[slider])
    if slider == "gamma":  # it only acts along the border
        where = binary_dilation(where, iterations=3) & ~binary_erosion(where, iterations=3)
    if not where.any():
        pytest.skip(f"no {ROI_OF[slider]} in this slice")
    assert np.abs(seen.pictures[-1] - seen.pictures[0])[where].mean() > (
        VISIBLE_BORDER if slider == "gamma" else VISIBLE
    )
    steps = np.abs(np.diff(seen.pictures, axis=0))[:, where].mean(axis=1)
    assert steps.max() <= LARGEST_STEP * steps.mean(), steps


@BY_SLIDER
@BY_SLICE
def test_a_pixel_goes_one_way_only(curve, slider, plane, index):
    steps = np.diff(curve(slider, plane, index).pictures, axis=0)
    assert ((steps >= -1e-6).all(0) | (steps <= 1e-6).all(0)).all()


@BY_SLIDER
@BY_SLICE
def test_no_pixel_beyond_the_feather_of_the_roi_changes_at_all(curve, slider, plane, index):
    seen = curve(slider, plane, index)
    mask = getattr(seen, ROI_OF[slider])
    far = distance_transform_cdt(~mask, "chessboard") > FEATHER_PX if mask.any() else np.ones(mask.shape, bool)
    assert far.any()
    assert (seen.pictures[:, far] == seen.pictures[0][far]).all()


@pytest.mark.parametrize("steps", [1, 2])
def test_two_runs_are_identical(fuser, opened, steps):
    settings = replace(SETTINGS, steps=steps, samples=2)
    pictures = []
    for _ in range(2):
        opened.components.clear()
        pictures.append(fuser.slice(opened, "axial", 30, settings))
    assert np.array_equal(pictures[0].image, pictures[1].image)
    assert np.array_equal(pictures[0].uncertainty, pictures[1].uncertainty)
