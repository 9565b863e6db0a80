"""Heads in three dimensions: in HU (drawn, and Harvard pictures given HU) and as stacks of 8-bit pictures."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.align import align
from DiffuFuseMedLib.preprocessing.rois import MODEL, SCORING, automatic_rois

VOLUMES = Path(__file__).resolve().parents[4] / "shared" / "data" / "harvard_vol"


SPACING_KJI_MM = (4.0, 1.5, 1.5)


def case_of(arrays, spacing=SPACING_KJI_MM[::-1]):
    shape = next(iter(arrays.values())).shape
    grid = Grid(shape[::-1], spacing)
    volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
    return Case("drawn", grid, next(iter(arrays)), volumes, {m: np.ones(shape, bool) for m in arrays})


def ball(shape, center_mm, radius_mm):
    index = np.indices(shape)
    return sum(((x * s) - c) ** 2 for x, c, s in zip(index, center_mm, SPACING_KJI_MM, strict=True)) <= radius_mm**2


@pytest.fixture
def a_skull():
    """(HU [46, 134, 128], brain): scalp, skull with a foramen below, brain with blood and a calcification, an eye."""
    shape, center = (46, 134, 128), (92, 100, 95)
    brain = ball(shape, center, 70)
    hu = np.full(shape, -1000.0, np.float32)
    hu[ball(shape, center, 86)] = -80
    hu[ball(shape, center, 78)] = 1000
    hu[brain] = 35
    k, j, i = np.indices(shape)
    foramen = np.hypot(1.5 * j - 100, 1.5 * i - 95) < 14
    hu[foramen & (hu > 500) & (k < 12)] = 35
    hu[ball(shape, (92, 120, 80), 9)] = 70  # blood
    hu[ball(shape, (92, 100, 95), 3)] = 600  # pineal gland
    for radius, value in ((19, 700), (15, -80), (12, 20)):  # an eye in a closed orbit
        hu[ball(shape, (92, 20, 95), radius)] = value
    hu += np.random.default_rng(0).normal(0, 5, shape).astype(np.float32)
    return hu, brain & ~ball(shape, (92, 20, 95), 19)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("thresholds", [MODEL, SCORING], ids=lambda t: t.name)
def test_the_brain_of_a_head_in_hu_is_soft_and_its_skull_bone(a_skull, thresholds):
    hu, brain = a_skull
    rois = automatic_rois(case_of({"CT": hu}), thresholds=thresholds)
    skull = ball(hu.shape, (92, 100, 95), 78) & (hu > 500) & ~brain
    assert rois.region == "head"
    assert dice(rois.soft, brain) > 0.94
    assert dice(rois.bone, skull) > 0.9
    assert rois.soft[23, 80, 53] and rois.soft[23, 67, 63]  # blood and calcification
    assert not rois.soft[23, 13, 63] and rois.inside[23, 13, 63]  # eye


def test_a_long_neck_makes_the_region_a_body(a_skull):
    hu, _ = a_skull
    neck = np.full((52, *hu.shape[1:]), -1000.0, np.float32)
    neck[:, 3:131, 2:126] = 50
    rois = automatic_rois(case_of({"CT": np.concatenate([neck, hu[12:]])}))
    assert rois.region == "body" and rois.soft[30, 70, 70]


@pytest.fixture(scope="module")
def a_harvard_volume():
    if not VOLUMES.is_dir():
        pytest.skip("the Harvard volumes are not on this machine: they may not be shipped")

    def read(name, modality):
        image = sitk.Cast(sitk.ReadImage(str(VOLUMES / f"TRI_21_{name}.nii.gz")), sitk.sitkFloat32)
        return Volume.from_sitk(image, modality)

    return align({"CT": read("CT", "CT"), "MR_T2": read("MR_T2", "MR_T2")}, register="never")


def test_a_stack_of_8_bit_pictures_goes_slice_by_slice(a_harvard_volume):
    rois = automatic_rois(a_harvard_volume)
    assert rois.region == "head" and "slice by slice" in rois.source["soft"]
    assert (rois.soft.sum(axis=(1, 2)) > 3000).all()
    spacing_ml = a_harvard_volume.grid.voxel_mm3 / 1000
    assert 500 < rois.soft.sum() * spacing_ml < 1300


def test_the_same_head_in_hu_has_nearly_the_same_brain(a_harvard_volume):
    gray = a_harvard_volume.volumes["CT"].array / 255
    hu = np.where(gray < 0.02, -1000, np.where(gray > 0.98, 700, 85 * gray - 5))
    spacing = a_harvard_volume.grid.spacing_mm
    rois = automatic_rois(case_of({"CT": hu}, spacing))
    assert rois.region == "head" and "HU" in rois.source["soft"]
    assert dice(rois.soft, automatic_rois(a_harvard_volume).soft) > 0.95
