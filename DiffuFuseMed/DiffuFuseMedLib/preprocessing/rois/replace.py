"""A user's mask in the place of an automatic one, from a file or a segment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.rois import NAMES, Rois
from ...io.masks import read_mask


def replace_roi(
    rois: Rois, name: str, mask: np.ndarray, source: str = "a mask from the user", may_be_empty: bool = False
) -> Rois:
    """The Rois with `name` ("soft", "bone", "lesion" or "inside") set to mask (nonzero is in), of their shape.

    What the user draws wins: a new bone is taken out of soft, a new soft out of bone; soft, bone or lesion beyond the
    outline widens inside, and a new inside cuts the other three. Raises InputError for another name or shape, and for
    an empty mask unless may_be_empty.
    """
    mask = _checked(rois, name, mask, may_be_empty)
    masks = {key: getattr(rois, key) for key in NAMES} | {name: mask}
    if name in ("soft", "bone"):
        other = "bone" if name == "soft" else "soft"
        masks[other] = masks[other] & ~mask
    if name == "inside":
        masks |= {key: masks[key] & mask for key in ("soft", "bone", "lesion")}
    else:
        masks["inside"] = masks["inside"] | mask
    return replace(rois, **masks, source={**rois.source, name: source})


def read_roi(file: str | Path, grid: Grid) -> np.ndarray:
    """bool [k, j, i]: the mask in a file (NIfTI, NRRD, MetaImage, .seg.nrrd, RTSTRUCT, DICOM SEG) on grid.

    Raises InputError for what is no mask, an empty mask, or one without a voxel on the grid.
    """
    mask = read_mask(file, grid).array > 0
    if not mask.any():
        raise input_error(f"the empty mask '{Path(file).name}'", "a mask with at least one voxel", "draw it first")
    return mask


def _checked(rois: Rois, name: str, mask: np.ndarray, may_be_empty: bool) -> np.ndarray:
    if name not in NAMES:
        raise input_error(f"the ROI {name!r}", f"one of {', '.join(NAMES)}", "choose one of these")
    mask = np.asarray(mask)
    if mask.shape != rois.inside.shape:
        given = f"a {name} mask of shape {mask.shape}"
        raise input_error(given, f"the ROIs' shape {rois.inside.shape}", "bring it onto the case's grid with read_roi")
    mask = mask != 0
    if not mask.any() and not may_be_empty:
        raise input_error(f"an empty {name} mask", "a mask with at least one voxel", "draw it first")
    return mask
