"""Convolutions by oneDNN: the same answer, whichever way it is asked for, and that way only where it can be gone."""

import pytest
import torch
from DiffuFuseMedLib.networks.convolution import OneDnnConv3d, with_onednn
from torch import nn


@pytest.fixture
def asked(monkeypatch):
    """The shapes that went through oneDNN."""
    shapes, original = [], torch.mkldnn_convolution
    monkeypatch.setattr(torch, "mkldnn_convolution", lambda x, *rest: shapes.append(x.shape) or original(x, *rest))
    return shapes


@pytest.mark.parametrize(
    "settings",
    [{"padding": 1}, {"stride": 2}, {"dilation": (1, 2, 1), "padding": (0, 2, 1)}, {"groups": 2, "bias": False}],
    ids=str,
)
def test_the_answer_is_torchs_own(asked, settings):
    layer, x = nn.Conv3d(4, 6, 3, **settings), torch.randn(1, 4, 7, 8, 9)
    expected = layer(x)
    torch.testing.assert_close(with_onednn(layer)(x), expected, rtol=1e-4, atol=1e-5)
    assert asked == [x.shape]


def test_gradients_are_torchs_own():
    layer, x = nn.Conv3d(2, 3, 3), torch.randn(1, 2, 5, 5, 5)
    expected = torch.autograd.grad(layer(x).square().sum(), layer.weight)[0]
    found = torch.autograd.grad(with_onednn(layer)(x).square().sum(), layer.weight)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{"padding": "same"}, {"padding": 1, "padding_mode": "replicate"}], ids=str)
def test_what_onednn_does_not_pad_goes_torchs_way(asked, settings):
    layer, x = nn.Conv3d(2, 2, 3, **settings), torch.randn(1, 2, 5, 5, 5)
    torch.testing.assert_close(with_onednn(layer)(x), layer(x))
    assert layer(x).shape == x.shape
    assert not asked


def test_a_kernel_of_one_voxel_goes_torchs_way(asked):
    with_onednn(nn.Conv3d(2, 2, 1))(torch.randn(1, 2, 5, 5, 5))
    assert not asked


def test_autocast_and_other_types_go_torchs_way(asked):
    layer = with_onednn(nn.Conv3d(2, 2, 3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.randn(1, 2, 5, 5, 5)).dtype == torch.bfloat16
    assert layer.double()(torch.randn(1, 2, 5, 5, 5).double()).dtype == torch.float64
    assert not asked


def test_only_the_convolutions_of_a_network_change_and_its_weights_keep_their_names():
    network = nn.Sequential(nn.Conv3d(1, 2, 3), nn.GroupNorm(1, 2), nn.ConvTranspose3d(2, 1, 2), nn.Conv2d(1, 1, 1))
    names = list(network.state_dict())
    assert [type(m) for m in with_onednn(network)] == [OneDnnConv3d, nn.GroupNorm, nn.ConvTranspose3d, nn.Conv2d]
    assert list(network.state_dict()) == names
