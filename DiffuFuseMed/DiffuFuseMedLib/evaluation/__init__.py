"""How good a prediction is: overlap, calibration, trivial rows beside it, intervals, corruptions, lesion numbers."""

from ..data.lesion import quantify
from .bootstrap import mean_interval
from .calibration import band, calibration_scores, coverage, reliability_curve
from .corruptions import CORRUPTIONS, corrupt
from .overlap import overlap_scores
from .scores import score_case, score_mask
from .trivial import best_ellipsoid_fraction, trivial_rows

__all__ = [
    "CORRUPTIONS",
    "band",
    "best_ellipsoid_fraction",
    "calibration_scores",
    "corrupt",
    "coverage",
    "mean_interval",
    "overlap_scores",
    "quantify",
    "reliability_curve",
    "score_case",
    "score_mask",
    "trivial_rows",
]
