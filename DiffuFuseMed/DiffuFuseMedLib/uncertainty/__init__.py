"""Uncertainty: maps from samples, calibrated probabilities, contours and the volume interval."""

from .contours import contours, critical_widths, smallest_width, uncertainty
from .maps import binary_entropy, uncertainty_maps
from .volume import depends_on_case, log_ratio_errors, log_spread, volume_interval

__all__ = [
    "binary_entropy",
    "contours",
    "critical_widths",
    "depends_on_case",
    "log_ratio_errors",
    "log_spread",
    "smallest_width",
    "uncertainty",
    "uncertainty_maps",
    "volume_interval",
]
