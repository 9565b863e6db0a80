"""DG-CMT, eq. (15)-(18): what a token attends to, and what that costs."""

import math

import pytest
import torch
from DiffuFuseMedLib.networks.cross_modal import CrossModalBlock, from_windows, to_windows, window_shape
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import gelu, layer_norm
from torch.utils.flop_counter import FlopCounterMode


@pytest.fixture
def a_block():
    """A function of window and summary edge: a block of eight channels in two heads, weights of a fixed seed."""

    def block(window, summary):
        torch.manual_seed(0)
        return CrossModalBlock(8, 2, window, summary).eval()

    return block


def some_tokens(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("shape", "edge", "window"),
    [((16, 16, 12), 4, (4, 4, 4)), ((6, 9), 4, (3, 3)), ((2, 3), 4, (2, 3)), ((7, 5), 4, (1, 1)), ((1, 8), 4, (1, 4))],
)
def test_a_window_tiles_the_level_without_padding(shape, edge, window):
    assert window_shape(shape, edge) == window


@pytest.mark.parametrize(("space", "window"), [((4, 6), (2, 3)), ((4, 6, 2), (2, 3, 1)), ((4, 4), (4, 4))])
def test_windows_put_together_again_are_the_level(space, window):
    tokens = some_tokens(2, 3, 5, *space)
    windows = to_windows(tokens, window)
    assert windows.shape == (2, math.prod(space) // math.prod(window), 3 * math.prod(window), 5)
    assert torch.equal(from_windows(windows, window, tokens.shape), tokens)


def test_a_window_holds_its_own_places_of_every_modality():
    """A 4 x 4 map numbered row by row, the second modality from 100: the last 2 x 2 window is 10, 11, 14, 15."""
    first = torch.arange(16.0).view(1, 1, 1, 4, 4)
    windows = to_windows(torch.cat([first, first + 100], dim=1), (2, 2))
    assert windows[0, 3, :, 0].tolist() == [10, 11, 14, 15, 110, 111, 114, 115]


def test_is_the_papers_attention_over_the_tokens_of_all_modalities_and_their_averages(a_block):
    """Eq. (15)-(18) written out for one window of 2 x 2 with one summary token per modality."""
    block, fused, bias = a_block(2, 1), some_tokens(1, 2, 8, 2, 2), some_tokens(1, 2, 8)
    z = fused.flatten(3).transpose(2, 3)  # (1, M, N, d)
    values = torch.cat([z.flatten(1, 2), z.mean(dim=2)], dim=1)[0]
    keys = torch.cat([(z + bias[:, :, None]).flatten(1, 2), z.mean(dim=2) + bias], dim=1)[0]
    tokens = z.flatten(1, 2)[0]
    q, k, v = block.q(tokens), block.k(keys), block.v(values)
    heads = [torch.softmax(q[:, h] @ k[:, h].T / math.sqrt(4), dim=1) @ v[:, h] for h in (slice(0, 4), slice(4, 8))]
    hidden = layer_norm(tokens + block.out(torch.cat(heads, dim=1)), (8,))
    hidden = layer_norm(hidden + block.ffn[2](gelu(block.ffn[0](hidden))), (8,))
    expected = hidden.view(2, 4, 8).transpose(1, 2).view(1, 2, 8, 2, 2)
    torch.testing.assert_close(block(fused, bias), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("space", [(8, 8), (8, 8, 8)], ids=["2D", "3D"])
def test_a_token_hears_of_every_place_in_every_modality(a_block, space):
    fused = some_tokens(1, 2, 8, *space).requires_grad_()
    corner = a_block(2, 2)(fused, torch.zeros(1, 2, 8))[(0, 0, slice(None), *[0] * len(space))]
    heard = torch.autograd.grad(corner.pow(2).sum(), fused)[0].abs().sum(dim=2)
    assert (heard > 0).all()


def test_a_token_listens_to_its_own_window_more_closely_than_to_a_far_one(a_block):
    fused = some_tokens(1, 2, 8, 8, 8).requires_grad_()
    corner = a_block(2, 2)(fused, torch.zeros(1, 2, 8))[0, 0, :, 0, 0]
    heard = torch.autograd.grad(corner.pow(2).sum(), fused)[0].abs().sum(dim=2)[0]
    assert heard[1, :2, :2].mean() > 3 * heard[1, 6:, 6:].mean()


def test_a_bias_on_the_keys_of_one_modality_moves_attention_and_one_common_to_all_cancels(a_block):
    """softmax(q (k + c)) = softmax(q k): a T that is the same for all tokens cannot act through the keys alone."""
    block, fused, bias = a_block(2, 2), some_tokens(1, 2, 8, 4, 4), some_tokens(1, 2, 8)
    plain = block(fused, bias)
    torch.testing.assert_close(block(fused, bias + 5 * some_tokens(1, 1, 8)), plain, atol=1e-4, rtol=1e-4)
    one = bias * torch.tensor([1.0, -1.0]).view(1, 2, 1)
    assert (block(fused, one) - plain).abs().max() > 1e-2


def test_a_time_on_the_queries_moves_attention(a_block):
    """What the keys cannot carry, the queries can: softmax((q + c) k) is not softmax(q k)."""
    block, fused, bias = a_block(2, 2), some_tokens(1, 2, 8, 4, 4), some_tokens(1, 2, 8)
    plain = block(fused, bias)
    torch.testing.assert_close(block(fused, bias, torch.zeros(1, 8)), plain)
    assert (block(fused, bias, some_tokens(1, 8)) - plain).abs().max() > 1e-2


def test_an_order_of_modalities_is_only_an_order(a_block):
    block, fused, bias = a_block(2, 2), some_tokens(1, 3, 8, 4, 4), some_tokens(1, 3, 8)
    turned = block(fused.flip(1), bias.flip(1)).flip(1)
    torch.testing.assert_close(turned, block(fused, bias), atol=1e-5, rtol=1e-5)


def flops_of(block, edge):
    """Floating point operations on edge^3 positions of two modalities; on the meta device nothing is computed."""
    tokens, bias = torch.empty(1, 2, 8, edge, edge, edge, device="meta"), torch.empty(1, 2, 8, device="meta")
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        block.to("meta")(tokens, bias)
    return counter.get_total_flops()


def test_cost_grows_linearly_with_the_number_of_tokens(a_block):
    assert 7.5 < flops_of(a_block(4, 2), 16) / flops_of(a_block(4, 2), 8) < 9.5


def test_full_attention_would_grow_with_its_square(a_block):
    """The count above does see attention: one window over everything costs nearly 64 times as much for 8 times N."""
    assert flops_of(a_block(32, 1), 32) / flops_of(a_block(16, 1), 16) > 55
