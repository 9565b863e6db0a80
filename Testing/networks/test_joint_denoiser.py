"""The denoiser of all modalities at once: what it starts from, what it looks at, and gradients that can be used."""

import pytest
import torch
from DiffuFuseMedLib.networks import JointDenoiser

MODALITIES = ("CT", "PET")


def seeded(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def denoiser():
    """A function (axes, context, silent): four latents a modality; its last layer is 0 only if silent."""

    def make(axes=2, context=0, silent=False):
        torch.manual_seed(0)
        made = JointDenoiser(axes, MODALITIES, 4, context, (8, 8))
        if not silent:
            torch.nn.init.normal_(made.leave.weight, std=0.3)
        return made.eval()

    return make


def asked(denoiser, noisy=None, shares=(0.5, 0.5), context=None, space=(8, 8)):
    noisy = noisy or {m: seeded(2, 4, *space, seed=i) for i, m in enumerate(MODALITIES)}
    return denoiser(noisy, {m: torch.full((2,), s) for m, s in zip(MODALITIES, shares, strict=True)}, context)


@pytest.mark.parametrize("space", [(8, 8), (6, 5), (3, 4, 4), (1, 1)], ids=str)
def test_answers_for_every_modality_at_the_size_of_its_latents(denoiser, space):
    answer = asked(denoiser(len(space)), space=space)
    assert {m: v.shape for m, v in answer.items()} == dict.fromkeys(MODALITIES, (2, 4, *space))


def test_says_nothing_before_it_is_trained(denoiser):
    assert all((v == 0).all() for v in asked(denoiser(silent=True)).values())


def test_a_modality_is_told_from_the_other(denoiser):
    noisy = {m: seeded(2, 4, 8, 8, seed=i) for i, m in enumerate(MODALITIES)}
    changed = {**noisy, "CT": noisy["CT"].flip(2)}
    assert not torch.allclose(asked(denoiser(), noisy)["PET"], asked(denoiser(), changed)["PET"])


def test_sees_further_than_its_neighbours(denoiser):
    noisy = {m: torch.zeros(2, 4, 16, 16) for m in MODALITIES}
    changed = {m: z.clone() for m, z in noisy.items()}
    changed["CT"][:, :, 8, 8] = 5
    moved = (asked(denoiser(), changed)["PET"] - asked(denoiser(), noisy)["PET"]).abs().amax(dim=(0, 1))
    assert moved[8, 3] > 1e-5


def test_each_modality_has_a_time_of_its_own(denoiser):
    network = denoiser()
    early_ct, early_pet = asked(network, shares=(0.1, 0.9)), asked(network, shares=(0.9, 0.1))
    assert not torch.allclose(early_ct["CT"], early_pet["CT"])


def test_hears_of_the_coarser_level(denoiser):
    network = denoiser(context=3)
    one, other = (asked(network, context=seeded(2, 3, 8, 8, seed=s))["CT"] for s in (1, 2))
    assert not torch.allclose(one, other)


def test_gradients_of_a_tiny_grid_under_bfloat16_are_those_of_float32(denoiser):
    """Two positions an axis: there the weight gradients of bfloat16 convolutions reached 1e32."""
    grads = []
    for on in (False, True):
        network = denoiser(3)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
            answer = asked(network, space=(3, 4, 4))
        sum((v.float() ** 2).mean() for v in answer.values()).backward()
        grads.append(network.blocks[1].convs[1].weight.grad)
    assert torch.isfinite(grads[1]).all()
    torch.testing.assert_close(grads[1], grads[0], atol=0.1 * float(grads[0].abs().max()), rtol=0)
