"""A case with the masks of several annotators: kept through crops and switches, never an input."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import majority
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume


@pytest.fixture
def three_readers(a_tiny_case):
    """The tiny case: one reader drew the lesion, one all slices above the fourth, one found nothing."""
    drawn = a_tiny_case.reference_mask
    high, nothing = np.zeros_like(drawn.array), np.zeros_like(drawn.array)
    high[5:] = 1
    return a_tiny_case.with_references({"A": drawn, "B": drawn.with_array(high), "C": drawn.with_array(nothing)})


def test_the_lesion_that_is_scored_against_is_what_more_than_half_of_them_drew(three_readers, a_tiny_case):
    wanted = a_tiny_case.reference_mask.array.copy()
    wanted[:5] = 0
    np.testing.assert_array_equal(three_readers.reference_mask.array, wanted)


def test_of_two_readers_both_have_to_agree(three_readers):
    a, c = (three_readers.references[name] for name in "AC")
    assert not majority({"A": a, "C": c}).array.any()


def test_nobody_asked_is_no_mask_and_nothing_found_is_an_empty_one(a_tiny_case, three_readers):
    assert a_tiny_case.references == {}
    assert a_tiny_case.with_references({}).reference_mask is None
    assert not three_readers.with_references({"C": three_readers.references["C"]}).reference_mask.array.any()


def test_a_crop_and_a_switch_keep_every_mask(three_readers):
    cut = three_readers.only(("CT",)).cropped((4, 7, 7), (8, 13, 13))
    assert {name: int(mask.array.sum()) for name, mask in cut.references.items()} == {"A": 144, "B": 108, "C": 0}
    assert {mask.grid for mask in cut.references.values()} == {cut.grid}


@pytest.mark.parametrize("strip", [lambda c: c.unscored(), lambda c: c.thinned((1, 2, 2))], ids=["unscored", "thinned"])
def test_without_what_was_drawn_nothing_of_it_is_left(three_readers, strip):
    bare = strip(three_readers)
    assert (bare.reference_mask, bare.references, bare.modalities) == (None, {}, three_readers.modalities)


def test_a_mask_on_another_grid_is_refused(a_tiny_case):
    other = Volume(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2)))
    with pytest.raises(InputError, match=r"^Given the mask of B on another grid, wanted .*\.$"):
        a_tiny_case.with_references({"B": other})
