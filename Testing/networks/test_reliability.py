"""Reliability and gates, eq. (11), (12)."""

from math import exp

import pytest
import torch
from DiffuFuseMedLib.networks import Reliability, gates, texture, uniform_gates


def test_gates_are_the_softmax_of_sharpened_reliabilities():
    """rho 1/2 and 1 at sharpness 4: exp(2) against exp(4)."""
    found = gates({"CT": torch.tensor([0.0]), "PET": torch.tensor([100.0])}, sharpness=4.0)
    assert found["CT"].item() == pytest.approx(exp(2) / (exp(2) + exp(4)))
    assert found["PET"].item() == pytest.approx(exp(4) / (exp(2) + exp(4)))


@pytest.mark.parametrize("make", [lambda x: gates(x, 4.0), uniform_gates], ids=["gating", "no gating"])
@pytest.mark.parametrize("names", [("CT",), ("CT", "PET"), ("CT", "PET", "MR_T1", "MR_T2")], ids=len)
def test_gates_of_the_present_modalities_sum_to_one(make, names):
    logits = {m: 3 * torch.randn(5, generator=torch.Generator().manual_seed(i)) for i, m in enumerate(names)}
    found = make(logits)
    assert tuple(found) == names
    torch.testing.assert_close(sum(found.values()), torch.ones(5))


def test_a_reliable_modality_outweighs_another_by_no_more_than_the_sharpness_allows():
    found = gates({"CT": torch.tensor([-100.0]), "PET": torch.tensor([100.0])}, sharpness=4.0)
    assert (found["PET"] / found["CT"]).item() == pytest.approx(exp(4), rel=1e-5)


@pytest.mark.parametrize("space", [(4, 4), (4, 4, 4)], ids=["2D", "3D"])
def test_looks_at_the_mean_token_the_spread_of_the_residual_and_the_texture_and_at_nothing_else(space):
    torch.manual_seed(0)
    noisy, residual, grain = torch.randn(2, 8, *space), torch.randn(2, 8, *space), torch.randn(2, 7)
    estimator = Reliability(8, 2)
    base = estimator(noisy, residual, grain)
    assert base.shape == (2,)
    shuffled = [x.flatten(2)[..., torch.randperm(x[0, 0].numel())].view_as(x) for x in (noisy, residual)]
    torch.testing.assert_close(estimator(*shuffled, grain), base, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(estimator(noisy, residual + 7, grain), base, atol=1e-4, rtol=1e-4)
    assert (estimator(noisy, 3 * residual, grain) - base).abs().min() > 1e-3
    assert (estimator(noisy + 1, residual, grain) - base).abs().min() > 1e-3
    assert (estimator(noisy, residual, grain + 1) - base).abs().min() > 1e-3


def test_a_residual_of_nothing_is_no_infinity():
    torch.manual_seed(0)
    assert torch.isfinite(Reliability(8, 2)(torch.zeros(1, 8, 4, 4), torch.zeros(1, 8, 4, 4), torch.zeros(1, 7))).all()


def test_a_single_token_has_no_spread():
    """What a window of one stride leaves at the coarsest level."""
    torch.manual_seed(0)
    estimator, noisy, grain = Reliability(8, 2), torch.randn(2, 8, 1, 1), torch.zeros(2, 7)
    one, none = torch.ones(2, 8, 1, 1), torch.zeros(2, 8, 1, 1)
    assert torch.equal(estimator(noisy, one, grain), estimator(noisy, none, grain))


def image_of(value):
    """Intensity and valid, with the right half outside the field of view."""
    valid = torch.ones_like(value)
    valid[..., value.shape[-1] // 2 :] = 0
    return torch.cat([value * valid, valid], dim=1)


@pytest.mark.parametrize("space", [(32, 32), (16, 16, 32)], ids=["2D", "3D"])
def test_texture_rises_with_noise_and_falls_with_blur_whatever_the_scale(space):
    torch.manual_seed(0)
    smooth = torch.linspace(-1, 1, space[-1]).expand(1, 1, *space) + 0.1 * torch.randn(1, 1, *space)
    plain = texture(image_of(smooth))[0]
    assert plain.shape == (3 * len(space) + 1,)
    finest = slice(0, len(space))
    assert (texture(image_of(smooth + 0.5 * torch.randn(1, 1, *space)))[0, finest] > plain[finest] + 0.5).all()
    blurred = torch.nn.functional.avg_pool1d(smooth.flatten(0, -2), 5, 1, 2, count_include_pad=False).view_as(smooth)
    assert texture(image_of(blurred))[0, len(space) - 1] < plain[len(space) - 1] - 0.5
    torch.testing.assert_close(texture(image_of(3 * smooth))[0, finest], plain[finest], atol=0.01, rtol=0)


def test_texture_does_not_see_what_lies_outside_the_field_of_view():
    torch.manual_seed(0)
    image = image_of(torch.randn(1, 1, 16, 16))
    other = image.clone()
    other[:, :1, :, 8:] = 100
    torch.testing.assert_close(texture(other)[0, :2], texture(image)[0, :2])


def test_texture_of_a_constant_or_empty_image_is_finite():
    assert torch.isfinite(texture(torch.ones(1, 2, 16, 16))).all()
    assert torch.isfinite(texture(torch.zeros(1, 2, 16, 16))).all()
