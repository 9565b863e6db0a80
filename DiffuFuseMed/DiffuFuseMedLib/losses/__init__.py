"""Losses, each with its equation."""

from .batch import Batch, Losses
from .latent import alignment, barycenter, noise_prediction, reliability
from .segmentation import SegmentationWeights, boundary, coarse_targets, cross_entropy, segmentation, soft_dice

__all__ = [
    "Batch",
    "Losses",
    "SegmentationWeights",
    "alignment",
    "barycenter",
    "boundary",
    "coarse_targets",
    "cross_entropy",
    "noise_prediction",
    "reliability",
    "segmentation",
    "soft_dice",
]
