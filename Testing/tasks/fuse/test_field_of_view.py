"""The MR's share of the picture: nothing at the edge of its field of view, everything well inside, no step between."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.tasks.fuse import PLANES, FusionSettings
from DiffuFuseMedLib.tasks.fuse.field_of_view import BLEND_MM, mr_share

SHAPE, SPACING = (20, 60, 50), (3.0, 1.0, 1.0)


@pytest.fixture
def valid():
    found = np.zeros(SHAPE, bool)
    found[:, :, 12:] = True
    return found


@pytest.mark.parametrize("plane", PLANES)
def test_the_share_of_a_slice_is_that_of_the_volume_and_none_beyond_the_edge(valid, plane):
    share, axis = mr_share(valid, SPACING), PLANES[plane]
    indices = list(range(SHAPE[axis]))
    found = np.moveaxis(share.slices(plane, indices)[:, 0].numpy(), 0, axis)
    assert found.shape == SHAPE
    assert not found[~valid].any()
    assert found[:, :, 12].max() < 0.05  # the last column that the MR has
    assert (found[:, :, 12 + int(BLEND_MM) + 4 :] > 0.9999).all()
    assert np.abs(np.diff(found, axis=2)).max() < 0.3  # of 4 mm, a millimeter at a time


def test_an_mr_that_covers_everything_has_no_edge():
    assert mr_share(np.ones(SHAPE, bool), SPACING) is None


def test_an_edge_of_the_image_is_no_edge_of_the_field_of_view(valid):
    found = mr_share(valid, SPACING).slices("axial", [0, 19])[:, 0].numpy()
    assert (found[:, :, 30:] > 0.9999).all()


def test_beyond_its_field_of_view_the_picture_is_the_ct_and_the_edge_is_no_step(a_fuser, a_case, rois_of):
    shape, settings = (12, 36, 32), FusionSettings(samples=1, gamma=0.0)
    case = a_case(shape)
    seen = np.ones(shape, bool)
    seen[:, :, 20:] = False
    case = replace(case, valid={**case.valid, "MR_T1": seen & case.valid["MR_T1"]})
    opened = a_fuser.open(case, rois_of(shape), settings)
    for image in (
        a_fuser.slice(opened, "axial", 5, settings).image,
        a_fuser.volume(opened, settings).image[5],
    ):
        np.testing.assert_allclose(image[:, 20:], opened.ct[5][:, 20:], atol=1e-6)
        assert np.abs(image - opened.ct[5])[:, 19].max() < 0.05
        assert np.abs(image - opened.ct[5])[:, :10].max() > 0.05
