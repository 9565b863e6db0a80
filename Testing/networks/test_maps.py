"""Encoder, denoiser and decoder: sizes, and who depends on whom."""

import pytest
import torch
from DiffuFuseMedLib.networks import FusionDecoder, LatentDenoiser, PyramidEncoder

SPACES = pytest.mark.parametrize("space", [(32, 16), (16, 32, 16)], ids=["2D", "3D"])


@SPACES
def test_the_encoder_halves_the_map_at_every_level(space):
    maps = PyramidEncoder(len(space), 2, (8, 16, 8), (1, 0, 2))(torch.randn(2, 2, *space))
    assert [m.shape for m in maps] == [(2, c, *[n // 2 ** (i + 1) for n in space]) for i, c in enumerate((8, 16, 8))]


@SPACES
@pytest.mark.parametrize("classes", [1, 3])
def test_the_decoder_answers_at_twice_the_finest_map(space, classes):
    maps = [torch.randn(2, c, *[n // 2 ** (i + 1) for n in space]) for i, c in enumerate((8, 16, 24))]
    logits, coarse = FusionDecoder(len(space), (8, 16, 24), classes)(maps)
    assert logits.shape == (2, classes, *space)
    assert [c.shape for c in coarse] == [(2, classes, *[n // f for n in space]) for f in (4, 2)]


def test_the_decoder_uses_every_map():
    torch.manual_seed(0)
    maps = [torch.randn(1, 8, n, n).requires_grad_() for n in (16, 8, 4)]
    FusionDecoder(2, (8, 8, 8), 1)(maps)[0].pow(2).sum().backward()
    assert all(m.grad.abs().max() > 0 for m in maps)


@pytest.fixture
def a_denoiser():
    torch.manual_seed(0)
    denoiser = LatentDenoiser(2, 8, ("CT", "PET", "MR_T1"))
    torch.nn.init.normal_(denoiser.out.weight)
    return denoiser


@pytest.fixture
def tokens():
    torch.manual_seed(1)
    return {m: torch.randn(2, 8, 4, 4) for m in ("CT", "PET")}


@pytest.fixture
def names():
    torch.manual_seed(2)
    return {m: torch.randn(8) for m in ("CT", "PET", "MR_T1")}


def test_the_denoiser_starts_silent(tokens, names):
    out = LatentDenoiser(2, 8, ("CT", "PET"))(tokens, torch.randn(2, 8), names)
    assert all(torch.equal(out[m], torch.zeros(2, 8, 4, 4)) for m in tokens)


@pytest.mark.parametrize("present", [("CT",), ("CT", "PET"), ("PET", "CT")], ids="+".join)
def test_the_denoiser_answers_for_the_present_modalities_alone(a_denoiser, tokens, names, present):
    out = a_denoiser({m: tokens[m] for m in present}, torch.zeros(2, 8), names)
    assert {m: z.shape for m, z in out.items()} == dict.fromkeys(present, (2, 8, 4, 4))


def test_each_modality_is_denoised_in_sight_of_the_others(a_denoiser, tokens, names):
    """The shared context C of eq. (8)."""
    before = a_denoiser(tokens, torch.zeros(2, 8), names)["CT"]
    tokens["PET"] = tokens["PET"].flip(2)
    assert (a_denoiser(tokens, torch.zeros(2, 8), names)["CT"] - before).abs().max() > 1e-3


def test_the_denoiser_is_told_the_time_and_which_modality_it_cleans(a_denoiser, tokens, names):
    alone = {"CT": tokens["CT"]}
    base = a_denoiser(alone, torch.zeros(2, 8), names)["CT"]
    later = a_denoiser(alone, torch.ones(2, 8), names)["CT"]
    other = a_denoiser(alone, torch.zeros(2, 8), {"CT": names["PET"]})["CT"]
    assert min((x - base).abs().max() for x in (later, other)) > 1e-3


def test_each_sample_of_a_batch_has_its_own_time(a_denoiser, tokens, names):
    times = torch.stack([torch.zeros(8), torch.ones(8)])
    both = a_denoiser(tokens, times, names)["CT"]
    second = a_denoiser({m: z[1:] for m, z in tokens.items()}, times[1:], names)["CT"]
    torch.testing.assert_close(both[1:], second, atol=1e-5, rtol=1e-5)
