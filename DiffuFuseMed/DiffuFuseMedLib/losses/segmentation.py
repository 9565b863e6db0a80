"""Segmentation losses, DiffuFuseMed eq. (20)-(23): cross-entropy, soft Dice and the boundary loss."""

from __future__ import annotations

from dataclasses import dataclass

from monai.losses import DiceLoss
from torch import Tensor
from torch.nn import functional as F

from ..core.triples import pair, triple


@dataclass(frozen=True)
class SegmentationWeights:
    """alpha, beta, gamma of eq. (23) and epsilon of eq. (21)."""

    bce: float = 1.0
    dice: float = 1.0
    boundary: float = 0.2
    dice_epsilon: float = 1.0


WITHOUT_BOUNDARY = SegmentationWeights(boundary=0.0)  # of a plain network: cross-entropy and Dice


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Eq. (20) for one channel; over channels as a softmax when there are several. target: one-hot, (B, C, ...)."""
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits, target)
    return F.cross_entropy(logits, target)


def soft_dice(logits: Tensor, target: Tensor, epsilon: float = 1.0) -> Tensor:
    """Eq. (21), a mean over samples and channels, a scalar; logits, target: (B, C, *space)."""
    many = logits.shape[1] > 1
    return DiceLoss(sigmoid=not many, softmax=many, smooth_nr=epsilon, smooth_dr=epsilon)(logits, target)


def boundary(logits: Tensor, target: Tensor, distance: Tensor) -> Tensor:
    """Eq. (22): mean of d |y_hat - y| with d >= 0 the distance to the reference border.

    logits, target: (B, C, *space); distance: (B, 1, *space).
    """
    probability = logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)
    return (distance * (probability - target).abs()).mean()


def segmentation(logits: Tensor, target: Tensor, distance: Tensor, weights: SegmentationWeights) -> dict[str, Tensor]:
    """The weighted terms of eq. (23), scalars. logits, target: (B, C, *space); distance: (B, 1, *space).

    The distance is a share of the window's reach, so that weights keep their meaning.
    """
    logits = logits.float()
    return {
        "bce": weights.bce * cross_entropy(logits, target),
        "dice": weights.dice * soft_dice(logits, target, weights.dice_epsilon),
        "boundary": weights.boundary * boundary(logits, target, distance),
    }


def coarse_targets(target: Tensor, like: Tensor) -> Tensor:
    """The target (B, C, *space) averaged to a coarser map's size: a soft label, as such a voxel can be part lesion."""
    if like.ndim == 5:
        return F.adaptive_avg_pool3d(target, triple(like.shape[2:]))
    return F.adaptive_avg_pool2d(target, pair(like.shape[2:]))
