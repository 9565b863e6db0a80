"""Errors in SUVmean, MTV and TLG, worked out by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import OF_PET
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.tasks.segment.uptake_intervals import measured, uptake_errors, uptake_intervals

SUV = np.array([8.0, 4.0, 2.0, 1.0], np.float32)[None, None]
OWN = {"mean": 0.0, "sd": 0.2, "patients": 4, "level_spreads": [0.0, 0.1, 0.6, 0.9], "ratios": [0.2, 0.1, -0.4, -0.1]}


def mask(*values):
    return np.array(values, bool)[None, None]


@pytest.fixture
def case():
    """Four voxels of 1 mL, the last outside of the PET's view."""
    grid = Grid(SUV.shape[::-1], (10.0, 10.0, 10.0))
    volumes = {m: Volume(SUV, grid, m) for m in ("CT", "PET")}
    return Case("x", grid, "CT", volumes, {"CT": np.ones(SUV.shape, bool), "PET": mask(1, 1, 1, 0)})


def test_of_a_patient_is_known_what_was_predicted_drawn_and_how_far_it_reaches_between_two_levels(case):
    outlines = [Voxels.of(mask(1, 1, 0, 0)), Voxels.of(mask(1, 0, 0, 0))]
    found = measured(case, mask(1, 1, 0, 0), mask(1, 1, 1, 0), outlines)
    # SUVmean 6 for 14 / 3; both voxels reach 41 % of 8; outlines of SUVmean 6 and 8, 2 and 1 mL
    assert found["suv_mean"][:2] == pytest.approx((6.0, 14 / 3))
    assert found["suv_mean"][2] == pytest.approx(np.log(8 / 6) / 2)
    assert found["mtv_ml"] == pytest.approx((2.0, 2.0, np.log(2) / 2))
    assert found["tlg_g"] == pytest.approx((12.0, 12.0, np.log(12 / 8) / 2))


def test_an_outline_without_a_voxel_counts_as_a_tenth(case):
    outlines = [Voxels.of(mask(1, 1, 0, 0)), Voxels.of(mask(0, 0, 0, 0))]
    found = measured(case, mask(1, 1, 0, 0), mask(1, 1, 0, 0), outlines)
    assert found["mtv_ml"][2] == pytest.approx(np.log(10) / 2)


def test_without_pet_or_outside_of_its_view_nothing_is_known(case):
    assert measured(case.only(("CT",)), mask(1, 1, 0, 0), mask(1, 1, 0, 0), []) == {}
    assert measured(case, mask(1, 1, 0, 0), mask(0, 0, 0, 1), []) == {}


def test_errors_are_of_all_patients_or_of_none():
    one, other = (dict.fromkeys(OF_PET, (p, d, s)) for p, d, s in ((1.0, 2.0, 0.1), (4.0, 2.0, 0.3)))
    errors = uptake_errors([one, other])
    assert set(errors) == set(OF_PET)
    assert errors["tlg_g"]["ratios"] == pytest.approx([np.log(2), -np.log(2)], abs=1e-5)
    assert errors["tlg_g"]["level_spreads"] == [0.1, 0.3]
    assert uptake_errors([one, {}]) == {}


def test_intervals_are_of_the_lesion_and_wider_where_levels_lie_apart(case):
    errors = dict.fromkeys(OF_PET, OWN)
    alike, apart = (
        uptake_intervals(case, mask(1, 1, 0, 0), [Voxels.of(m) for m in outlines], errors, 0.95)
        for outlines in ([mask(1, 1, 0, 0)] * 2, [mask(1, 1, 1, 0), mask(1, 0, 0, 0)])
    )
    assert {name: interval.value for name, interval in alike.items()} == pytest.approx(
        {"suv_mean": 6.0, "mtv_ml": 2.0, "tlg_g": 12.0}
    )
    assert apart["suv_mean"].high > alike["suv_mean"].high > 6.0 > alike["suv_mean"].low > apart["suv_mean"].low
    assert uptake_intervals(case.only(("CT",)), mask(1, 1, 0, 0), [], errors, 0.95) == {}
    assert uptake_intervals(case, mask(1, 1, 0, 0), [], {}, 0.95) == {}


def test_a_lesion_outside_of_the_view_has_no_range_and_says_so(case):
    nothing = [Voxels.of(mask(0, 0, 0, 0))] * 2
    found = uptake_intervals(case, mask(0, 0, 0, 1), nothing, dict.fromkeys(OF_PET, OWN), 0.95)
    assert not any(interval.ends for interval in found.values())
    assert "No range of SUVmean is shown: nothing was found" in found["suv_mean"].withheld
