"""How good a prediction is: overlap, calibration, intervals, lesion numbers."""

from ..core.lesion import quantify
from .bootstrap import mean_interval
from .calibration import band, calibration_scores, coverage, reliability_curve
from .overlap import overlap_scores
from .scores import score_case, score_mask
from .sets import ged_squared, hm_iou, mean_pairwise_dice, pairwise_dice, pairwise_iou

__all__ = [
    "band",
    "calibration_scores",
    "coverage",
    "ged_squared",
    "hm_iou",
    "mean_interval",
    "mean_pairwise_dice",
    "overlap_scores",
    "pairwise_dice",
    "pairwise_iou",
    "quantify",
    "reliability_curve",
    "score_case",
    "score_mask",
]
