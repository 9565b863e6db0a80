import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.metrics import overlap_scores
from DiffuFuseMedLib.tasks.segment.trivial import (
    ELLIPSOID_FRACTION,
    best_ellipsoid_fraction,
    centre_ellipsoid,
    trivial_rows,
)

STS = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "sts"


@pytest.fixture(scope="module")
def the_scored_crops():
    if not (STS / "split.json").exists():
        pytest.skip("the 36 patients of the development data are not on this machine")
    crops = json.loads((STS / "split.json").read_text())["crops"]
    cases = []
    for name, crop in crops.items():
        mask = Volume.from_sitk(sitk.ReadImage(str(STS / name / "GTV.nii.gz")))
        case = Case(name, mask.grid, "CT", {}, {}, reference_mask=mask)
        cases.append(case.cropped(tuple(crop["start_kji"]), tuple(crop["stop_kji"])))
    return cases


def test_the_ellipsoid_of_half_the_edges_fills_pi_sixths_of_the_box():
    mask = centre_ellipsoid((40, 60, 80), 0.5)
    assert mask.mean() == pytest.approx(np.pi / 6, abs=2e-3)
    assert mask[20, 30, 0]
    assert not mask[0, 0, 0]


def test_finds_the_ellipsoid_the_reference_is():
    shape = (30, 50, 50)
    reference = Volume(centre_ellipsoid(shape, 0.37).astype(np.uint8), Grid(shape[::-1]))
    fraction, dice = best_ellipsoid_fraction([Case("x", reference.grid, "CT", {}, {}, reference_mask=reference)])
    assert fraction == 0.37
    assert dice == 1


def test_refuses_to_fit_without_a_reference(a_tiny_case):
    with pytest.raises(InputError, match="reference mask"):
        best_ellipsoid_fraction([replace(a_tiny_case, reference_mask=None)])


def test_the_constant_is_the_best_fraction_over_the_scored_crops(the_scored_crops):
    fraction, dice = best_ellipsoid_fraction(the_scored_crops)
    assert len(the_scored_crops) == 36
    assert fraction == ELLIPSOID_FRACTION
    assert dice == pytest.approx(0.578, abs=5e-4)


def test_the_fitted_dice_is_the_one_the_row_scores(the_scored_crops):
    case = the_scored_crops[0]
    mask, _ = trivial_rows(case)["centre ellipsoid"]
    reference = case.reference_mask.array > 0
    dice = overlap_scores(mask, reference, case.grid.spacing_kji_mm)["dice"]
    assert dice == pytest.approx(2 * (mask & reference).sum() / (mask.sum() + reference.sum()))
    assert dice > 0.2


def test_pet_rows_threshold_only_what_is_in_view(a_tiny_case):
    suv = np.zeros(a_tiny_case.grid.shape, np.float32)
    suv[2, 3, 4:8] = [10.0, 4.2, 4.0, 2.6]
    suv[5, 5, 5] = 100.0
    valid = np.ones(suv.shape, bool)
    valid[5, 5, 5] = False
    volume = a_tiny_case.volumes["PET"].with_array(suv)
    case = replace(a_tiny_case, volumes={"PET": volume}, valid={"PET": valid})
    rows = trivial_rows(case)
    assert np.argwhere(rows["PET 41 %"][0]).tolist() == [[2, 3, 4], [2, 3, 5]]
    assert np.argwhere(rows["PET > 2.5"][0]).tolist() == [[2, 3, 4], [2, 3, 5], [2, 3, 6], [2, 3, 7]]
    assert all(probability is None for _, probability in rows.values())


def test_a_pet_that_sees_nothing_marks_nothing(a_tiny_case):
    case = replace(a_tiny_case, valid={**a_tiny_case.valid, "PET": np.zeros(a_tiny_case.grid.shape, bool)})
    rows = trivial_rows(case)
    assert not rows["PET 41 %"][0].any()
    assert not rows["PET > 2.5"][0].any()


def test_without_pet_only_the_ellipsoid_remains(a_tiny_case):
    assert list(trivial_rows(a_tiny_case.only(("CT",)))) == ["centre ellipsoid"]


def test_pet_thresholds_find_part_of_the_real_lesion(a_real_case):
    reference = a_real_case.reference_mask.array > 0
    rows = trivial_rows(a_real_case)
    for name in ("PET 41 %", "PET > 2.5"):
        assert 0.3 < overlap_scores(rows[name][0], reference, a_real_case.grid.spacing_kji_mm)["dice"] < 0.95
