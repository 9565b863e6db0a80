"""How far a lesion reaches between the levels of one tenth and nine tenths of its probability."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.tasks.segment.drawn import Drawn
from DiffuFuseMedLib.tasks.segment.levels import level_outlines, volume_spread

GRID = Grid((60, 8, 8), (10.0, 10.0, 10.0))  # voxels of 1 mL


def drawn(*lines, deciding=0):
    """Each line the probabilities of a sample along i, the same in all rows and slices; elsewhere none."""
    samples = np.zeros((len(lines), *GRID.shape), np.float32)
    for sample, line in zip(samples, lines, strict=True):
        sample[..., : len(line)] = line
    return Drawn(GRID, samples, {}, {}, deciding=deciding)


def test_outlines_are_of_the_mean_of_all_samples():
    """Means 1, 0.95, 0.5, 0.15 and 0.05 along i: four voxels exceed a tenth, two nine tenths."""
    found = drawn([1, 1, 1, 0.3, 0.1], [1, 0.9, 0, 0, 0])
    wide, narrow = level_outlines(found, GRID)
    assert (wide.count(), narrow.count()) == (4 * 64, 2 * 64)
    assert volume_spread(3 * 64.0, (wide, narrow), GRID) == pytest.approx(np.log(2) / 2)


def test_on_a_finer_grid_they_are_of_the_same_size():
    finer = Grid((120, 16, 16), (5.0, 5.0, 5.0), (-2.5, -2.5, -2.5))
    found = drawn([1] * 10 + [0.5] * 20 + [0.02] * 10)
    volumes = [[o.count() * grid.voxel_mm3 / 1000 for o in level_outlines(found, grid)] for grid in (GRID, finer)]
    np.testing.assert_allclose(volumes[1], volumes[0], rtol=0.06)


def test_a_speck_far_from_the_lesion_is_no_part_of_its_doubt():
    """One voxel in 40 beside the lesion, and one of as much doubt that touches it."""
    far, near = ([1] * 40 + gap + [0.3] for gap in ([0, 0], []))
    assert level_outlines(drawn(far), GRID)[0].count() == 40 * 64
    assert level_outlines(drawn(near), GRID)[0].count() == 41 * 64


def test_what_a_piece_that_counts_is_unsure_of_stays():
    """A second lesion, a quarter of the first, and a doubt around it that is small itself."""
    found = drawn([1] * 40 + [0, 0] + [1] * 10 + [0, 0] + [0.3])
    assert level_outlines(found, GRID)[0].count() == 50 * 64


def test_of_a_panel_the_members_that_decide_say_where_the_lesion_is():
    """A small piece that the first member alone draws, a sixth of its lesion; all others draw a large lesion, beside
    which it would be a speck."""
    first, other = [1] * 12 + [0] * 32 + [1] * 2, [1] * 42
    assert level_outlines(drawn(first, other, other, deciding=1), GRID)[0].count() == 44 * 64
    assert level_outlines(drawn(first, other, other), GRID)[0].count() == 42 * 64


def test_an_outline_without_a_voxel_counts_as_a_tenth_of_the_volume():
    outlines = level_outlines(drawn([0.8] * 3 + [0.3]), GRID)
    assert [outline.count() for outline in outlines] == [4 * 64, 0]
    assert volume_spread(3 * 64.0, outlines, GRID) == pytest.approx(np.log(4 / 0.3) / 2)


def test_nothing_found_has_outlines_without_a_voxel():
    outlines = level_outlines(drawn([0.01] * 5), GRID)
    assert [outline.count() for outline in outlines] == [0, 0]
    assert volume_spread(0.0, outlines, GRID) == 0.0
