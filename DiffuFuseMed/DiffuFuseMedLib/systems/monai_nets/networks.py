"""MONAI's networks by name, with normalisation that works for a batch of one and for the smallest window.

- U-Net: O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015.
- Attention U-Net: O. Oktay et al., MIDL 2018.
- Swin UNETR: A. Hatamizadeh et al., BrainLes 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

import torch
from monai.networks.nets import AttentionUnet, BasicUNet, SwinUNETR
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .config import Config

GROUPS = 8
SWIN_STRIDE = 32
SWIN_GROUPS = 4


class _NumbersOnTheProcessor(TorchFunctionMode):
    """SwinUNETR reads numbers from a tensor as it is built: on the meta device, where a record's config is tried
    without memory, there would be none."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        placed = {"device": "cpu"} if func is torch.linspace else {}
        return func(*args, **(kwargs or {}), **placed)


class PaddedSwinUNETR(nn.Module):
    """Swin UNETR takes multiples of 32 alone: zeros are added, as beyond the field of view, and cut off again."""

    def __init__(self, spatial_dims: int, in_channels: int, classes: int, feature_size: int) -> None:
        super().__init__()
        norm = ("group", {"num_groups": SWIN_GROUPS})
        with _NumbersOnTheProcessor():
            self.network = SwinUNETR(
                in_channels, classes, feature_size=feature_size, spatial_dims=spatial_dims, norm_name=norm
            )
        _leave_places_out_of_the_weights(self.network)

    def forward(self, x: Tensor) -> Tensor:
        space = x.shape[2:]
        added = [a for n in reversed(space) for a in (0, -n % SWIN_STRIDE)]
        return self.network(F.pad(x, added))[(..., *(slice(n) for n in space))]


def _leave_places_out_of_the_weights(network: nn.Module) -> None:
    """Which bias belongs to which pair of positions follows from the window; stored in float16 as weights are, the
    numbers beyond 2048 would be others."""
    for module in network.modules():
        for name, places in list(module.named_buffers(recurse=False)):
            module.register_buffer(name, places, persistent=False)


def _unet(c: Config) -> nn.Module:
    norm = ("group", {"num_groups": GROUPS})
    features = (*c.channels, c.channels[0])
    return BasicUNet(c.spatial_dims, 2 * len(c.modalities), c.classes, features, norm=norm)


def _attention_unet(c: Config) -> nn.Module:
    strides = (2,) * (len(c.channels) - 1)
    network = AttentionUnet(c.spatial_dims, 2 * len(c.modalities), c.classes, c.channels, strides)
    return without_batch_statistics(network)


def _swin_unetr(c: Config) -> nn.Module:
    return PaddedSwinUNETR(c.spatial_dims, 2 * len(c.modalities), c.classes, c.channels[0])


NETWORKS: dict[str, Callable[[Config], nn.Module]] = {
    "unet": _unet,
    "attention-unet": _attention_unet,
    "swin-unetr": _swin_unetr,
}


def without_batch_statistics(network: nn.Module) -> nn.Module:
    """The same network with group for batch normalisation: of two windows the statistics say little, and a moving
    average of weights has none of its own."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                groups = gcd(GROUPS, child.num_features)
                setattr(parent, name, nn.GroupNorm(groups, child.num_features))
    return network
