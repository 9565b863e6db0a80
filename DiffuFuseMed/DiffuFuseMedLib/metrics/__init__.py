"""How good a prediction is: overlap, calibration, intervals, lesion numbers."""

from ..core.lesion import quantify
from .bootstrap import mean_interval
from .calibration import band, calibration_scores, coverage, reliability_curve
from .overlap import overlap_scores
from .scores import score_case, score_mask

__all__ = [
    "band",
    "calibration_scores",
    "coverage",
    "mean_interval",
    "overlap_scores",
    "quantify",
    "reliability_curve",
    "score_case",
    "score_mask",
]
