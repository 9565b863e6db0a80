from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import OF_PET, quantify, uptake_totals
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.load import load_case


def a_case_with(suv, valid=None, spacing_mm=(10.0, 10.0, 10.0)):
    """A PET of 1 mL voxels unless told otherwise."""
    suv = np.asarray(suv, np.float32)
    grid = Grid(suv.shape[::-1], spacing_mm)
    valid = np.ones(suv.shape, bool) if valid is None else valid
    return Case("x", grid, "PET", {"PET": Volume(suv, grid, "PET")}, {"PET": valid})


def row(*values):
    return np.array(values)[None, None]


def test_uptake_is_that_worked_out_by_hand():
    case = a_case_with(row(10.0, 5.0, 4.2, 3.0, 99.0))
    numbers = quantify(row(1, 1, 1, 1, 0) > 0, case)
    assert numbers["volume_ml"] == pytest.approx(4)
    assert numbers["suv_max"] == 10
    assert numbers["suv_mean"] == pytest.approx(22.2 / 4)
    assert numbers["mtv_ml"] == pytest.approx(3)  # 10, 5, 4.2 reach 41 % of 10
    assert numbers["mtv_2_5_ml"] == pytest.approx(4)
    assert numbers["tlg_g"] == pytest.approx(19.2)


def test_only_voxels_in_view_have_uptake_but_all_have_volume():
    case = a_case_with(row(10.0, 5.0, 50.0), valid=row(1, 1, 0) > 0)
    numbers = quantify(row(1, 1, 1) > 0, case)
    assert numbers["volume_ml"] == pytest.approx(3)
    assert numbers["suv_max"] == 10
    assert numbers["suv_peak"] == pytest.approx(10)
    assert numbers["mtv_ml"] == pytest.approx(2)


def test_totals_are_the_same_numbers_without_the_peak():
    case = a_case_with(row(10.0, 5.0, 4.2, 3.0, 99.0), valid=row(1, 1, 1, 0, 1) > 0)
    lesion = row(1, 1, 1, 1, 0) > 0
    numbers, totals = quantify(lesion, case), uptake_totals(lesion, case)
    assert totals == {name: numbers[name] for name in OF_PET}
    assert uptake_totals(row(0, 0, 0, 1, 0) > 0, case) == dict.fromkeys(OF_PET, 0.0)


def test_the_peak_is_the_mean_over_one_milliliter_around_the_best_voxel():
    suv = np.zeros((15, 15, 15))
    suv[7, 7, 7] = 100.0
    labels = suv > 0
    case = a_case_with(suv, spacing_mm=(2.0, 2.0, 2.0))
    offsets = np.indices(suv.shape) * 2.0 - 14.0
    voxels = np.count_nonzero((offsets**2).sum(axis=0) <= 6.2035**2)
    assert voxels * 0.008 == pytest.approx(1, abs=0.05)
    assert quantify(labels, case)["suv_peak"] == pytest.approx(100 / voxels)


def test_the_peak_divides_by_what_is_in_view():
    suv = np.full((15, 15, 15), 4.0)
    suv[:, :, 8:] = 1000.0
    valid = np.ones(suv.shape, bool)
    valid[:, :, 8:] = False
    case = a_case_with(suv, valid, (2.0, 2.0, 2.0))
    at_the_border = np.zeros_like(valid)
    at_the_border[7, 7, 7] = True
    assert quantify(at_the_border, case)["suv_peak"] == pytest.approx(4)


@pytest.mark.parametrize("seen", [True, False])
def test_an_empty_lesion_and_one_out_of_view_have_no_uptake(seen):
    case = a_case_with(row(3.0, 4.0), valid=row(seen, seen))
    numbers = quantify(row(not seen, False), case)
    assert numbers.pop("volume_ml") == (0 if seen else 1)
    nothing = {"suv_max": None, "suv_mean": None, "suv_peak": None, "mtv_ml": 0, "mtv_2_5_ml": 0, "tlg_g": 0}
    assert numbers == nothing


def test_without_pet_there_is_only_a_volume(a_case):
    labels = np.zeros((12, 36, 32), bool)
    labels[4:8, 7:13, 7:13] = True
    assert quantify(labels, a_case().only(("CT",))) == {"volume_ml": pytest.approx(144 * 25 / 1000)}


def test_refuses_labels_of_another_shape(a_case):
    with pytest.raises(InputError, match="resample"):
        quantify(np.zeros((2, 2, 2), bool), a_case())


@pytest.fixture(scope="module")
def a_real_case(a_real_folder):
    return load_case(a_real_folder)


def test_the_real_lesion_is_ordered_as_it_must_be(a_real_case):
    labels = a_real_case.reference_mask.array > 0
    numbers = quantify(labels, a_real_case)
    assert numbers["volume_ml"] == pytest.approx(labels.sum() * 1.953124 * 1.953124 * 3.27 / 1000, rel=1e-4)
    assert numbers["suv_mean"] < numbers["suv_peak"] <= numbers["suv_max"]
    assert 0 < numbers["mtv_ml"] <= numbers["volume_ml"]
    mean_metabolic = numbers["tlg_g"] / numbers["mtv_ml"]
    assert 0.41 * numbers["suv_max"] <= mean_metabolic <= numbers["suv_max"]


def test_the_real_lesion_outside_half_of_the_view_loses_only_uptake(a_real_case):
    labels = a_real_case.reference_mask.array > 0
    valid = a_real_case.valid["PET"].copy()
    valid[: valid.shape[0] // 2] = False
    half = replace(a_real_case, valid={**a_real_case.valid, "PET": valid})
    numbers, whole = quantify(labels, half), quantify(labels, a_real_case)
    assert numbers["volume_ml"] == whole["volume_ml"]
    assert numbers["mtv_2_5_ml"] < whole["mtv_2_5_ml"]
