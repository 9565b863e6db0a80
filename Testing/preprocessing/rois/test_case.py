"""The Rois that command line and engine share: their source, what stands in for them, and what was given."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.rois import anatomy_takes_long, automatic_rois, case, case_rois, quick, rough_rois


@pytest.fixture
def a_body():
    """A block of muscle with a block of bone, 8 x 30 x 30 at 3 mm."""
    hu = np.full((8, 30, 30), -1000, np.float32)
    hu[:, 4:26, 4:26], hu[:, 12:18, 12:18] = 50, 900
    grid = Grid(hu.shape[::-1], (3.0, 3.0, 3.0))
    return Case("drawn", grid, "CT", {"CT": Volume(hu, grid, "CT")}, {"CT": np.ones(hu.shape, bool)})


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(case, "why_not_totalsegmentator", lambda case=None: "")


def test_anatomy_is_totalsegmentators_where_it_can_be_used(a_body, monkeypatch):
    asked = []
    monkeypatch.setattr(case, "totalsegmentator_rois", lambda given: asked.append(given) or automatic_rois(given))
    rois = case_rois(a_body)
    assert asked == [a_body]
    np.testing.assert_array_equal(rois.bone, automatic_rois(a_body).bone)


def test_the_lesion_and_then_the_masks_take_the_place_of_what_was_found(a_body):
    lesion, bone = np.zeros(a_body.grid.shape, bool), np.zeros(a_body.grid.shape, bool)
    lesion[2:4, 6:9, 6:9], bone[2:6, 5:8, 5:8] = True, True
    rois = case_rois(a_body, lesion, {"bone": bone})
    np.testing.assert_array_equal(rois.lesion, lesion)
    np.testing.assert_array_equal(rois.bone, bone)
    assert not (rois.soft & bone).any()
    assert (rois.source["lesion"], rois.source["bone"]) == ("the model's segmentation", "a mask file from the user")
    assert not case_rois(a_body, np.zeros_like(lesion)).lesion.any()
    with pytest.raises(InputError, match="an empty bone mask"):
        case_rois(a_body, None, {"bone": np.zeros_like(bone)})


def test_nobody_waits_for_a_large_case_or_for_totalsegmentator(a_body, installed, monkeypatch):
    assert anatomy_takes_long(a_body)
    monkeypatch.setattr(case, "why_not_totalsegmentator", lambda case=None: "it is not installed")
    assert not anatomy_takes_long(a_body)
    monkeypatch.setattr(quick, "LARGE_VOXELS", 1000)
    assert anatomy_takes_long(a_body)


def test_rough_rois_ask_no_network_and_take_every_voxel_of_a_small_case(a_body, installed, monkeypatch):
    monkeypatch.setattr(case, "totalsegmentator_rois", lambda *_: pytest.fail("a network was asked"))
    rough, exact = rough_rois(a_body), automatic_rois(a_body)
    np.testing.assert_array_equal(rough.bone, exact.bone)
    assert rough.source == exact.source
    monkeypatch.setattr(quick, "LARGE_VOXELS", 1000)
    monkeypatch.setattr(quick, "THINNED_VOXELS", 1000)
    assert "from one voxel in" in rough_rois(a_body).source["bone"]
