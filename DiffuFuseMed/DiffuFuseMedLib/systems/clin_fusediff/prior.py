"""What a fused picture can look like: the pictures x_0 that the teacher's diffusion learns.

No fused image of a patient exists. The prior's pictures are random multi-scale mixtures of the registered pair in which
every low and every fine structure comes from one of the two or both; which one, (2) and the sliders decide by guidance.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ...losses.roi import box

BROAD = 9


def random_fusion(mri: Tensor, ct: Tensor, masks: dict[str, Tensor], generator: torch.Generator) -> Tensor:
    """(B, 1, H, W) in 0..1; MRI is likelier in soft tissue, CT in bone, and only CT where the MRI sees nothing."""
    lean = 3.0 * torch.rand(len(mri), 1, 1, 1, generator=generator)
    toward = lean * (masks["soft"] - masks["bone"])
    w_low, w_fine = (torch.sigmoid(2 * _smooth_noise(mri, generator) + toward) for _ in range(2))
    w_low, w_fine = w_low * masks["valid"], w_fine * masks["valid"]
    low_mri, low_ct = box(mri, BROAD), box(ct, BROAD)
    fine_mri, fine_ct = mri - low_mri, ct - low_ct
    stronger = torch.where(fine_mri.abs() * masks["valid"] > fine_ct.abs(), fine_mri, fine_ct)
    selects = (torch.rand(len(mri), 1, 1, 1, generator=generator) < 0.5).float()
    fine = selects * stronger + (1 - selects) * (w_fine * fine_mri + (1 - w_fine) * fine_ct)
    mixed = w_low * low_mri + (1 - w_low) * low_ct + fine
    brighter = (torch.rand(len(mri), 1, 1, 1, generator=generator) < 0.25).float()
    return (brighter * torch.maximum(mri, ct) + (1 - brighter) * mixed).clamp(0, 1)


def _smooth_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    coarse = torch.randn(len(like), 1, 5, 5, generator=generator)
    return F.interpolate(coarse, size=like.shape[-2:], mode="bicubic", align_corners=True)
