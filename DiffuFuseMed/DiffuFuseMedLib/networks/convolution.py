"""3D convolutions on a processor, fast for a single window too.

In float32 torch hands a convolution to oneDNN only from a certain size on; a smaller one of a single window (coarse
levels, few channels) goes through a path of its own, up to nine times as slow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OneDnnConv3d(nn.Conv3d):
    """nn.Conv3d with the same weights and the same answer but for rounding."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002  torch's name
        one_voxel = max(self.kernel_size) == 1  # torch multiplies matrices
        if isinstance(self.padding, str) or self.padding_mode != "zeros" or one_voxel or not _takes(input):
            return super()._conv_forward(input, weight, bias)
        return torch.mkldnn_convolution(input, weight, bias, self.padding, self.stride, self.dilation, self.groups)


def with_onednn(network: nn.Module) -> nn.Module:
    """The same network, its 3D convolutions made to go through oneDNN where they run on a processor in float32."""
    for module in network.modules():
        if type(module) is nn.Conv3d:
            module.__class__ = OneDnnConv3d
    return network


def _takes(x: Tensor) -> bool:
    """Under autocast torch chooses oneDNN by itself, and in another precision."""
    processor = x.device.type == "cpu" and x.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    return processor and not torch.is_autocast_enabled("cpu")
