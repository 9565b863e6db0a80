"""How far several annotators agree on one lesion, and how a prediction stands to all of them.

STAPLE: S. Warfield, K. Zou, W. Wells, IEEE TMI 2004, 23(7), as SimpleITK has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..core.agreement import MAJORITY, STAPLE, Agreement
from ..core.checks import check_masks
from ..core.errors import input_error
from ..core.voxels import box_around
from .calibration import BAND_MM, band, calibration_scores
from .overlap import overlap_scores
from .sets import pairwise_dice
from .volumes import crps

STAPLE_MARGIN_MM = 10.0

Spacing = tuple[float, float, float]


def agreement(references: Mapping[str, np.ndarray], spacing_kji_mm: Spacing) -> Agreement:
    """Of the annotators' masks, bool [k, j, i] by name, any of which may be empty.

    Raises InputError for fewer than two, and for masks of several shapes.
    """
    if len(references) < 2:
        given = f"the masks of {len(references)} annotators"
        raise input_error(given, "at least two", "agreement needs somebody to agree with")
    names, masks = tuple(references), list(references.values())
    check_masks(*masks)
    nsd = np.ones((len(masks), len(masks)))
    for a, b in zip(*np.triu_indices(len(masks), k=1), strict=True):
        nsd[a, b] = nsd[b, a] = overlap_scores(masks[a], masks[b], spacing_kji_mm)["nsd_2mm"]
    voxel_ml = float(np.prod(spacing_kji_mm)) / 1000
    return Agreement(
        names=names,
        dice=pairwise_dice(masks),
        nsd=nsd,
        volumes_ml=tuple(float(np.count_nonzero(mask)) * voxel_ml for mask in masks),
        majority_ml=float(np.count_nonzero(majority(masks))) * voxel_ml,
        staple_ml=float(np.count_nonzero(staple(masks, spacing_kji_mm))) * voxel_ml,
    )


def majority(masks: Sequence[np.ndarray]) -> np.ndarray:
    """bool [k, j, i]: where more than half of the bool masks [k, j, i] hold lesion."""
    return 2 * np.sum(masks, axis=0) > len(masks)


def staple(masks: Sequence[np.ndarray], spacing_kji_mm: Spacing) -> np.ndarray:
    """The STAPLE consensus of bool masks [k, j, i]: where it is more probable than not.

    It is taken in the box around all masks and 10 mm more, so that neither its time nor its prior depends on how much
    of the patient was imaged. Masks that are all empty, or all the same, are their own consensus.
    """
    check_masks(*masks)
    union = np.any(masks, axis=0)
    if not union.any() or all(np.array_equal(mask, masks[0]) for mask in masks):
        return masks[0].copy()
    box = box_around(union, spacing_kji_mm, STAPLE_MARGIN_MM)
    images = [sitk.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks]
    consensus = np.zeros_like(union)
    consensus[box] = sitk.GetArrayFromImage(sitk.STAPLE(images, 1.0)) > 0.5
    return consensus


def with_lesion(
    found: Agreement, lesion: np.ndarray, references: Mapping[str, np.ndarray], spacing_kji_mm: Spacing
) -> Agreement:
    """The agreement with overlap_scores() of a lesion, bool [k, j, i], against each annotator, majority and STAPLE."""
    masks = list(references.values())
    drawn = {**references, MAJORITY: majority(masks), STAPLE: staple(masks, spacing_kji_mm)}
    scores = {name: overlap_scores(lesion, mask, spacing_kji_mm) for name, mask in drawn.items()}
    return replace(found, lesion=scores)


def calibration_of_set(
    probability: np.ndarray, references: Sequence[np.ndarray], spacing_kji_mm: Spacing
) -> dict[str, float]:
    """calibration_scores() against all annotators at once, each in the 20 mm band around the border of its own mask;
    probability and references are [k, j, i] on one grid.

    A voxel counts once for each of them, so a probability is right where it is the share of annotators that drew it.
    Masks without a border have no band; where none has one, every score is NaN.
    """
    bands = [band(drawn, spacing_kji_mm, BAND_MM) for drawn in references]
    p, drawn, near = (np.concatenate(parts) for parts in ([probability] * len(bands), list(references), bands))
    return calibration_scores(p, drawn, near)


def volume_crps(sample_volumes_ml: Sequence[float], references_ml: Sequence[float]) -> float:
    """crps() of the samples' volumes, a mean over the annotators' volumes, in mL."""
    return float(np.mean([crps(sample_volumes_ml, ml) for ml in references_ml]))
