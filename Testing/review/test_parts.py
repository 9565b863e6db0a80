"""How a region is cut into parts: all of it, each part in one piece, the most doubtful first."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review import Places, parts_of, worklist
from DiffuFuseMedLib.review.parts import LEAST_MM, SMALLEST_MM3
from scipy import ndimage


@pytest.fixture
def strip(predicted):
    """Sure lesion of 6 x 20 x 60 mm and beside it 6 x 8 x 60 mm of doubt, more of it towards the end along i."""
    p = np.zeros((10, 40, 70))
    p[2:8, 5:25, 5:65] = 0.99
    p[2:8, 25:33, 5:65] = np.linspace(0.2, 0.45, 60)
    return predicted(p, Grid((70, 40, 10)))


def test_parts_hold_the_region_and_nothing_else_each_in_one_piece(strip):
    found = worklist(strip)
    for region in found.regions:
        parts = parts_of(Places(found), region.id, strip)
        whole = np.zeros(found.labels.shape, np.uint16)
        whole[parts.box] = parts.labels
        assert parts.count > 1
        assert (whole[found.labels != region.id] == 0).all()
        missing = np.count_nonzero((found.labels == region.id) & (whole == 0))
        assert missing < SMALLEST_MM3
        for part in range(1, parts.count + 1):
            assert ndimage.label(whole == part, np.ones((3, 3, 3)))[1] == 1
            at = np.round(strip.grid.to_index(np.array([parts.centers_lps[part - 1]]))[0]).astype(int)[::-1]
            assert whole[tuple(at)] == part


def test_the_part_with_the_most_expected_error_comes_first(strip):
    found = worklist(strip)
    parts = parts_of(Places(found), 1, strip)
    error = np.abs((strip.labels == 1) - strip.probability)[parts.box]
    sums = [float(error[parts.labels == part].sum()) for part in range(1, parts.count + 1)]
    assert sums == sorted(sums, reverse=True)


def test_a_region_smaller_than_a_part_has_one(two_blobs):
    found = worklist(two_blobs)
    small = next(region.id for region in found.regions if region.doubt == "missing")
    parts = parts_of(Places(found), small, two_blobs)
    assert parts.count == 1
    assert np.count_nonzero(parts.labels) == 6**3


def test_parts_are_as_large_as_the_lesion_asks_for(strip, predicted):
    """Twenty times as long along k, so that seeds lie farther apart."""
    large = predicted(np.repeat(np.repeat(strip.probability, 2, axis=1), 2, axis=2), Grid((140, 80, 10), (1, 1, 6)))
    sizes = []
    for told in (strip, large):
        found = worklist(told)
        parts = parts_of(Places(found), 1, told)
        sizes.append(np.count_nonzero(parts.labels) * told.grid.voxel_mm3 / parts.count)
    assert sizes[1] > 1.5 * sizes[0]
    assert LEAST_MM == 10
