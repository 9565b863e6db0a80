"""Uncertainty: maps from samples, calibrated probabilities, contours and intervals of the lesion's numbers."""

from .contours import contours, critical_widths, smallest_width, uncertainty
from .intervals import (
    depends_on_case,
    errors_without,
    jackknife_plus,
    level_spread,
    log_ratio_errors,
    log_spread,
    prediction_interval,
)
from .maps import binary_entropy, uncertainty_maps

__all__ = [
    "binary_entropy",
    "contours",
    "critical_widths",
    "depends_on_case",
    "errors_without",
    "jackknife_plus",
    "level_spread",
    "log_ratio_errors",
    "log_spread",
    "prediction_interval",
    "smallest_width",
    "uncertainty",
    "uncertainty_maps",
]
