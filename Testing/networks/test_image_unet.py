"""A plain U-Net of images beside each other."""

import pytest
import torch
from DiffuFuseMedLib.networks.image_unet import ImageUNet


@pytest.fixture
def a_unet():
    """A function (dims, classes) of three levels of eight channels."""

    def network(dims=2, classes=1):
        torch.manual_seed(0)
        return ImageUNet(dims, 2, (8, 8, 8), (1, 1, 1), classes=classes, full=4).eval()

    return network


@pytest.mark.parametrize("space", [(16, 24), (8, 16, 8)], ids=str)
def test_answers_at_full_size_and_at_the_sizes_that_it_learns_from(a_unet, space):
    logits, coarse = a_unet(len(space), 3)(torch.randn(2, 2, *space))
    assert logits.shape == (2, 3, *space)
    sizes = [tuple(n // s for n in space) for s in (4, 2)]
    assert [tuple(x.shape[2:]) for x in coarse] == sizes


@pytest.mark.parametrize("level", range(3))
def test_what_a_level_keeps_is_what_the_decoder_hears_of_it(a_unet, level):
    network, x = a_unet(), torch.randn(1, 2, 16, 16)
    everything = [torch.ones(1, 8, 1, 1) for _ in range(3)]
    assert torch.equal(network(x, everything)[0], network(x)[0])
    without = [torch.zeros_like(k) if n == level else k for n, k in enumerate(everything)]
    assert not torch.equal(network(x, without)[0], network(x)[0])
