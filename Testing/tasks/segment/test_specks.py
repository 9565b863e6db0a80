"""What is noise beside a lesion, and what is not."""

import numpy as np
from DiffuFuseMedLib.tasks.segment.specks import pieces_holding, without_far_specks, without_specks


def test_specks_go_and_what_is_a_tenth_of_the_largest_stays():
    labels = np.zeros((1, 1, 40), bool)
    labels[..., :20], labels[..., 25:27], labels[..., 35] = True, True, True
    kept = without_specks(labels)
    assert kept[..., :30].sum() == 22
    assert not kept[..., 35]


def test_of_the_outer_contour_small_pieces_far_from_the_lesion_go():
    outer, labels = np.zeros((1, 10, 60), bool), np.zeros((1, 10, 60), bool)
    outer[0, :, :20] = True  # 200 voxels around the lesion
    labels[0, 2:8, 5:15] = True
    outer[0, 0, 30] = True  # a speck
    outer[0, :5, 40:45] = True  # 25 voxels, more than a tenth
    outer[0, 9, 55] = labels[0, 9, 55] = True  # a voxel of the lesion
    kept = without_far_specks(outer, labels)
    assert not kept[0, 0, 30] and kept[0, :5, 40:45].all() and kept[0, 9, 55] and kept[0, :, :20].all()
    assert kept.sum() == outer.sum() - 1
    np.testing.assert_array_equal(without_far_specks(labels, labels), labels)


def test_a_piece_stays_for_one_voxel_and_a_large_one_without_any_goes():
    outer, core = np.zeros((1, 1, 40), bool), np.zeros((1, 1, 40), bool)
    outer[..., :3], outer[..., 5:25], outer[..., 30:40] = True, True, True
    core[..., 2], core[..., 27:31] = True, True
    kept = pieces_holding(outer, core)
    assert kept[..., :3].all() and kept[..., 30:].all() and kept.sum() == 13
    assert not pieces_holding(outer, np.zeros_like(core)).any()
