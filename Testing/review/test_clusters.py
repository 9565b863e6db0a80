"""Clusters: what lies far apart is looked at apart, and nothing in the worklist tells."""

import tracemalloc

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review import worklist
from DiffuFuseMedLib.review.clusters import MARGIN_MM, clusters

GRID = Grid((120, 90, 60), (1.0, 1.0, 3.0))


def marked_at(*centers):
    marked = np.zeros(GRID.shape, bool)
    for k, j, i in centers:
        marked[k - 1 : k + 2, j - 3 : j + 4, i - 3 : i + 4] = True
    return marked


def test_each_voxel_is_of_one_cluster_with_a_margin_around_it():
    marked = marked_at((10, 20, 20), (10, 20, 100), (50, 70, 60))
    found = clusters(marked, GRID)
    assert len(found) == 3
    owned = np.zeros(GRID.shape, int)
    for cluster in found:
        owned[cluster.box] += cluster.own
        inside = np.argwhere(marked[cluster.box] & cluster.own)
        room = np.minimum(inside.min(axis=0), np.array(cluster.own.shape) - 1 - inside.max(axis=0)) * (3, 1, 1)
        assert (room >= MARGIN_MM).all()
    assert owned.max() == 1 and (owned[marked] == 1).all()


def test_what_lies_near_is_one_cluster_and_nothing_is_none():
    assert len(clusters(marked_at((10, 20, 20), (14, 20, 40)), GRID)) == 1
    assert clusters(np.zeros(GRID.shape, bool), GRID) == []


def test_a_cluster_at_the_edge_ends_with_the_image():
    [cluster] = clusters(marked_at((1, 3, 116)), GRID)
    assert cluster.own.shape == tuple(part.stop - part.start for part in cluster.box)
    assert cluster.box[0].start == 0 and cluster.box[2].stop == GRID.shape[2]


def blobs(*centers, p=0.6):
    probability = np.zeros(GRID.shape)
    for n, center in enumerate(centers):
        probability[marked_at(center)] = p - 0.05 * n
    return probability


def test_regions_are_those_of_each_alone_the_worst_first(predicted):
    near, far = (10, 20, 20), (50, 70, 100)
    both = worklist(predicted(blobs(near, far), GRID))
    alone = [worklist(predicted(np.where(marked_at(c), blobs(near, far), 0), GRID)) for c in (near, far)]
    expected = sorted((r.expected_error_mm3 for a in alone for r in a.regions), reverse=True)
    assert [r.expected_error_mm3 for r in both.regions] == pytest.approx(expected)
    assert [r.id for r in both.regions] == [1, 2]
    for region in both.regions:
        at = both.labels == region.id
        assert np.count_nonzero(at) * GRID.voxel_mm3 == pytest.approx(region.volume_mm3)
        assert at[tuple(np.round(GRID.to_index(region.center_lps)).astype(int)[::-1])]
    assert all(r.place.startswith("whole separate part") for r in both.regions)
    few = worklist(predicted(blobs(near, far), GRID), most=1)
    assert few.left_over_mm3 == pytest.approx(expected[1])


def test_a_doubt_far_from_the_lesion_says_so(predicted):
    probability = blobs((10, 20, 20))
    probability[marked_at((50, 70, 100))] = 0.4
    places = [r.place for r in worklist(predicted(probability, GRID)).regions]
    assert any(place.startswith("far from the lesion") for place in places)
    assert not any(place.startswith("no lesion called") for place in places)


def test_memory_goes_with_the_doubt_not_with_the_image(predicted):
    small = predicted(blobs((10, 20, 20), (50, 70, 100)), GRID)
    probability = np.zeros((120, 240, 320))
    probability[:60, :90, :120] = small.probability
    probability[-60:, -90:, -120:] = small.probability
    large = predicted(probability, Grid((320, 240, 120), GRID.spacing_mm))
    tracemalloc.start()
    worklist(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * large.probability.size  # bytes a voxel; distance maps of all of it take 50 and more
