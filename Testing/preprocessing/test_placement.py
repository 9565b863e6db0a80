"""Images of a case moved after it was opened, always from the voxels it was opened with."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Alignment, Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.pose import Pose
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.placement import Placement, placed, registration_pose
from DiffuFuseMedLib.preprocessing.quality import quality_report

GRID = Grid((24, 24, 24), (2.0, 2.0, 2.0))
STILL = (0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def a_case():
    """A CT and a PET of one blob."""
    k, j, i = np.indices(GRID.shape) - 12.0
    blob = np.exp(-(k**2 + 2 * j**2 + 0.5 * i**2) / 60).astype(np.float32)
    volumes = {"CT": Volume(1000 * blob - 1000, GRID, "CT"), "PET": Volume(5 * blob, GRID, "PET")}
    lies = Alignment(False, np.eye(4), 1.0, 1.0)
    return Case("case", GRID, "CT", volumes, {key: np.ones(GRID.shape, bool) for key in volumes}, {"PET": lies})


def by_hand(*numbers):
    return Placement({}, {"PET": numbers})


def test_an_image_is_moved_to_the_left_by_whole_voxels_exactly(a_case):
    result = placed(a_case, by_hand(4, 0, 0, 0, 0, 0))
    before = a_case.volumes["PET"].array
    np.testing.assert_allclose(result.volumes["PET"].array[..., 2:], before[..., :-2], atol=1e-5)
    assert not result.valid["PET"][..., :2].any() and result.valid["PET"][..., 2:].all()


def test_a_placement_that_is_still_gives_the_case_itself(a_case):
    assert placed(a_case, by_hand(*STILL)) is a_case and placed(a_case, Placement({}, {})) is a_case


def test_the_hand_comes_on_top_of_the_registration(a_case):
    both = Placement({"PET": (4, 0, 0, 0, 0, 90)}, {"PET": (0, 6, 0, 0, 0, 0)})
    expected = Pose(0, 6, 0).matrix(GRID) @ Pose(4, 0, 0, 0, 0, 90).matrix(GRID)
    np.testing.assert_allclose(placed(a_case, both).alignment["PET"].moving_to_reference, expected, atol=1e-9)


def test_the_report_says_who_moved_what_and_how_far(a_case):
    both = Placement({"PET": (4, 0, 0, 0, 0, 0)}, {"PET": (0, -2, 0, 0, 0, 0)})
    report = "\n".join(quality_report(placed(a_case, both)))
    assert "PET lies elsewhere than its header places it (moved 4.5 mm, turned 0.0 degrees)" in report
    assert "PET: registered to CT by the reader's wish, which moved it: 4.0 mm to the left." in report
    assert "PET: moved by the reader by hand: 2.0 mm to the front." in report
    assert "by hand" not in "\n".join(quality_report(a_case))


def test_an_image_cannot_leave_the_case(a_case):
    with pytest.raises(InputError, match="PET moved out of the case"):
        placed(a_case, by_hand(400, 0, 0, 0, 0, 0))


def test_a_registration_brings_a_moved_image_back(a_case):
    away = placed(a_case, by_hand(6, 0, 0, 0, 0, 0))
    pose, found = registration_pose(away, "PET")
    np.testing.assert_allclose(pose.numbers[:3], (-6, 0, 0), atol=0.7)
    assert found.mutual_information > a_case.alignment["PET"].mutual_information * 0.3


def test_the_reference_and_strangers_are_not_moved(a_case):
    for key in ("CT", "MR_T1"):
        with pytest.raises(InputError, match="one of PET"):
            registration_pose(a_case, key)
