"""What is refused before anything is computed, and that real images pass."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.checks import check_image, check_spacing, check_volume, unknown_voxels
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume

CASE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 60, dtype=np.float32).reshape(3, 4, 5)


def volume(array: np.ndarray, modality: str | None, spacing_mm=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(array, Grid(array.shape[::-1], spacing_mm), modality, {"name": "scan"})


def refusal(array: np.ndarray, modality: str | None, **grid) -> str:
    with pytest.raises(InputError) as refused:
        check_volume(volume(array, modality, **grid))
    message = str(refused.value)
    assert message.startswith("Given scan")
    assert message.endswith(".")
    assert ". " not in message
    return message


@pytest.mark.parametrize(("bad", "count"), [(np.inf, 1), (-np.inf, 1)])
def test_refuses_values_that_are_not_finite_and_counts_them(bad, count):
    array = ramp(0, 1)
    array[1, 2, 3] = bad
    assert f"{count} voxels that are NaN or infinite" in refusal(array, "MR_T1")


def test_takes_voxels_without_a_value_as_long_as_others_have_one():
    array = ramp(0, 1)
    array[1] = np.nan
    check_volume(volume(array, "MR_T1"))
    assert unknown_voxels(array) == ["33.3 % of its voxels hold no value: there it is treated as not imaged."]
    assert unknown_voxels(ramp(0, 1)) == []
    assert "60 voxels that are NaN" in refusal(np.full((3, 4, 5), np.nan, np.float32), "MR_T1")
    array[2] = 0.5
    array[0] = 0.5
    assert "voxels are all 0.5" in refusal(array, "MR_T1")


@pytest.mark.parametrize("spacing", [1e-4, 500.0])
def test_refuses_a_spacing_that_no_scanner_of_patients_has(spacing):
    assert "0.01 to 100 mm" in refusal(ramp(0, 1), "MR_T1", spacing_mm=(1.0, spacing, 1.0))


def test_refuses_a_mask_that_is_not_finite_but_takes_an_empty_one():
    check_volume(volume(np.zeros((3, 4, 5), np.uint8), None))
    assert "NaN" in refusal(np.full((3, 4, 5), np.nan, np.float32), None)


def test_refuses_an_image_of_one_value():
    assert "voxels are all 7" in refusal(np.full((3, 4, 5), 7, np.float32), "MR_T2")


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_a_spacing_that_is_no_length(bad):
    assert "voxel spacing of 1 x " in refusal(ramp(0, 1), "MR_T1", spacing_mm=(1.0, bad, 1.0))
    check_spacing((0.1, 2.0, 3.0), "scan")


def test_refuses_a_single_slice():
    assert "at least 2 slices" in refusal(ramp(0, 1).reshape(1, 6, 10), "MR_T1")


def test_refuses_an_empty_volume():
    assert "empty" in refusal(np.zeros((0, 4, 5), np.float32), "MR_T1")


def test_refuses_an_unknown_modality():
    assert "'XRAY'" in refusal(ramp(0, 1), "XRAY")


@pytest.mark.parametrize(("low", "high"), [(0, 255), (0, 1), (0, 4095), (-5, 10)])
def test_refuses_a_ct_whose_values_cannot_be_hounsfield_units(low, high):
    assert "Hounsfield" in refusal(ramp(low, high), "CT")


@pytest.mark.parametrize(("low", "high"), [(-1000, 1500), (-150, 80), (-3024, 3071)])
def test_takes_a_ct_of_a_body(low, high):
    check_volume(volume(ramp(low, high), "CT"))


@pytest.mark.parametrize(("low", "high"), [(-1.5, 10), (0, 32767.5), (0, 1000.5)])
def test_refuses_a_pet_whose_values_cannot_be_suv(low, high):
    assert "SUVbw" in refusal(ramp(low, high), "PET")


def test_refuses_a_pet_of_gray_levels():
    assert "whole-number" in refusal(np.rint(ramp(0, 255)), "PET")


@pytest.mark.parametrize(("low", "high"), [(0, 11.8), (-0.4, 250.3)])
def test_takes_a_pet_in_suv(low, high):
    check_volume(volume(ramp(low, high), "PET"))


def test_refuses_four_axes():
    with pytest.raises(InputError, match=r"4 axes \(2 x 3 x 4 x 5\)"):
        check_image(sitk.Image([2, 3, 4, 5], sitk.sitkFloat32), "scan")


def test_refuses_color():
    image = sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True)
    with pytest.raises(InputError, match="3 values per voxel"):
        check_image(image, "scan")


@pytest.mark.parametrize("modality", ["CT", "PET", "MR_T1"])
def test_takes_the_real_case(modality):
    image = sitk.ReadImage(str(CASE / f"{modality}.nii.gz"))
    check_image(image, modality)
    check_volume(Volume.from_sitk(sitk.Cast(image, sitk.sitkFloat32), modality))


def test_refuses_the_real_pet_called_ct():
    image = sitk.ReadImage(str(CASE / "PET.nii.gz"))
    with pytest.raises(InputError, match="Hounsfield"):
        check_volume(Volume.from_sitk(image, "CT"))
