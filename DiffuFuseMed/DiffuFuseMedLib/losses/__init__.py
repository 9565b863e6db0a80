"""Losses, each with its equation."""

from .batch import Batch, Losses
from .drgo import Drgo, drgo, label_continuity
from .energy import energy_score
from .latent import alignment, barycenter, noise_prediction, reliability, share_of_best_scalar
from .readers import Readers, readers_of
from .segmentation import (
    WITHOUT_BOUNDARY,
    SegmentationWeights,
    boundary,
    coarse_targets,
    cross_entropy,
    segmentation,
    soft_dice,
)
from .variational import kl_of_normals, mask_nll

__all__ = [
    "WITHOUT_BOUNDARY",
    "Batch",
    "Drgo",
    "Losses",
    "Readers",
    "SegmentationWeights",
    "alignment",
    "barycenter",
    "boundary",
    "coarse_targets",
    "cross_entropy",
    "drgo",
    "energy_score",
    "kl_of_normals",
    "label_continuity",
    "mask_nll",
    "noise_prediction",
    "readers_of",
    "reliability",
    "segmentation",
    "share_of_best_scalar",
    "soft_dice",
]
