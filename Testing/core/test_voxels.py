import json

import numpy as np
import pytest
from DiffuFuseMedLib.core.voxels import Voxels, box_around


@pytest.fixture
def a_mask():
    mask = np.zeros((6, 9, 11), bool)
    mask[2:4, 3:8, 5] = mask[3, 1, 9] = True
    return mask


def test_a_mask_comes_back_from_its_box_and_bits(a_mask):
    voxels = Voxels.of(a_mask)
    assert (voxels.start, voxels.stop) == ((2, 1, 5), (4, 8, 10))
    np.testing.assert_array_equal(voxels.mask(), a_mask)


def test_they_are_counted(a_mask):
    assert Voxels.of(a_mask).count() == 11
    assert Voxels.of(np.zeros((2, 3, 4), bool)).count() == 0


def test_an_empty_mask_and_a_full_one_come_back():
    for mask in (np.zeros((2, 3, 4), bool), np.ones((2, 3, 4), bool)):
        np.testing.assert_array_equal(Voxels.of(mask).mask(), mask)


def test_the_same_mask_is_equal_and_one_voxel_makes_another(a_mask):
    other = a_mask.copy()
    other[2, 3, 5] = False
    assert Voxels.of(a_mask) == Voxels.of(a_mask.copy()) != Voxels.of(other)


def test_what_it_gives_may_be_written_to(a_mask):
    voxels = Voxels.of(a_mask)
    voxels.mask()[:] = False
    np.testing.assert_array_equal(voxels.mask(), a_mask)


def test_bits_of_another_box_are_refused(a_mask):
    voxels = Voxels.of(a_mask)
    with pytest.raises(ValueError, match="another size"):
        Voxels(voxels.shape, voxels.start, (3, 8, 10), voxels.bits).mask()


def test_a_part_is_the_masks_wherever_it_lies(a_mask):
    voxels = Voxels.of(a_mask)
    for box in (np.s_[0:6, 0:9, 0:11], np.s_[3:5, 0:5, 4:11], np.s_[0:2, 0:9, 0:11], np.s_[2:99, 7:99, 5:6]):
        np.testing.assert_array_equal(voxels.part(box), a_mask[box])


def test_moved_into_a_larger_mask_it_lies_there(a_mask):
    larger = np.zeros((9, 10, 20), bool)
    larger[1:7, 1:10, 4:15] = a_mask
    assert Voxels.of(a_mask).moved((9, 10, 20), (1, 1, 4)) == Voxels.of(larger)


def test_words_bring_it_back_and_those_of_nothing_are_refused(a_mask):
    voxels = Voxels.of(a_mask)
    words = json.loads(json.dumps(voxels.to_words()))
    assert Voxels.from_words(words) == voxels
    for name, wrong in (("stop", [9, 9, 9]), ("start", [0.5, 0, 0]), ("shape", [1, 2]), ("bits", "?")):
        with pytest.raises(ValueError, match=r".+"):
            Voxels.from_words({**words, name: wrong})
    with pytest.raises(ValueError, match="another size"):
        Voxels.from_words({**words, "stop": [6, 8, 10]}).check()


def test_a_box_around_a_mask_has_room_in_millimeters_and_starts_in_the_image():
    mask = np.zeros((9, 9, 9), bool)
    mask[1:3, 4, 6:8] = True
    assert box_around(mask, (2.0, 1.0, 0.5), 3.0) == (slice(0, 5), slice(1, 8), slice(0, 14))
    assert box_around(mask, (2.0, 1.0, 0.5), 0.0) == (slice(1, 3), slice(4, 5), slice(6, 8))
