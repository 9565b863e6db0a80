"""The clinical composite ROI loss, CLIN-FuseDiff++ eq. (2), and what the fused picture keeps of both sources.

All pictures are (B, 1, H, W) in gray 0..1, all masks the same shape in 0..1. docs/systems/clin-fusediff.md records each
choice where the paper is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 7
C1, C2 = 0.01**2, 0.03**2  # of SSIM (Wang et al., 2004) for gray 0..1
REACH_MM = 20.0  # beyond this a border is simply far


@dataclass(frozen=True)
class Sliders:
    """alpha, beta, gamma: (B,) in 0..1; lambdas: (B, 3); tau_mm: (B,)."""

    alpha: Tensor
    beta: Tensor
    gamma: Tensor
    lambdas: Tensor
    tau_mm: Tensor

    def at(self, index: slice | Tensor) -> Sliders:
        """Those of some samples of the batch."""
        return Sliders(*(value[index] for value in vars(self).values()))

    def views(self) -> tuple[Tensor, Tensor, Tensor]:
        """alpha, beta, gamma as (B, 1, 1, 1), to be multiplied with pictures."""
        return self.alpha[:, None, None, None], self.beta[:, None, None, None], self.gamma[:, None, None, None]


def box(x: Tensor, size: int = WINDOW) -> Tensor:
    """Mean of (B, 1, H, W) over a size x size window, edges reflected."""
    half = size // 2
    return F.avg_pool2d(F.pad(x, (half,) * 4, mode="reflect"), size, 1)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """SSIM of each pixel's 7 x 7 window, (B, 1, H, W), data range 1."""
    mean_a, mean_b = box(a), box(b)
    var_a, var_b = box(a * a) - mean_a**2, box(b * b) - mean_b**2
    cov = box(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return luminance * (2 * cov + C2) / (var_a.clamp(min=0) + var_b.clamp(min=0) + C2)


def inside(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the values inside the mask, (B,); 0 where the mask is empty."""
    return (values * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3)).clamp(min=1)


def roi_ssim_loss(fused: Tensor, source: Tensor, mask: Tensor) -> Tensor:
    """1 - SSIM(F, I | M) of (2), (B,); 0 where the mask is empty."""
    return inside(1 - ssim_map(fused, source), mask)


def dice_loss(probability: Tensor, lesion: Tensor) -> Tensor:
    """1 - Dice of (B, 1, H, W), smoothed by one pixel, (B,)."""
    overlap = (probability * lesion).sum(dim=(1, 2, 3))
    return 1 - (2 * overlap + 1) / (probability.sum(dim=(1, 2, 3)) + lesion.sum(dim=(1, 2, 3)) + 1)


def soft_border(mask: Tensor) -> Tensor:
    """How much of a border each pixel of (B, 1, H, W) is: mask less its erosion, differentiable."""
    return mask + F.max_pool2d(-mask, 3, 1, 1)


def nsd_loss(probability: Tensor, lesion: Tensor, distance_mm: Tensor, tau_mm: Tensor) -> Tensor:
    """Surrogate of 1 - NSD at tau: the share of the predicted border within tau of the reference's, and of the
    reference's border where the prediction is undecided, weighed alike; (B,).
    distance_mm: to the reference border; tau_mm: (B,)."""
    tau = tau_mm.view(-1, 1, 1, 1)
    near = torch.sigmoid((tau - distance_mm) / 0.5)
    predicted, reference = soft_border(probability), soft_border(lesion)
    precise = (predicted * near).sum(dim=(1, 2, 3)) / predicted.sum(dim=(1, 2, 3)).clamp(min=1)
    undecided = 1 - (2 * box(probability, 5) - 1).abs()
    found = (reference * undecided).sum(dim=(1, 2, 3)) / reference.sum(dim=(1, 2, 3)).clamp(min=1)
    return 1 - (precise + found) / 2


def hd95_loss(probability: Tensor, lesion: Tensor, distance_mm: Tensor) -> Tensor:
    """Surrogate of HD95 by squared distance (Karimi and Salcudean, 2019): mean of (p - s)^2 d^2, d in units of 20 mm,
    over the pixels within reach, (B,)."""
    d = (distance_mm / REACH_MM).clamp(max=1)
    return ((probability - lesion) ** 2 * d**2).sum(dim=(1, 2, 3)) / lesion.sum(dim=(1, 2, 3)).clamp(min=1)


def lesion_loss(probability: Tensor, lesion: Tensor, distance_mm: Tensor, sliders: Sliders) -> Tensor:
    """The bracket of (2), (B,); 0 for a picture without a lesion."""
    parts = torch.stack(
        [
            dice_loss(probability, lesion),
            nsd_loss(probability, lesion, distance_mm, sliders.tau_mm),
            hd95_loss(probability, lesion, distance_mm),
        ],
        dim=1,
    )
    there = (lesion.amax(dim=(1, 2, 3)) > 0.5).float()
    return there * (sliders.lambdas * parts).sum(dim=1)


def roi_loss(
    fused: Tensor, mri: Tensor, ct: Tensor, masks: Mapping[str, Tensor], lesion: Tensor, sliders: Sliders
) -> Tensor:
    """Eq. (2), (B,); lesion: its bracket, already weighted by the lambdas."""
    soft = roi_ssim_loss(fused, mri, masks["soft"])
    bone = roi_ssim_loss(fused, ct, masks["bone"])
    return sliders.alpha * soft + sliders.beta * bone + sliders.gamma * lesion


def gradients(x: Tensor) -> Tensor:
    """Sobel gradients, (B, 2, H, W); by differences, since autocast would convolve in bfloat16."""
    x = F.pad(x, (1,) * 4, mode="replicate")
    smooth = lambda y, axis: _part(y, axis, 0) + 2 * _part(y, axis, 1) + _part(y, axis, 2)  # noqa: E731
    return torch.cat([smooth(_part(x, a, 2) - _part(x, a, 0), b) for a, b in ((3, 2), (2, 3))], dim=1) / 8


def _part(x: Tensor, axis: int, start: int) -> Tensor:
    """All but two lines of an axis, from `start` on."""
    return x.narrow(axis, start, x.shape[axis] - 2)


def edge_loss(fused: Tensor, mri: Tensor, ct: Tensor) -> Tensor:
    """1 - Q, Q a differentiable form of the edge transfer of Xydeas and Petrovic (2000), (B,): relative strength times
    direction, weighed by the strength of the source's edge."""
    f = gradients(fused)
    strength = (f.pow(2).sum(1, keepdim=True) + 1e-6).sqrt()
    kept, weight = fused.new_zeros(len(fused)), fused.new_zeros(len(fused))
    for source in (mri, ct):
        g = gradients(source)
        s = (g.pow(2).sum(1, keepdim=True) + 1e-6).sqrt()
        ratio = torch.minimum(strength, s) / torch.maximum(strength, s)
        cosine = ((f * g).sum(1, keepdim=True) / (strength * s)).abs().clamp(max=0.999)
        turned = 1 - torch.acos(cosine) * (2 / torch.pi)
        kept = kept + (torch.sigmoid(15 * (ratio - 0.5)) * torch.sigmoid(22 * (turned - 0.8)) * s).sum(dim=(1, 2, 3))
        weight = weight + s.sum(dim=(1, 2, 3))
    return 1 - kept / weight.clamp(min=1e-6)


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Pearson's r of two pictures inside a mask, (B,)."""
    a, b = ((x - inside(x, mask).view(-1, 1, 1, 1)) * mask for x in (a, b))
    product, squares = (a * b).sum(dim=(1, 2, 3)), (a * a).sum(dim=(1, 2, 3)) * (b * b).sum(dim=(1, 2, 3))
    return product / (squares + 1e-8).sqrt()


def differences_loss(fused: Tensor, mri: Tensor, ct: Tensor) -> Tensor:
    """2 - SCD (Aslantas and Bendes, 2015), (B,): what the picture adds to one source should be the other."""
    everywhere = torch.ones_like(fused)
    return 2 - correlation(fused - mri, ct, everywhere) - correlation(fused - ct, mri, everywhere)


def hidden_ct_loss(fused: Tensor, ct: Tensor, mri: Tensor, soft: Tensor, wanted: float = 0.82) -> Tensor:
    """How much the partial correlation of the picture with CT given MRI, inside the soft ROI, falls short, (B,).

    What CT alone shows there (bleeding, calcification, gas, metal) must not vanish because the ROI says MRI."""
    fc, fm, cm = correlation(fused, ct, soft), correlation(fused, mri, soft), correlation(ct, mri, soft)
    partial = (fc - fm * cm) / ((1 - fm**2).clamp(min=1e-4) * (1 - cm**2).clamp(min=1e-4)).sqrt()
    there = (soft.sum(dim=(1, 2, 3)) > 200).float()
    return there * F.relu(wanted - partial)
