"""Fourier convolutions: what each branch sees, sizes that are no powers of two, and weights that are stored finite."""

import pytest
import torch
from DiffuFuseMedLib.networks.fourier_convolution import (
    BatchNorm,
    FourierConvolution,
    FourierResidualBlock,
    FourierUnit,
    ReflectedConv,
    SpectralTransform,
)


def reach(block, pick=lambda y: y):
    """bool (H, W): the pixels that the middle pixel of what comes out depends on."""
    x = torch.randn(1, 8, 20, 24, requires_grad=True)
    pick(block(x))[0, :, 10, 12].sum().backward()
    return x.grad[0].abs().amax(dim=0) > 0


@pytest.fixture
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [(20, 24), (21, 24), (20, 23), (7, 9)])
def test_a_block_keeps_the_shape_of_any_size(seeded, size):
    x = torch.randn(2, 8, *size)
    for block in (FourierResidualBlock(8, 0.75), FourierUnit(8), SpectralTransform(8, 8)):
        assert block(x).shape == x.shape


def test_the_global_branch_sees_the_whole_picture_and_the_local_one_its_neighbors(seeded):
    block = FourierConvolution(8, 0.5).eval()
    near, wide = (lambda x, i=i: block((x[:, :4], x[:, 4:]))[i] for i in (0, 1))
    of_local = reach(near)
    assert of_local.sum() == 9 and of_local[9:12, 11:14].all()
    far = reach(wide)  # not everywhere: what is rectified away is not reached
    assert far.float().mean() > 0.5 and far[0].any() and far[-1].any() and far[:, 0].any() and far[:, -1].any()


@pytest.mark.parametrize("way", ["local_to_local", "local_to_global", "global_to_local", "global_to_global"])
def test_each_of_the_four_ways_has_a_part_in_what_comes_out(seeded, way):
    block = FourierConvolution(8, 0.5)
    x = (torch.randn(2, 4, 12, 12), torch.randn(2, 4, 12, 12))
    before = torch.cat(block(x), dim=1)
    with torch.no_grad():
        for parameter in getattr(block, way).parameters():
            parameter.zero_()
    changed = (torch.cat(block(x), dim=1) != before).flatten(2).any(dim=2)[0]
    to_global = way.endswith("to_global")
    assert changed[4:].any() == to_global and changed[:4].any() != to_global


def test_the_share_says_how_many_channels_are_global():
    assert [FourierConvolution(16, share).split for share in (0.25, 0.75, 0.001, 1.0)] == [
        (12, 4),
        (4, 12),
        (15, 1),
        (1, 15),
    ]


def test_a_fourier_unit_that_passes_its_spectrum_on_gives_the_positive_part_back(seeded):
    """With the identity as its convolution what is left is the rectified spectrum's picture."""
    unit = FourierUnit(3).eval()
    with torch.no_grad():
        unit.mix[0].weight.copy_(torch.eye(6)[:, :, None, None])
    x = torch.randn(2, 3, 9, 10)
    spectrum = torch.fft.rfft2(x, norm="ortho")
    wanted = torch.fft.irfft2(torch.complex(spectrum.real.relu(), spectrum.imag.relu()), s=(9, 10), norm="ortho")
    assert torch.allclose(unit(x), wanted, atol=1e-4)


def test_a_residual_block_adds_to_what_went_in(seeded):
    block = FourierResidualBlock(8, 0.75)
    with torch.no_grad():
        for norm in block.second.norms:
            norm.weight.zero_()
    x = torch.randn(2, 8, 12, 12)
    assert torch.equal(block(x), x)


def test_a_picture_without_contrast_shows_no_border(seeded):
    """Zeros beyond the edge would be one."""
    y = ReflectedConv(2, 3)(torch.full((1, 2, 8, 8), 2.5))
    assert torch.allclose(y, y[..., 4:5, 4:5].expand_as(y), atol=1e-5)


def test_batch_norm_is_torchs_but_for_the_count(seeded):
    ours, theirs, x = BatchNorm(4), torch.nn.BatchNorm2d(4), 3 * torch.randn(5, 4, 6, 6) + 1
    for _ in range(3):
        assert torch.allclose(ours(x), theirs(x))
    assert torch.allclose(ours.eval()(x), theirs.eval()(x))
    assert set(theirs.state_dict()) - set(ours.state_dict()) == {"num_batches_tracked"}
    BatchNorm(4).load_state_dict({k: v.half() for k, v in ours.state_dict().items()})  # as files of weights give it


def test_half_precision_goes_through_a_spectrum_of_any_size(seeded):
    block = FourierResidualBlock(8, 0.75)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(block(torch.randn(1, 8, 9, 12))).all()
