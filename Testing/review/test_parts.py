"""How a region is cut into parts: all of it, each part in one piece, the most doubtful first."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review import Places, Region, Worklist, parts_of, worklist
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
    """The same region of a lesion of 7 mL, and of one of 420 mL: seeds are 10 and 24 mm apart."""
    small = predicted(np.pad(strip.probability, ((0, 50), (0, 60), (0, 0))))
    large = replace(small, labels=np.ones_like(small.labels))
    places = Places(worklist(small))
    counts = [parts_of(places, 1, told).count for told in (small, large)]
    assert counts[0] > counts[1]


def test_a_sliver_is_no_part(predicted):
    """Beside a block of 1,000 mm3, four voxels of the same region that touch nothing."""
    labels = np.zeros((20, 20, 30), np.uint16)
    labels[5:15, 5:15, 5:15] = labels[5, 5, 20:24] = 1
    told = predicted(np.where(labels > 0, 0.4, 0.0))
    region = Region(1, (0.0, 0.0, 0.0), 1004.0, 400.0, 0.6, "")
    parts = parts_of(Places(Worklist((region,), labels, told.grid, 400.0, 0.0)), 1, told)
    assert parts.count >= 1
    assert np.count_nonzero(parts.labels) == 1000
    assert LEAST_MM == 10


def test_the_views_go_to_the_middle_of_a_part_at_the_images_edge(predicted):
    """A block of 10 mm in the image's corner: how deep a voxel lies is counted from the image's edge too."""
    labels = np.zeros((20, 20, 20), np.uint16)
    labels[:10, :10, :10] = 1
    told = predicted(np.where(labels > 0, 0.4, 0.0))
    region = Region(1, (0.0, 0.0, 0.0), 1000.0, 400.0, 0.6, "")
    parts = parts_of(Places(Worklist((region,), labels, told.grid, 400.0, 0.0)), 1, told)
    assert (told.grid.to_index(np.array(parts.centers_lps)) > 1.5).all()
