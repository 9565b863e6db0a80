"""Slices: no lesion is ever seen or taken for healthy, holes lie in the body, and the way back fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import (
    LESION_MARGIN_MM,
    SliceSettings,
    body_of,
    draw_slices,
    hole_on,
    slices_of,
    training_slices,
)

PLAIN = SliceSettings(size=48, zoom=(1.0, 1.0), rotation_degrees=0.0, gain=0.0, shift=0.0, drop_one=0.0, drop_two=0.0)


@pytest.fixture
def draw(some_slices):
    """A function of settings, count and seed: a batch."""
    return lambda settings=PLAIN, count=12, seed=0: draw_slices(
        [some_slices], count, settings, torch.Generator().manual_seed(seed)
    )


def test_slices_are_as_far_apart_as_the_cases_and_in_pixels_of_the_network(a_body):
    slices = slices_of(a_body, ("CT", "PET", "MR_T1"), 4.0)
    assert slices.grid.spacing_kji_mm == (4.0, 4.0, 4.0) and slices.grid.shape == (6, 40, 38)
    muscle = slices.scales["CT"].inverse(slices.images["CT"][0, :, 20, 8:12].numpy())
    assert np.abs(muscle - 50).max() < 15
    assert (slices.images["MR_T1"][:, :, :, 28:] == 0).all() and slices.images["MR_T1"][1, :, :, :28].all()


def test_what_is_missing_does_not_darken_the_rim_of_what_is_there(a_body):
    valid = np.ones(a_body.grid.shape, bool)
    valid[..., 56:] = False
    even = a_body.volumes["CT"].with_array(np.full(a_body.grid.shape, 1000, np.float32))
    slices = slices_of(replace(a_body, volumes={"CT": even}, valid={"CT": valid}), ("CT",), 4.0)
    image, there = slices.images["CT"]
    assert there[..., :28].all() and not there[..., 29:].any()
    assert torch.allclose(image[there > 0], image[2, 20, 10].expand(int(there.sum())), atol=1e-3)


def test_a_value_that_is_not_finite_is_missing(a_body):
    array = a_body.volumes["CT"].array.copy()
    array[2, 40, 38] = np.nan
    case = replace(a_body, volumes={"CT": a_body.volumes["CT"].with_array(array)})
    assert torch.isfinite(slices_of(case, ("CT",), 2.0).images["CT"]).all()
    assert slices_of(case, ("CT",), 2.0).images["CT"][1, 2, 40, 38] == 0


def test_a_hole_takes_every_pixel_that_it_touches(a_body):
    mask = np.zeros(a_body.grid.shape, bool)
    mask[3, 41, 41] = True
    slices = slices_of(a_body, ("CT",), 4.0)
    hole = hole_on(slices.grid, mask, a_body.grid)
    assert hole[3, 20, 20] and hole.sum() <= 9 and not hole[[0, 1, 5]].any()


def test_without_a_known_modality_a_case_is_refused(a_body):
    with pytest.raises(InputError, match=r"Given a case with CT, PET, MR_T1, wanted one of SPECT"):
        slices_of(a_body, ("SPECT",), 4.0)
    colored = a_body.volumes["CT"].with_array(np.zeros((*a_body.grid.shape, 3), np.float32))
    with pytest.raises(InputError, match="a picture in color as CT"):
        slices_of(replace(a_body, volumes={"CT": colored}), ("CT",), 4.0)
    with pytest.raises(InputError, match="the case body without a drawn lesion"):
        training_slices(a_body.unscored(), ("CT",), 4.0)


def test_the_body_is_found_with_and_without_a_ct(a_body):
    inside = np.zeros(a_body.grid.shape, bool)
    inside[:, 20:60, 20:56] = True
    for case in (a_body, a_body.only(["MR_T1"]), a_body.only(["PET"])):
        body = body_of(case)
        assert body[inside].mean() > 0.95 and not body[:, :6].any()


def test_what_lies_near_the_lesion_is_not_healthy(some_slices, a_body):
    slices = slices_of(a_body, ("CT",), 4.0)
    drawn = hole_on(slices.grid, a_body.reference_mask.array > 0, a_body.grid)
    lesion, healthy = some_slices.lesion > 0, some_slices.healthy
    assert lesion[torch.from_numpy(drawn)].all() and not (lesion & healthy).any()
    reach = int(lesion[4].any(dim=1).sum()) - int(drawn[4].any(axis=1).sum())
    assert reach == pytest.approx(2 * LESION_MARGIN_MM / 4.0, abs=2)
    assert healthy.float().mean() > 0.2 and not healthy[:, :4].any()


def test_holes_lie_in_healthy_tissue_and_lesions_are_told(draw):
    batch = draw()
    assert batch.hole.shape == batch.lesion.shape == (12, 1, 48, 48)
    assert (batch.hole.flatten(1).sum(dim=1) > 10).all() and not (batch.hole * batch.lesion).any()
    air = batch.images["CT"][:, :1] < -2
    assert not (air & (batch.hole > 0)).any()
    uptake = batch.images["PET"][:, :1] > 0.3
    assert uptake.any() and (batch.lesion[uptake] == 1).all()


def test_the_truth_of_a_missing_modality_and_of_a_lesion_is_not_told(draw):
    batch = draw()
    truth, told = batch.truth(("CT", "SPECT", "MR_T1"))
    assert torch.equal(truth[:, 0], batch.images["CT"][:, 0])
    assert not told[:, 1].any() and not (told * batch.lesion).any()
    assert torch.equal(told[:, 2] > 0, (batch.images["MR_T1"][:, 1] > 0) & (batch.lesion[:, 0] == 0))


def test_a_plain_window_is_a_piece_of_its_slice(draw, some_slices):
    ct = some_slices.images["CT"][0]
    seen = draw(count=6).images["CT"]
    for window, valid in seen:
        inside = window[valid > 0]
        gaps = torch.cdist(inside[:40, None].double(), ct.flatten()[:, None].double()).amin(dim=1)
        assert gaps.max() < 1e-3


def test_modalities_are_left_out_but_never_all(draw):
    seen = [tuple(draw(replace(PLAIN, drop_one=0.4, drop_two=0.4), 1, seed).images) for seed in range(40)]
    assert {len(s) for s in seen} == {1, 2, 3} and len(set(seen)) > 4


def test_augmentation_changes_gray_values_and_keeps_missing_pixels_empty(draw):
    plain, other = draw(), draw(replace(PLAIN, gain=0.3, shift=0.2))
    assert not torch.equal(plain.images["CT"], other.images["CT"])
    for image in other.images.values():
        assert (image[:, 0][image[:, 1] == 0] == 0).all()


def test_one_seed_draws_one_batch_and_fingerprints_tell_cases_apart(draw, some_slices, a_body):
    settings = SliceSettings(size=40)
    one, again, other = (draw(settings, 4, seed) for seed in (1, 1, 2))
    assert all(torch.equal(one.images[m], again.images[m]) for m in one.images) and torch.equal(one.hole, again.hole)
    assert not torch.equal(one.hole, other.hole)
    changed = replace(some_slices, healthy=~some_slices.healthy)
    assert some_slices.fingerprint() != changed.fingerprint()
