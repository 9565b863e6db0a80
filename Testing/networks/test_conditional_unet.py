"""The U-Net under a condition: sizes, what the condition does, how pictures of any size are made to fit."""

import pytest
import torch
from DiffuFuseMedLib.networks.conditional_unet import ConditionalUNet, FilmBlock, padded


@pytest.fixture
def a_unet():
    torch.manual_seed(0)
    return ConditionalUNet(3, 2, (8, 16, 16), 6).eval()


@pytest.mark.parametrize(("height", "width"), [(4, 4), (8, 20), (32, 12)])
def test_a_picture_keeps_its_size(a_unet, height, width):
    assert a_unet(torch.randn(2, 3, height, width), torch.randn(2, 6)).shape == (2, 2, height, width)


def test_the_condition_acts_on_its_own_sample_alone(a_unet):
    x, condition = torch.randn(1, 3, 16, 16).expand(2, -1, -1, -1), torch.randn(2, 6)
    one, other = a_unet(x, condition)
    alone = a_unet(x[:1], condition[:1])[0]
    assert (one - other).abs().max() > 1e-3
    assert torch.allclose(one, alone, atol=1e-5)


def test_every_block_is_conditioned(a_unet):
    condition = torch.randn(1, 6, requires_grad=True)
    a_unet(torch.randn(1, 3, 16, 16), condition).square().mean().backward()
    blocks = [m for m in a_unet.modules() if isinstance(m, FilmBlock)]
    assert len(blocks) == 3 + 1 + 2
    assert all(b.film.weight.grad.abs().max() > 0 for b in blocks)


def test_a_block_without_scale_and_shift_is_a_plain_residual_block():
    torch.manual_seed(0)
    block, x = FilmBlock(8, 8, 4), torch.randn(1, 8, 6, 6)
    torch.nn.init.zeros_(block.film.bias)
    silu = torch.nn.functional.silu
    expected = x + block.conv_out(silu(block.norm_out(block.conv_in(silu(block.norm_in(x))))))
    assert torch.allclose(block(x, torch.zeros(1, 4)), expected, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "expected"), [(5, 9, (8, 12)), (8, 4, (8, 4)), (1, 1, (4, 4))])
def test_padding_goes_on_with_the_last_row_and_column(height, width, expected):
    x = torch.randn(2, 3, height, width)
    larger = padded(x, 4)
    assert larger.shape == (2, 3, *expected)
    assert torch.equal(larger[..., :height, :width], x)
    assert (larger[..., height:, :width] == x[..., -1:, :]).all()
    assert (larger[..., :height, width:] == x[..., -1:]).all()
