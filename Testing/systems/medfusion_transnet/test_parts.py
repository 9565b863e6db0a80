"""Each part of CASNet by itself, by hand where it can be."""

from math import exp

import pytest
import torch
from DiffuFuseMedLib.systems.medfusion_transnet.attention import ContextualAttention, MultiScaleContext
from DiffuFuseMedLib.systems.medfusion_transnet.encoder import Encoder
from DiffuFuseMedLib.systems.medfusion_transnet.mamba import (
    MambaBlock,
    MaskedMamba,
    SelectiveScan,
    drawn_to_hide,
    scan,
)
from DiffuFuseMedLib.systems.medfusion_transnet.multi_scale import Bottleneck, MultiScaleFusion
from DiffuFuseMedLib.systems.medfusion_transnet.pooling import averaged, merged, seen_average
from DiffuFuseMedLib.systems.medfusion_transnet.transformer import SelfAttention, TransformerFusion
from torch.nn import functional as F


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def fill(module, value=0.0):
    for parameter in module.parameters():
        torch.nn.init.constant_(parameter, value)
    return module


# Encoder


@pytest.mark.parametrize("space", [(16, 24), (16, 8, 24)], ids=str)
def test_the_encoder_halves_each_level_but_the_first(space):
    maps = Encoder(len(space), 2, (8, 16, 24), (1, 2, 1))(noise(2, 2, *space))
    assert [tuple(x.shape) for x in maps] == [
        (2, c, *[n // 2**level for n in space]) for level, c in enumerate((8, 16, 24))
    ]
    assert all((x >= 0).all() for x in maps)


def test_a_level_is_convolution_normalisation_and_relu_of_the_largest_of_the_last():
    encoder, x = Encoder(2, 2, (8, 16), (1, 1)), noise(1, 2, 8, 8)
    convolve = lambda level, y: F.conv2d(y, level.conv.weight, level.conv.bias, padding=1)  # noqa: E731
    first = F.relu(F.group_norm(convolve(encoder.levels[0][0], x), 1))
    second = F.relu(F.group_norm(convolve(encoder.levels[1][0], F.max_pool2d(first, 2)), 2))
    torch.testing.assert_close(encoder(x), [first, second])


def test_how_bright_a_window_is_is_not_divided_out():
    """What a norm of one channel a group would do: a flat window of 1 and of 5 beside the valid mask look alike."""
    torch.manual_seed(0)
    encoder, one = Encoder(2, 2, (8, 16), (1, 1)), torch.ones(1, 2, 16, 16)
    brighter = one * torch.tensor([5.0, 1.0]).view(1, 2, 1, 1)
    assert (encoder(one)[1] - encoder(brighter)[1]).abs().max() > 0.1


def test_a_window_does_not_depend_on_the_other_of_its_batch():
    encoder, x = Encoder(2, 2, (8, 16), (1, 1)), noise(2, 2, 8, 8)
    torch.testing.assert_close(encoder(x)[1][:1], encoder(x[:1])[1])


# What was seen


def test_an_average_over_what_was_seen_alone():
    x, seen = torch.tensor([3.0, 5, 7, 9]).view(1, 1, 1, 4), torch.tensor([1.0, 0, 0, 0]).view(1, 1, 1, 4)
    mean, share = seen_average(x, seen, (1, 2))
    assert (mean.flatten().tolist(), share.flatten().tolist()) == ([3, 0], [0.5, 0])


def test_averages_to_any_size_agree_with_those_of_whole_steps():
    x = noise(1, 2, 4, 6)
    torch.testing.assert_close(averaged(x, (2, 3)), F.adaptive_avg_pool2d(x, (2, 3)))
    torch.testing.assert_close(averaged(x, (3, 4)), F.adaptive_avg_pool2d(x, (3, 4)))
    torch.testing.assert_close(averaged(x[None], (1, 2, 3)), F.adaptive_avg_pool3d(x[None], (1, 2, 3)))


def test_maps_are_merged_by_how_much_each_modality_saw():
    maps = {m: torch.tensor(x).view(1, 1, 1, 3) for m, x in {"CT": [2.0, 2, 2], "PET": [8.0, 8, 8]}.items()}
    seen = {m: torch.tensor(x).view(1, 1, 1, 3) for m, x in {"CT": [1.0, 0.5, 0], "PET": [1.0, 0, 0]}.items()}
    assert merged(maps, seen).flatten().tolist() == [5, 2, 0]


# Contextual attention


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return ContextualAttention(2, 4, (1, 2), 2)


def test_attention_is_the_sigmoid_of_all_pools_and_the_refined_context(attention):
    x = noise(2, 4, 6, 8)
    scores = attention.refine(attention.context(x))
    for pool in (x.mean((2, 3), True), x.mean(2, True), x.mean(3, True)):
        scores = scores + attention.mlp(pool)
    torch.testing.assert_close(attention.attention(x), torch.sigmoid(scores))


def test_each_axis_is_averaged_by_itself():
    """With the MLP as the identity and no context a row and a column that are bright are seen where they cross."""
    attention = fill(ContextualAttention(2, 1, (1,), 1))
    for layer in (attention.mlp[0], attention.mlp[2]):
        torch.nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 2, 2)
    x[0, 0, 0, 1] = 4.0
    scores = torch.tensor([[1 + 0 + 2.0, 1 + 2 + 2], [1 + 0 + 0, 1 + 2 + 0]])
    torch.testing.assert_close(attention.attention(x)[0, 0], torch.sigmoid(scores))


def test_alpha_balances_the_attended_and_the_original(attention):
    x = noise(2, 4, 6, 8)
    attended = attention.attention(x) * x
    assert attention.alpha.item() == 0.5
    for balance in (-2.0, 1.0):
        torch.nn.init.constant_(attention.balance, balance)
        alpha = 1 / (1 + exp(-balance))
        torch.testing.assert_close(attention(x), alpha * attended + (1 - alpha) * x)


def test_context_sees_every_resolution():
    """A delta, looked at by kernels of ones: at full size 3 x 3 voxels see it; of averages over 2 x 2 all of 6 x 6."""
    context = MultiScaleContext(2, 1, (1, 2))
    for look in context.look:
        torch.nn.init.ones_(look.weight)
        torch.nn.init.zeros_(look.bias)
    x = torch.zeros(1, 1, 12, 12)
    x[0, 0, 4, 4] = 4.0
    found = context(x)[0, 0]
    wanted = torch.zeros(12, 12)
    wanted[2:8, 2:8] += 1
    wanted[3:6, 3:6] += 4
    torch.testing.assert_close(found, wanted)


# Multi-scale fusion


def test_atrous_convolutions_are_summed_by_their_weights():
    """A delta and kernels of ones: taps at distances of 0 and r."""
    fusion = MultiScaleFusion(2, 1, (1, 3))
    for conv in fusion.atrous:
        torch.nn.init.ones_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
    assert fusion.weights.tolist() == [0.5, 0.5]
    fusion.weights.data = torch.tensor([2.0, 5.0])
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1.0
    wanted = torch.zeros(9, 9)
    wanted[3:6, 3:6] += 2
    wanted[1:8:3, 1:8:3] += 5
    torch.testing.assert_close(fusion(x)[0, 0], wanted)


def test_the_bottleneck_reduces_what_was_fused():
    bottleneck, x = Bottleneck(2, 16, 8, (1, 2)), noise(1, 16, 6, 6)
    torch.testing.assert_close(bottleneck(x), bottleneck.reduce(bottleneck.fusion(x)))
    assert bottleneck(x).shape == (1, 8, 6, 6)
    without = Bottleneck(2, 16, 8, ())
    torch.testing.assert_close(without(x), without.reduce(x))


# Transformer


def test_attention_is_the_softmax_of_scaled_products_over_what_is_heard():
    attention, x = SelfAttention(8, 2), noise(1, 5, 8)
    heard = torch.tensor([[True, True, False, True, True]])
    q, k, v = (f(x).view(1, 5, 2, 4).transpose(1, 2) for f in (attention.q, attention.k, attention.v))
    products = q @ k.transpose(2, 3) / 4**0.5
    products[..., 2] = -torch.inf
    wanted = attention.out((products.softmax(dim=-1) @ v).transpose(1, 2).reshape(1, 5, 8))
    torch.testing.assert_close(attention(x, heard), wanted)


@pytest.fixture
def fusion():
    """Levels of 8 and 16 channels, at most three tokens along an axis."""
    torch.manual_seed(0)
    return TransformerFusion(2, ("CT", "PET"), (8, 16), 8, 2, 1, 3)


@pytest.fixture
def two_levels():
    """A function (modalities): maps of 6 x 6 and 3 x 3 positions, all seen."""

    def levels(modalities=("CT", "PET")):
        maps = [{m: noise(2, c, n, n, seed=len(m) + n) for m in modalities} for c, n in ((8, 6), (16, 3))]
        return maps, [{m: torch.ones(2, 1, *x.shape[2:]) for m, x in level.items()} for level in maps]

    return levels


@pytest.mark.parametrize(("level", "modality"), [(0, "CT"), (0, "PET"), (1, "CT"), (1, "PET")])
def test_every_map_hears_of_every_level_and_modality(fusion, two_levels, level, modality):
    maps, seen = two_levels()
    before = fusion(maps, seen)
    maps[level][modality] = noise(*maps[level][modality].shape, seed=99)
    after = fusion(maps, seen)
    for old, new in zip(before, after, strict=True):
        assert all((old[m] - new[m]).abs().max() > 1e-3 for m in old)


def test_a_modality_that_saw_nothing_is_not_heard(fusion, two_levels):
    maps, seen = two_levels()
    for level in seen:
        level["PET"] = torch.zeros_like(level["PET"])
    alone_maps, alone_seen = two_levels(("CT",))
    for both, alone in zip(fusion(maps, seen), fusion(alone_maps, alone_seen), strict=True):
        torch.testing.assert_close(both["CT"], alone["CT"])


def test_a_window_that_nobody_saw_is_a_number(fusion, two_levels):
    maps, seen = two_levels()
    nothing = [{m: torch.zeros_like(x) for m, x in level.items()} for level in seen]
    assert all(torch.isfinite(x).all() for level in fusion(maps, nothing) for x in level.values())


def test_what_tokens_heard_is_added_to_the_map(fusion, two_levels):
    maps, seen = two_levels()
    fill(fusion.leave)
    for made, given in zip(fusion(maps, seen), maps, strict=True):
        assert all(torch.equal(made[m], given[m]) for m in given)


def test_tokens_know_who_they_are_of_and_where_they_lie(fusion, two_levels):
    maps, seen = two_levels()
    before = fusion(maps, seen)[1]["CT"]
    for parameter in (fusion.modality["PET"], fusion.level):
        kept = parameter.data.clone()
        parameter.data = kept + torch.arange(8.0)
        assert not torch.allclose(fusion(maps, seen)[1]["CT"], before)
        parameter.data = kept
    flat = [{m: torch.ones_like(x) for m, x in level.items()} for level in maps]
    told = fusion(flat, seen)[1]["CT"]
    assert (told - told[:, :, :1, :1]).abs().max() > 1e-3


# Mamba


def test_the_scan_is_the_recurrence():
    decay, added = torch.rand(2, 7, 3, generator=seeded(0)), noise(2, 7, 3)
    h, wanted = torch.zeros(2, 3), []
    for t in range(7):
        h = decay[:, t] * h + added[:, t]
        wanted.append(h)
    torch.testing.assert_close(scan(decay, added), torch.stack(wanted, dim=1))


def test_the_step_the_input_and_the_output_are_chosen_by_the_token():
    """One channel, one state, by hand: delta = softplus(x - 2), b = c = x, a = 1, D = 3."""
    model = fill(SelectiveScan(1, 1))
    for layer in (model.step, model.inward, model.outward):
        torch.nn.init.ones_(layer.weight)
    torch.nn.init.constant_(model.direct, 3.0)
    x = torch.tensor([0.5, -1.0, 2.0])
    h, wanted = torch.zeros(()), []
    for token in x:
        step = F.softplus(token - 2)
        h = torch.exp(-step) * h + step * token * token
        wanted.append(token * h + 3 * token)
    torch.testing.assert_close(model(x.view(1, 3, 1)).flatten(), torch.stack(wanted))


@pytest.mark.parametrize("space", [(3, 4), (3, 4, 2)], ids=str)
def test_every_position_hears_of_every_other(space):
    """Along each axis and both ways: the first of the last and the last of the first."""
    torch.manual_seed(0)
    block, x = MambaBlock(8, 2), noise(1, 8, *space)
    before = block(x)
    assert before.shape == x.shape
    for ends in ((0, -1), (-1, 0)):
        moved = x.clone()
        moved[(slice(None), slice(None), *[ends[0]] * len(space))] *= torch.arange(8.0)
        changed = (block(moved) - before).abs().amax(dim=(0, 1))
        assert changed[tuple([ends[1]] * len(space))] > 0


def test_each_axis_is_scanned_by_itself():
    """A map and its transpose are scanned alike."""
    torch.manual_seed(0)
    block, x = MambaBlock(8, 2), noise(1, 8, 3, 4)
    torch.testing.assert_close(block(x.transpose(2, 3)), block(x).transpose(2, 3))


def test_both_ways_are_scanned_alike():
    """A map that is turned end for end gives the same, turned."""
    torch.manual_seed(0)
    block, x = MambaBlock(8, 2), noise(1, 8, 3, 4)
    torch.testing.assert_close(block(x.flip(2, 3)), block(x).flip(2, 3))


def test_hidden_positions_are_not_read_and_cost_what_is_told_wrong_of_them():
    torch.manual_seed(0)
    mamba, x, hide = MaskedMamba(8, 2), noise(1, 8, 3, 4), torch.zeros(1, 1, 3, 4, dtype=torch.bool)
    hide[0, 0, 1, 2] = True
    other = x.clone()
    other[:, :, 1, 2] += 7
    torch.testing.assert_close(mamba(x, hide), mamba(other, hide))
    assert not torch.allclose(mamba(x), mamba(other))
    made = x.clone()
    made[0, 0, 1, 2] += 4  # one of eight channels
    made[0, 0, 0, 0] += 100  # is not hidden
    assert MaskedMamba.wrong(made, x, hide).item() == pytest.approx(16 / 8)


def test_a_share_of_the_positions_is_hidden():
    hide = drawn_to_hide(torch.zeros(2, 8, 40, 40), 0.25, seeded(0))
    assert hide.shape == (2, 1, 40, 40)
    assert hide.float().mean().item() == pytest.approx(0.25, abs=0.02)
