"""Crops: shapes, masks that stay masks, neighbors, and never more jitter than was allowed."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.systems.clin_fusediff.crops import CropSettings, draw_crops, misregistered, random_pair
from scipy.ndimage import binary_dilation, binary_erosion


@pytest.fixture
def draw(a_stack):
    """A function (settings, count, seed, stack's fields): crops of the stack."""

    def make(settings, count=12, seed=0, **others):
        return draw_crops([a_stack(**others)], count, settings, torch.Generator().manual_seed(seed))

    return make


def test_crops_have_the_size_asked_for_and_stay_in_their_ranges(draw):
    crop = draw(CropSettings(size=48), count=8)
    assert crop.pair.mri.shape == crop.pair.ct.shape == (8, 3, 48, 48)
    assert crop.pair.masks.shape == (8, 4, 48, 48) and crop.pair.tracer.shape == (8,)
    assert crop.mri.shape == crop.ct.shape == crop.distance_mm.shape == (8, 1, 48, 48)
    assert set(crop.loss_masks) == {"soft", "bone", "lesion", "valid"}
    for picture in (crop.pair.mri, crop.pair.ct, crop.mri, crop.ct):
        assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.05
    for mask in (crop.pair.masks, *crop.loss_masks.values()):
        assert ((mask == 0) | (mask == 1)).all()


def test_one_seed_gives_one_draw_and_another_seed_another(draw):
    one, again, other = (draw(CropSettings(size=32), seed=seed) for seed in (3, 3, 4))
    for f in ("mri", "ct", "masks", "tracer"):
        assert torch.equal(getattr(one.pair, f), getattr(again.pair, f))
    for f in fields(one)[1:4]:
        assert torch.equal(getattr(one, f.name), getattr(again, f.name))
    assert not torch.equal(one.mri, other.mri)


def test_a_plain_crop_is_a_piece_of_its_stack(draw, a_stack, plain):
    stack, crop = a_stack(flat=True), draw(plain(size=8, lesion=0.0), count=20, flat=True)
    slices = [*stack.mri, *np.flip(stack.mri, 1), *np.flip(stack.mri, 2), *np.flip(stack.mri, (1, 2))]
    slices += [s.T for s in slices]
    pieces = np.concatenate([np.lib.stride_tricks.sliding_window_view(s, (8, 8)).reshape(-1, 64) for s in slices])
    whole = crop.mri.flatten(1)[(crop.mri > 0).all(dim=(1, 2, 3))].numpy()
    assert len(whole) > 5
    # the center is anywhere between pixels, so a piece matches up to half a pixel of these smooth pictures
    assert all(np.abs(pieces - one).mean(1).min() < 0.05 for one in whole)


def test_the_mri_is_black_where_it_is_not_valid(draw):
    crop = draw(CropSettings(size=40, jittered=-1.0))
    missing = crop.pair.mask("valid") == 0
    assert missing.any()
    assert (crop.mri[missing] == 0).all() and (crop.pair.mri[missing.expand(-1, 3, -1, -1)] == 0).all()


def test_neighbors_are_there_in_a_volume_and_now_and_then_for_flat_pictures(draw, plain):
    differs = lambda crop: (crop.pair.ct[:, 0] - crop.pair.ct[:, 1]).abs().amax(dim=(1, 2)) > 1e-3  # noqa: E731
    volume = differs(draw(plain(), count=20))
    never, always = (differs(draw(plain(neighbors=n), count=20, flat=True)) for n in (-1.0, 2.0))
    assert volume.float().mean() > 0.7  # the first slice is its own neighbor
    assert not never.any() and always.float().mean() > 0.7


def test_jitter_moves_one_source_by_at_most_its_amplitude(draw, plain, a_stack):
    """A ramp of 1/100 a pixel tells how far each pixel came from, along rows."""
    stack = a_stack()
    ramp = np.broadcast_to(np.arange(44, dtype=np.float32) / 100 + 0.3, stack.mri.shape)
    object.__setattr__(stack, "mri", ramp.copy())
    object.__setattr__(stack, "cts", (ramp.copy(),))
    object.__setattr__(stack, "masks", np.ones_like(stack.masks))
    object.__setattr__(stack, "flat", True)
    largest = 3.0  # mm, pixels of 1 mm
    settings = plain(size=16, jittered=2.0, jitter_mm=largest, lesion=0.0)
    crop = draw_crops([stack], 60, settings, torch.Generator().manual_seed(0))
    for shown, real in ((crop.pair.slice_mri, crop.mri), (crop.pair.slice_ct, crop.ct)):
        steps = torch.cat([real.diff(dim=d).abs().flatten(1) for d in (2, 3)], dim=1)
        whole = steps.amax(dim=1) < 0.0101  # nothing of what lies beyond the picture
        moved = (shown - real)[whole].abs() * 100
        assert whole.sum() > 10
        assert 0.3 < moved.max() <= largest + 1e-2
    both = ((crop.pair.slice_mri != crop.mri).any(3).any(2) & (crop.pair.slice_ct != crop.ct).any(3).any(2)).any()
    assert not both


def test_without_jitter_the_network_sees_what_the_loss_sees(draw, plain):
    crop = draw(plain())
    assert torch.equal(crop.pair.slice_mri, crop.mri) and torch.equal(crop.pair.slice_ct, crop.ct)


def test_the_rois_of_the_loss_differ_by_at_most_roi_px(draw, plain):
    crop, reach, seen = draw(plain(roi_px=2), count=30), np.ones((5, 5), bool), 0
    for n in range(30):
        bone, soft = (crop.pair.mask(k)[n, 0].numpy() > 0 for k in ("bone", "soft"))
        bone_loss, soft_loss = (crop.loss_masks[k][n, 0].numpy() > 0 for k in ("bone", "soft"))
        assert not (bone_loss & ~binary_dilation(bone, reach)).any()
        assert not (binary_erosion(bone, reach, border_value=1) & ~bone_loss).any()
        assert not (soft_loss & ~soft).any() and not (soft_loss & bone_loss).any()
        seen += not np.array_equal(bone, bone_loss)
    assert seen > 5
    assert torch.equal(crop.loss_masks["lesion"], crop.pair.mask("lesion"))


def test_the_distance_is_that_to_the_lesion_in_mm_and_far_without_one(draw, plain):
    crop = draw(plain(lesion=0.5), count=20)
    there = crop.pair.mask("lesion").amax(dim=(1, 2, 3)) > 0
    assert there.any() and not there.all()
    assert (crop.distance_mm[~there] == 99).all()
    assert crop.distance_mm[there].amin(dim=(1, 2, 3)).max() <= 3.0 and crop.distance_mm[there].max() < 60


def test_most_crops_look_at_the_lesion_when_told_to(draw, plain):
    def share(lesion):
        return draw(plain(size=16, lesion=lesion), count=60).pair.mask("lesion").amax(dim=(1, 2, 3)).mean()

    assert share(2.0) > 0.9 > 0.6 > share(-1.0)


def test_every_window_of_the_ct_is_shown(draw, plain, a_stack):
    stack = a_stack(flat=True)
    object.__setattr__(stack, "cts", tuple(np.full_like(stack.mri, v) for v in (0.4, 0.8)))
    crop = draw_crops([stack], 30, plain(size=8, lesion=0.0), torch.Generator().manual_seed(0))
    brightest = {round(float(v), 1) for v in crop.ct.amax(dim=(1, 2, 3))}
    assert brightest == {0.4, 0.8}


def test_a_tracer_is_marked(draw, plain):
    assert draw(plain(), tracer=True).pair.tracer.tolist() == [1] * 12


def test_a_random_pair_is_neither_graded_nor_misregistered(a_stack):
    pair, spacing = random_pair(a_stack(flat=True), torch.Generator().manual_seed(0), size=24)
    assert pair.mri.shape == (1, 3, 24, 24) and spacing == 1.0
    moved = misregistered(pair, 3.0, torch.Generator().manual_seed(1))
    assert torch.equal(moved.ct, pair.ct) and torch.equal(moved.masks, pair.masks)
    assert not torch.equal(moved.mri, pair.mri)
    assert torch.allclose(misregistered(pair, 0.0, torch.Generator().manual_seed(1)).mri, pair.mri, atol=1e-4)
