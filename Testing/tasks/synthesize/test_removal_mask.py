"""The mask that is removed: 5 x 5 closed, 3 x 3 dilated once, slice by slice."""

import numpy as np
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import body_of
from DiffuFuseMedLib.tasks.synthesize.removal_mask import removal_mask, removal_mask_in

SPACING = (4.0, 2.0, 2.0)


def empty():
    return np.zeros((5, 20, 20), np.uint8)


def test_one_voxel_becomes_three_by_three_in_its_own_slice():
    lesion = empty()
    lesion[2, 10, 10] = 1
    wanted = np.zeros(lesion.shape, bool)
    wanted[2, 9:12, 9:12] = True
    assert np.array_equal(removal_mask(lesion, SPACING), wanted)


def test_gaps_of_four_voxels_are_closed_and_wider_ones_stay():
    for gap, closed in ((4, True), (5, False)):
        lesion = empty()
        lesion[2, 4:16, 2:6] = lesion[2, 4:16, 6 + gap : 12 + gap] = 1
        inside = removal_mask(lesion, SPACING)[2, 9, 6 : 6 + gap]
        assert inside.all() == closed


def test_what_touches_the_edge_stays():
    lesion = empty()
    lesion[2, :6, :6] = 1
    mask = removal_mask(lesion, SPACING)
    assert mask[2, :7, :7].all() and mask.sum() == 49


def test_a_margin_is_in_millimeters_and_in_all_directions():
    lesion = empty()
    lesion[2, 10, 10] = 1
    mask = removal_mask(lesion, SPACING, margin_mm=4.0)
    assert mask[1, 10, 10] and mask[2, 10, 13] and not mask[2, 10, 14] and not mask[0].any()


def test_nothing_stays_nothing():
    assert not removal_mask(empty(), SPACING, margin_mm=4.0).any()


def test_a_margin_stays_in_the_body_and_the_mask_itself_where_it_was_drawn():
    lesion = empty()
    lesion[2, 10, 10] = 1
    body = np.zeros(lesion.shape, bool)
    body[:, :, :11] = True
    mask = removal_mask(lesion, SPACING, margin_mm=4.0, body=body)
    assert mask[2, 10, 11] and not mask[2, 10, 12] and mask[2, 10, 8] and not mask[1, 10, 11]


def test_in_a_case_the_margin_ends_with_the_body(a_thigh):
    """A lesion below the skin, from where the margin reaches into the air."""
    body, lesion = body_of(a_thigh), np.zeros(a_thigh.grid.shape, bool)
    k = lesion.shape[0] // 2
    j = int(np.flatnonzero(body[k].any(axis=1))[2])
    lesion[k, j, int(np.flatnonzero(body[k, j]).mean())] = True
    mask = removal_mask_in(a_thigh, lesion)
    free = removal_mask(lesion, a_thigh.grid.spacing_kji_mm, 12.0)
    wanted = removal_mask(lesion, a_thigh.grid.spacing_kji_mm)
    assert (free & ~body).sum() > (mask & ~body).sum() and not (mask & ~body & ~wanted).any()
    assert np.array_equal(mask | wanted, free & body | wanted)
