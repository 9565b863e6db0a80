"""One row of numbers for one fused picture, and many rows as means with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

from ...core.errors import input_error
from ...preprocessing.rois import Rois
from .clinical import ct_in_soft, seam, seam_excess, tracer_in_soft
from .feature_information import fmi
from .fsim import roi_fsim
from .information import entropy, gray_entropy, mutual_information
from .pictures import checked
from .qabf import qabf
from .statistics import scd, spatial_frequency, standard_deviation
from .structure import roi_psnr, roi_ssim, ssim_sum
from .vif import vif


class Mean(NamedTuple):
    """Mean over `rows` rows, the ones with a value, and its interval; NaN where there is too little for one."""

    mean: float
    low: float
    high: float
    rows: int


def score_pair(fused: np.ndarray, ct: np.ndarray, mri: np.ndarray, rois: Rois) -> dict[str, float]:
    """All numbers of one fused CT-MRI pair, by column; pictures (H, W) with gray values 0..255.

    rois: made with other thresholds than those that the fusion was given (data.rois.SCORING), or the score is circular.
    Primary: soft_ssim_mri, soft_fsim_mri, bone_psnr_ct (dB), bone_ssim_ct, ct_in_soft, seam, seam_excess. Secondary,
    over the whole picture: EN (bits), SD, SF, MI (nats), SCD, VIF, Qabf, FMI_gradient, SSIM_range255; and EN_inside,
    SSIM_range255_inside in the head or body, where a lifted background neither gains nor loses anything.
    NaN where a region is empty or a metric undefined. Raises InputError for pictures of other shapes or scales.
    """
    fused, ct, mri = _to_score(fused, ct, mri)
    return {**primary_scores(fused, ct, mri, rois), **secondary_scores(fused, mri, ct, rois.inside)}


def score_tracer_pair(fused: np.ndarray, tracer: np.ndarray, mri: np.ndarray, rois: Rois) -> dict[str, float]:
    """The same for a PET-MRI or SPECT-MRI pair (H, W), the tracer as luminance 0..255: no bone, therefore no seam.

    soft_ssim_mri and soft_fsim_mri stand against tracer_in_soft, the plain correlation with the tracer: a copy of
    either picture wins one and loses the other, so neither is read alone. tracer_given_mri_in_soft is the partial one.
    """
    fused, tracer, mri = _to_score(fused, tracer, mri)
    return {
        **_soft_scores(fused, mri, rois.soft),
        "tracer_in_soft": tracer_in_soft(fused, tracer, rois.soft),
        "tracer_given_mri_in_soft": ct_in_soft(fused, tracer, mri, rois.soft),
        **secondary_scores(fused, mri, tracer, rois.inside),
    }


def primary_scores(f: np.ndarray, ct: np.ndarray, mri: np.ndarray, rois: Rois) -> dict[str, float]:
    """What each region keeps of the source that should show there, and what the fusion did in between.

    Pictures (H, W), 0..255.
    """
    return {
        **_soft_scores(f, mri, rois.soft),
        "bone_psnr_ct": roi_psnr(f, ct, rois.bone),
        "bone_ssim_ct": roi_ssim(f, ct, rois.bone),
        "ct_in_soft": ct_in_soft(f, ct, mri, rois.soft),
        "seam": seam(f, mri, ct, rois.bone),
        "seam_excess": seam_excess(f, mri, ct, rois.bone),
    }


def secondary_scores(f: np.ndarray, a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """The usual numbers of the fusion literature, of pictures (H, W), 0..255; inside: bool (H, W)."""
    return {
        "EN": entropy(f),
        "SD": standard_deviation(f),
        "SF": spatial_frequency(f),
        "MI": mutual_information(f, a, b),
        "SCD": scd(f, a, b),
        "VIF": vif(f, a, b),
        "Qabf": qabf(f, a, b),
        "FMI_gradient": fmi(f, a, b),
        "SSIM_range255": ssim_sum(f, a, b),
        "EN_inside": gray_entropy(f[inside]),
        "SSIM_range255_inside": roi_ssim(f, a, inside) + roi_ssim(f, b, inside),
    }


def aggregate(
    rows: Sequence[Mapping[str, float]], series: Sequence[str], seed: int = 0, resamples: int = 10000
) -> dict[str, Mean]:
    """By column the mean over the rows and its 95 % percentile bootstrap interval, resampling series, not slices.

    series: which patient's series each row is of; slices of one brain are alike, and taken for independent they would
    make the interval too narrow (cluster bootstrap: Davison and Hinkley 1997, section 3.8). NaN is left out, `rows`
    says how many were not; below two series with a value the interval is NaN. Raises InputError for no rows or when
    the two lengths differ.
    """
    if not rows or len(rows) != len(series):
        given = f"{len(rows)} rows of {len(series)} series labels"
        raise input_error(given, "one label for each of one or more rows", "name the series of every row")
    columns = dict.fromkeys(name for row in rows for name in row)
    labels = np.unique(np.asarray(series), return_inverse=True)[1]
    return {c: _mean(np.array([r.get(c, np.nan) for r in rows], float), labels, seed, resamples) for c in columns}


def _mean(values: np.ndarray, labels: np.ndarray, seed: int, resamples: int) -> Mean:
    known = np.isfinite(values)
    count = np.bincount(labels[known])
    total = np.bincount(labels[known], weights=values[known])[count > 0]
    count = count[count > 0]
    nan = float("nan")
    if not count.size:
        return Mean(nan, nan, nan, 0)
    low = high = nan
    if count.size > 1:
        low, high = _interval(total, count, seed, resamples)
    return Mean(float(total.sum() / count.sum()), low, high, int(count.sum()))


def _interval(total: np.ndarray, count: np.ndarray, seed: int, resamples: int) -> tuple[float, float]:
    def mean(total: np.ndarray, count: np.ndarray, axis: int) -> np.ndarray:
        return total.sum(axis) / count.sum(axis)

    told = {"n_resamples": resamples, "method": "percentile", "batch": 1000}
    interval = bootstrap((total, count), mean, paired=True, vectorized=True, rng=seed, **told).confidence_interval
    return float(interval.low), float(interval.high)


def _soft_scores(f: np.ndarray, mri: np.ndarray, soft: np.ndarray) -> dict[str, float]:
    return {"soft_ssim_mri": roi_ssim(f, mri, soft), "soft_fsim_mri": roi_fsim(f, mri, soft)}


def _to_score(fused: np.ndarray, *sources: np.ndarray) -> list[np.ndarray]:
    pictures = checked(fused, *sources)
    if 0 < max(float(x.max()) for x in pictures) <= 1:
        raise input_error("pictures with values from 0 to 1", "gray values from 0 to 255", "multiply them by 255")
    return pictures
