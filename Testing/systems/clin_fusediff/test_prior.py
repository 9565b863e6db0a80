"""The prior's pictures: mixtures of the two sources and nothing else."""

import pytest
import torch
from DiffuFuseMedLib.systems.clin_fusediff.prior import BROAD, random_fusion
from torch.nn import functional as F

COUNT = 24


@pytest.fixture
def sources():
    """mri, ct (24, 1, 32, 32) and masks: bone above, soft below, MRI not valid on the right."""
    generator = torch.Generator().manual_seed(0)
    mri, ct = (torch.rand(COUNT, 1, 32, 32, generator=generator) for _ in range(2))
    masks = {name: torch.zeros(COUNT, 1, 32, 32) for name in ("soft", "bone", "lesion", "valid")}
    masks["bone"][..., :16, :], masks["soft"][..., 16:, :], masks["valid"][..., :24] = 1, 1, 1
    return mri * masks["valid"], ct, masks


@pytest.fixture
def drawn(sources):
    """A function (sources, seed): the fused pictures."""

    def make(sources=sources, seed=0):
        return random_fusion(*sources, torch.Generator().manual_seed(seed))

    return make


def test_gray_in_0_to_1_and_one_seed_one_draw(drawn):
    one, again, other = drawn(), drawn(), drawn(seed=1)
    assert one.min() >= 0 and one.max() <= 1
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_every_value_lies_between_what_the_window_holds_in_the_sources(drawn, sources):
    """Up to the fine detail, which is at most the range within the same window."""
    mri, ct, _ = sources
    low, high = torch.minimum(mri, ct), torch.maximum(mri, ct)
    reach = BROAD
    least, most = -F.max_pool2d(-low, reach, 1, reach // 2), F.max_pool2d(high, reach, 1, reach // 2)
    fused, fine = drawn(), (most - least)
    inner = slice(reach, -reach)
    assert ((fused >= least - fine) & (fused <= most + fine))[..., inner, inner].all()


def test_identical_sources_are_their_own_fusion(drawn, sources):
    mri, _, masks = sources
    both = (mri, mri, {**masks, "valid": torch.ones_like(mri)})
    assert torch.allclose(drawn(both), mri, atol=1e-5)


def test_flat_sources_mix_within_their_values(drawn, sources):
    masks = {**sources[2], "valid": torch.ones_like(sources[0])}
    fused = drawn((torch.full_like(sources[0], 0.2), torch.full_like(sources[0], 0.7), masks))
    assert fused.min() >= 0.2 - 1e-5 and fused.max() <= 0.7 + 1e-5
    assert fused.std() > 0.05


def test_only_the_ct_shows_where_the_mri_is_not_valid(drawn, sources):
    _, ct, masks = sources
    missing = masks["valid"] == 0
    assert torch.allclose(drawn()[missing], ct[missing], atol=1e-5)


def test_soft_tissue_leans_to_the_mri_and_bone_to_the_ct(drawn, sources):
    masks = {**sources[2], "valid": torch.ones_like(sources[0])}
    fused = drawn((torch.ones_like(sources[0]), torch.zeros_like(sources[0]), masks))
    mixed = fused[fused.amin(dim=(1, 2, 3)) < 1]  # one in four is the brighter source
    assert mixed[:, :, 18:].mean() > mixed[:, :, :14].mean() + 0.3
