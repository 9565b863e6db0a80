"""The average calibration error as a part of the loss: mL1-ACE with hard bins, of Barfoot et al., Average Calibration
Losses for Reliable Uncertainty in Medical Image Segmentation, arXiv:2506.03942."""

from __future__ import annotations

from monai.metrics.calibration import calibration_binning
from torch import Tensor

BINS = 20


def average_calibration(logits: Tensor, target: Tensor) -> Tensor:
    """Mean of |probability - share of the class| over the bins of probability that hold any voxel, of each sample and
    channel by itself, a scalar; logits, target: (B, C, *space). One channel is the lesion's; what is not lesion errs as
    far."""
    logits = logits.float()
    probability = logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)
    told, there, _ = calibration_binning(probability, target.float(), num_bins=BINS)
    return (told - there).abs().nanmean()
