"""How good a fused picture is: what it keeps in each region, what it adds that nobody measured, the usual numbers.

Pictures are (H, W) with gray values 0..255; masks are bool of the same shape. Nothing here needs torch.
"""

from .clinical import border_contrast, ct_in_soft, flicker, seam, seam_excess, tracer_in_soft
from .feature_information import fmi
from .fsim import fsim, fsim_map, roi_fsim
from .information import entropy, mutual_information
from .phase_congruency import phase_congruency
from .qabf import qabf
from .statistics import scd, spatial_frequency, standard_deviation
from .structure import roi_psnr, roi_ssim, ssim_map, ssim_sum
from .table import Mean, aggregate, score_pair, score_tracer_pair
from .trivial import TRIVIAL
from .vif import vif
from .volume import score_volume

__all__ = [
    "TRIVIAL",
    "Mean",
    "aggregate",
    "border_contrast",
    "ct_in_soft",
    "entropy",
    "flicker",
    "fmi",
    "fsim",
    "fsim_map",
    "mutual_information",
    "phase_congruency",
    "qabf",
    "roi_fsim",
    "roi_psnr",
    "roi_ssim",
    "scd",
    "score_pair",
    "score_tracer_pair",
    "score_volume",
    "seam",
    "seam_excess",
    "spatial_frequency",
    "ssim_map",
    "ssim_sum",
    "standard_deviation",
    "tracer_in_soft",
    "vif",
]
