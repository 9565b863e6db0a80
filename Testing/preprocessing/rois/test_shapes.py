"""What is done slab by slab in a large volume is what would be done at once."""

import numpy as np
import pytest
from DiffuFuseMedLib.preprocessing.rois import shapes

SPACING_MM = (3.3, 1.0, 0.9)


@pytest.fixture
def a_mask():
    mask = np.random.default_rng(4).random((40, 21, 18)) > 0.9
    mask[12:20] = False
    mask[28:36] = True
    return mask


@pytest.mark.parametrize("change", [shapes.dilated, shapes.eroded])
@pytest.mark.parametrize("radius_mm", [1.0, 12.5])
def test_slabs_change_no_voxel(a_mask, monkeypatch, change, radius_mm):
    at_once = change(a_mask, radius_mm, SPACING_MM)
    monkeypatch.setattr(shapes, "SLAB_VOXELS", 21 * 18)
    np.testing.assert_array_equal(change(a_mask, radius_mm, SPACING_MM), at_once)
    assert 0 < at_once.sum() < at_once.size


def test_pieces_are_counted_and_chosen_over_all_slices():
    mask = np.zeros((5, 4, 4), bool)
    mask[0:4, 0, 0] = True
    mask[4, 3, 2:4] = True
    labels, sizes = shapes.pieces(mask)
    assert sizes.tolist() == [0, 4, 2]
    np.testing.assert_array_equal(shapes.without_small(mask, 3), labels == 1)
    np.testing.assert_array_equal(shapes.touching(mask, np.indices(mask.shape)[0] == 4), labels == 2)
