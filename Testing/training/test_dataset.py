"""Training cases made of the shipped patient."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.training.dataset import FAR_MM, WORKING_SPACING_KJI_MM, training_case


def test_everything_lies_on_one_working_grid(a_real_training_case):
    case = a_real_training_case
    assert case.spacing_kji_mm == pytest.approx(WORKING_SPACING_KJI_MM)
    assert {x.shape for x in case.images.values()} == {(2, *case.lesion.shape)}
    assert case.distance_mm.shape == case.lesion.shape


def test_the_lesion_keeps_its_volume(a_loaded_case, a_real_training_case):
    drawn_mm3 = (a_loaded_case.reference_mask.array > 0).sum() * a_loaded_case.grid.voxel_mm3
    working_mm3 = a_real_training_case.lesion.sum().item() * np.prod(WORKING_SPACING_KJI_MM)
    assert working_mm3 == pytest.approx(drawn_mm3, rel=0.02)


def test_distance_is_in_millimeters_and_least_at_the_border(a_real_training_case):
    case = a_real_training_case
    inside = case.lesion.numpy() > 0.5
    border = inside[:, :, 1:] != inside[:, :, :-1]
    distance = case.distance_mm.numpy()
    assert distance[:, :, 1:][border].max() <= max(WORKING_SPACING_KJI_MM)
    assert distance.min() > 0
    corner_mm = np.linalg.norm(np.argwhere(inside) * WORKING_SPACING_KJI_MM, axis=1).min()
    assert distance[0, 0, 0] == pytest.approx(corner_mm, abs=1e-3)


def test_the_box_of_the_lesion_is_tight(a_real_training_case):
    first, last = a_real_training_case.lesion_box()
    inside = a_real_training_case.lesion.numpy() > 0.5
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    assert inside[box].sum() == inside.sum()
    for axis in range(3):
        faces = np.moveaxis(inside[box], axis, 0)
        assert faces[0].any()
        assert faces[-1].any()


def test_a_case_without_a_drawn_lesion_is_refused(a_loaded_case):
    with pytest.raises(InputError, match="without a drawn lesion"):
        training_case(replace(a_loaded_case, reference_mask=None), ("CT",))


@pytest.fixture
def drawn_by(a_case):
    """A function of (name, shares): the toy case with one annotator per share, who drew so much of its ball along i."""

    def make(*shares):
        case = a_case()
        ball = case.reference_mask.array
        parts = [ball * (np.arange(ball.shape[2]) < share * ball.shape[2]) for share in shares]
        return case.with_references({f"rater {n}": Volume(part, case.grid) for n, part in enumerate(parts)})

    return make


def test_the_masks_of_several_annotators_are_kept_on_the_working_grid(drawn_by):
    case = training_case(drawn_by(1.0, 0.5, 0.0), ("CT", "PET"))
    assert case.references.shape == (3, *case.lesion.shape)
    whole, half, nothing = (mask.sum().item() for mask in case.references)
    assert whole > half > 0 == nothing
    # the majority of the three is what the second drew
    assert case.lesion.sum().item() == pytest.approx(half, rel=0.01)


def test_the_box_holds_what_anyone_drew_and_all_of_the_case_where_nobody_did(drawn_by):
    some, none = (training_case(drawn_by(*shares), ("CT",)) for shares in ((1.0, 0.0, 0.0), (0.0, 0.0)))
    first, last = some.lesion_box()
    assert some.lesion.sum() == 0
    assert (last > first).all() and (last - first < some.lesion.shape).any()
    assert [x.tolist() for x in none.lesion_box()] == [[0, 0, 0], list(none.lesion.shape)]


def test_without_a_lesion_the_border_is_far_away(drawn_by):
    assert (training_case(drawn_by(0.0), ("CT",)).distance_mm == FAR_MM).all()


def test_a_fingerprint_tells_one_case_from_another(a_scan):
    other = replace(a_scan, lesion=a_scan.lesion.flip(0))
    assert a_scan.fingerprint() == replace(a_scan).fingerprint()
    assert len({x.fingerprint() for x in (a_scan, other, replace(a_scan, name="other"))}) == 3
