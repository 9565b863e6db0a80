"""Regions of interest: soft tissue, bone and lesion, automatic or the user's."""

from ...core.rois import Rois
from .automatic import automatic_rois
from .case import anatomy_rois, anatomy_takes_long, case_rois, rough_rois, with_given
from .picture import picture_rois
from .quick import quick_rois, takes_long
from .replace import read_roi, replace_roi
from .thresholds import MODEL, SCORING, RoiThresholds
from .total_segmentator import totalsegmentator_rois, why_not_totalsegmentator
from .tracer import SCORING_UPTAKE, tracer_rois

__all__ = [
    "MODEL",
    "SCORING",
    "SCORING_UPTAKE",
    "RoiThresholds",
    "Rois",
    "anatomy_rois",
    "anatomy_takes_long",
    "automatic_rois",
    "case_rois",
    "picture_rois",
    "quick_rois",
    "read_roi",
    "replace_roi",
    "rough_rois",
    "takes_long",
    "totalsegmentator_rois",
    "tracer_rois",
    "why_not_totalsegmentator",
    "with_given",
]
