"""How good a prediction is: overlap, calibration, intervals, lesion numbers."""

from ..core.lesion import quantify
from .agreement import agreement, calibration_of_set, staple, volume_crps, with_lesion
from .bootstrap import mean_interval
from .calibration import band, calibration_scores, coverage, reliability_curve
from .detection import auroc, error_map, s_ncc, uncertainty_map
from .overlap import overlap_scores
from .scores import agreement_of, score_case, score_mask, score_set
from .sets import (
    collective_insights,
    combined_sensitivity,
    d_max,
    diversity_agreement,
    ged_squared,
    hm_iou,
    mean_pairwise_dice,
    pairwise_dice,
    pairwise_iou,
)
from .volumes import crps

__all__ = [
    "agreement",
    "agreement_of",
    "auroc",
    "band",
    "calibration_of_set",
    "calibration_scores",
    "collective_insights",
    "combined_sensitivity",
    "coverage",
    "crps",
    "d_max",
    "diversity_agreement",
    "error_map",
    "ged_squared",
    "hm_iou",
    "mean_interval",
    "mean_pairwise_dice",
    "overlap_scores",
    "pairwise_dice",
    "pairwise_iou",
    "quantify",
    "reliability_curve",
    "s_ncc",
    "score_case",
    "score_mask",
    "score_set",
    "staple",
    "uncertainty_map",
    "volume_crps",
    "with_lesion",
]
