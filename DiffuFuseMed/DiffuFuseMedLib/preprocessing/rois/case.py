"""The Rois of a case, for whoever fuses it: command line and engine ask these functions, so that both see the same.

Soft tissue and bone are anatomy, which a new lesion leaves as it is; what the user or a model gave takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...core.case import Case
from ...core.rois import Rois
from .automatic import automatic_rois
from .quick import quick_rois, takes_long
from .replace import replace_roi
from .total_segmentator import totalsegmentator_rois, why_not_totalsegmentator

LESION = "the model's segmentation"
MASK = "a mask file from the user"


def case_rois(
    case: Case,
    lesion: np.ndarray | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
    lesion_source: str = LESION,
) -> Rois:
    """anatomy_rois() with_given() these, bool [k, j, i] on the case's grid. Raises InputError as these do."""
    return with_given(anatomy_rois(case), lesion, masks, lesion_source)


def anatomy_rois(case: Case) -> Rois:
    """Soft tissue, bone and outline: TotalSegmentator's help where it is installed, else from HU alone."""
    return totalsegmentator_rois(case)


def rough_rois(case: Case) -> Rois:
    """The same within seconds: from HU alone, and of some of the voxels where the case is large."""
    return quick_rois(case) if takes_long(case) else automatic_rois(case)


def anatomy_takes_long(case: Case) -> bool:
    """Whether nobody likes to wait for anatomy_rois(): then there are rough_rois()."""
    return takes_long(case) or not why_not_totalsegmentator(case)


def with_given(
    rois: Rois,
    lesion: np.ndarray | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
    lesion_source: str = LESION,
) -> Rois:
    """The Rois with the lesion, which may be empty, and then the masks, by ROI name, in their place; bool [k, j, i]."""
    if lesion is not None:
        rois = replace_roi(rois, "lesion", lesion, lesion_source, may_be_empty=True)
    for name, mask in (masks or {}).items():
        rois = replace_roi(rois, name, mask, MASK)
    return rois
