"""A lesion that takes up less tracer: between its own uptake and that of its surroundings, and nothing else changed."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.preprocessing.intensity import pet_scale
from DiffuFuseMedLib.training.uptake import LEAST, fainter
from DiffuFuseMedLib.training.windows import draw_batch, draw_window

SEEDS = range(20)
SHAPE = (16, 32, 32)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def suv_of(pet):
    """SUV of a network's PET, by the curve's definition."""
    return 11 ** (pet[0] + 0.5) - 1


@pytest.fixture
def a_pet():
    """A function of the lesion's SUV: (2, *SHAPE) of surroundings of SUV 1, and the lesion."""

    def pet(suv):
        lesion = torch.zeros(SHAPE)
        lesion[6:10, 10:22, 10:22] = 1
        image = torch.from_numpy(pet_scale(torch.where(lesion > 0, suv, 1.0).numpy()))
        return torch.stack([image, torch.ones(SHAPE)]), lesion

    return pet


def test_uptake_lies_between_the_surroundings_and_what_it_was(a_pet):
    pet, lesion = a_pet(8.0)
    means = []
    for seed in SEEDS:
        suv = suv_of(fainter(pet, lesion, seeded(seed)))[lesion > 0]
        assert suv.min() >= 1 + LEAST * 7 - 1e-3 and suv.max() <= 8 + 1e-3
        means.append(float(suv.mean()))
    assert min(means) < 3 and max(means) > 6


def test_parts_of_one_lesion_differ_smoothly(a_pet):
    pet, lesion = a_pet(8.0)
    spreads, steps = [], []
    for seed in SEEDS:
        suv = suv_of(fainter(pet, lesion, seeded(seed)))[7:9, 12:20, 12:20]
        spreads.append(float(suv.max() - suv.min()))
        steps.append(float(suv.diff(dim=2).abs().max()))
    assert max(spreads) > 2
    assert max(steps) < 1


def test_what_lies_around_it_stays_to_the_bit_but_for_the_rim(a_pet):
    pet, lesion = a_pet(8.0)
    for seed in SEEDS:
        changed = (fainter(pet, lesion, seeded(seed)) != pet)[0].nonzero()
        assert (changed.amin(dim=0) >= torch.tensor([3, 7, 7])).all()
        assert (changed.amax(dim=0) <= torch.tensor([12, 24, 24])).all()


def test_a_lesion_that_takes_up_less_than_its_surroundings_stays(a_pet):
    pet, lesion = a_pet(0.4)
    torch.testing.assert_close(fainter(pet, lesion, seeded(0)), pet)


def test_uptake_beyond_the_drawn_border_goes_with_it():
    lesion = torch.zeros(SHAPE)
    lesion[6:10, 10:22, 10:22] = 1
    suv = torch.ones(SHAPE)
    suv[6:10, 9:23, 9:23] = 4.0  # the scanner's spread
    suv[6:10, 10:22, 10:22] = 8.0
    pet = torch.stack([torch.from_numpy(pet_scale(suv.numpy())), torch.ones(SHAPE)])
    rims = [float(suv_of(fainter(pet, lesion, seeded(s)))[8, 9, 10:22].mean()) for s in SEEDS]
    assert min(rims) < 2.5


def test_missing_voxels_stay_missing_and_say_nothing_of_the_surroundings(a_pet):
    pet, lesion = a_pet(8.0)
    there = torch.zeros(SHAPE)
    there[:, 10:22, 5:22] = 1  # of the surroundings little, and most of the rest is 0, which is SUV 2.3
    cut = torch.stack([pet[0] * there, there])
    for seed in SEEDS:
        changed = fainter(cut, lesion, seeded(seed))
        assert torch.equal(changed[1], there)
        assert not changed[0][there == 0].any()
        whole = fainter(pet, lesion, seeded(seed))
        torch.testing.assert_close(changed[0][there > 0], whole[0][there > 0])


@pytest.mark.parametrize("full", [0.0, 1.0], ids=["no lesion", "no surroundings"])
def test_a_window_that_cannot_tell_stays(full):
    pet = torch.stack([torch.rand(SHAPE), torch.ones(SHAPE)])
    assert torch.equal(fainter(pet, torch.full(SHAPE, full), seeded(0)), pet)


def test_a_slice_is_a_window_too():
    lesion = torch.zeros(1, 32, 32)
    lesion[:, 10:22, 10:22] = 1
    pet = torch.stack([lesion, torch.ones(1, 32, 32)])
    assert any(not torch.equal(fainter(pet, lesion, seeded(s)), pet) for s in range(3))


def test_windows_have_it_as_often_as_they_are_told_and_other_images_stay(a_scan, plain):
    never = [draw_window(a_scan, ["CT", "PET"], plain(faint=0.0), seeded(s)) for s in SEEDS]
    for share, low, high in ((1.0, 20, 20), (0.5, 4, 16)):
        some = [draw_window(a_scan, ["CT", "PET"], plain(faint=share), seeded(s)) for s in SEEDS]
        pairs = list(zip(never, some, strict=True))
        assert low <= sum(not torch.equal(a.images["PET"], b.images["PET"]) for a, b in pairs) <= high
        assert all(torch.equal(a.images["CT"], b.images["CT"]) for a, b in pairs)
        assert all(torch.equal(a.target, b.target) for a, b in pairs)


def test_the_original_is_as_faint_as_what_is_corrupted(a_scan, plain):
    own, changed = (draw_window(a_scan, ["PET"], plain(faint=f, originals=True), seeded(1)) for f in (0.0, 1.0))
    assert torch.equal(changed.originals["PET"], changed.images["PET"])
    assert not torch.equal(changed.originals["PET"], own.originals["PET"])


def test_a_scan_without_pet_is_drawn_as_ever(a_scan, plain):
    alone = replace(a_scan, images={"CT": a_scan.images["CT"]})
    one, other = (draw_batch([alone], 2, plain(faint=f), seeded(0)) for f in (0.0, 1.0))
    assert torch.equal(one.images["CT"], other.images["CT"])
