"""Fast Fourier convolution: a block whose field is the whole picture from the first layer on.

Chi L, Jiang B, Mu Y (2020), Fast Fourier Convolution, NeurIPS; as LaMa uses it for large holes: Suvorov R et al. 2022,
Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV, doi:10.1109/WACV51458.2022.00323, section 2.1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Branches = tuple[Tensor, Tensor]  # local and global, (B, C_l, H, W) and (B, C_g, H, W)


class BatchNorm(nn.Module):
    """nn.BatchNorm2d over (B, C, H, W) without its count of batches, which in float16 would become infinite."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training)


def normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    """The convolution, batch norm of its `channels` and ReLU; (B, C, H, W) in and out."""
    return nn.Sequential(convolution, BatchNorm(channels), nn.ReLU())


class FourierUnit(nn.Module):
    """A 1 x 1 convolution of the spectrum: real FFT, real and imaginary parts as channels, convolution, inverse FFT."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = normed(nn.Conv2d(2 * channels, 2 * channels, 1, bias=False), 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) in and out."""
        spectrum = torch.fft.rfft2(x.float(), norm="ortho")  # no half precision for sizes that are no powers of two
        real, imaginary = self.mix(torch.cat([spectrum.real, spectrum.imag], dim=1)).float().chunk(2, dim=1)
        return torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[-2:], norm="ortho").to(x.dtype)


class SpectralTransform(nn.Module):
    """The global branch's way to itself: half of the channels through a FourierUnit beside which they are kept."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        half = max(1, out_channels // 2)
        self.narrow = normed(nn.Conv2d(in_channels, half, 1, bias=False), half)
        self.unit = FourierUnit(half)
        self.widen = nn.Conv2d(half, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
        x = self.narrow(x)
        return self.widen(x + self.unit(x))


class ReflectedConv(nn.Conv2d):
    """A 3 x 3 convolution of (B, C, H, W) that sees its own picture mirrored beyond the edge: zeros would be one more
    border."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 3, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (1, 1, 1, 1), mode="reflect"))


class FourierConvolution(nn.Module):
    """Local and global branch, each of what both were: local by 3 x 3 convolutions, global to global by the spectrum.

    (B, local + global, H, W) split into its branches in and out; global_share: of the channels, 0 < share < 1.
    """

    def __init__(self, channels: int, global_share: float) -> None:
        super().__init__()
        wide = min(channels - 1, max(1, round(global_share * channels)))
        near = channels - wide
        self.split = (near, wide)
        self.local_to_local, self.local_to_global = ReflectedConv(near, near), ReflectedConv(near, wide)
        self.global_to_local, self.global_to_global = ReflectedConv(wide, near), SpectralTransform(wide, wide)
        self.norms = nn.ModuleList([BatchNorm(near), BatchNorm(wide)])

    def forward(self, branches: Branches) -> Branches:
        """Both branches (B, C, H, W) cross-fused, normed and rectified."""
        near, wide = branches
        fused = (
            self.local_to_local(near) + self.global_to_local(wide),
            self.local_to_global(near) + self.global_to_global(wide),
        )
        near, wide = (F.relu(norm(x)) for norm, x in zip(self.norms, fused, strict=True))
        return near, wide


class FourierResidualBlock(nn.Module):
    """Two Fourier convolutions beside which what went in is kept; (B, channels, H, W) in and out."""

    def __init__(self, channels: int, global_share: float) -> None:
        super().__init__()
        self.first, self.second = (FourierConvolution(channels, global_share) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        near, wide = x.split(self.first.split, dim=1)
        return x + torch.cat(self.second(self.first((near, wide))), dim=1)
