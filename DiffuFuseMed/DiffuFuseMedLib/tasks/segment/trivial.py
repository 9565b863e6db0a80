"""What no network is needed for: the rows that stand beside every table, so a reader sees what the data give away."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...core.case import Case
from ...core.errors import input_error

# best_ellipsoid_fraction() over the split.json crops of all 36 patients: mean Dice 0.578.
ELLIPSOID_FRACTION = 0.29
PET_FRACTION = 0.41
PET_SUV = 2.5


def trivial_rows(case: Case) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Mask (bool [k, j, i]) and probability (none of them has one) by the row's name.

    'centre ellipsoid' never looks at a voxel: it sits at the middle of the case, semi-axes a fixed fraction of its
    edges. 'PET 41 %' keeps what reaches 41 % of the highest SUV in view, 'PET > 2.5' what exceeds SUV 2.5; both only
    with a PET in the case, and only inside its field of view.
    """
    rows = {"centre ellipsoid": centre_ellipsoid(case.grid.shape, ELLIPSOID_FRACTION)}
    if "PET" in case.volumes:
        suv, valid = case.volumes["PET"].array, case.valid["PET"]
        highest = suv[valid].max(initial=0.0)
        rows["PET 41 %"] = valid & (suv >= PET_FRACTION * highest) & (suv > 0)
        rows["PET > 2.5"] = valid & (suv > PET_SUV)
    return {name: (mask, None) for name, mask in rows.items()}


def centre_ellipsoid(shape: tuple[int, int, int], fraction: float) -> np.ndarray:
    """Bool [k, j, i]: the centered ellipsoid with semi-axes `fraction` times the edges (0.5 touches the faces)."""
    return _relative_radius(shape) <= fraction


def best_ellipsoid_fraction(cases: Iterable[Case]) -> tuple[float, float]:
    """The fraction from 0.10 to 0.60, in steps of 0.01, with the highest mean Dice over the cases, and that Dice.

    Every case needs its reference_mask (else InputError) and should already be cropped to where it is scored.
    """
    fractions = np.round(np.arange(0.10, 0.605, 0.01), 2)
    dice = np.array([_dice_by_fraction(case, fractions) for case in cases]).mean(axis=0)
    best = int(dice.argmax())
    return float(fractions[best]), float(dice[best])


def _relative_radius(shape: tuple[int, int, int]) -> np.ndarray:
    """Distance of voxel centers from the middle, each axis measured in edges; the spacing cancels."""
    axes = np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in shape], indexing="ij", sparse=True)
    return np.sqrt(sum(a**2 for a in axes))


def _dice_by_fraction(case: Case, fractions: np.ndarray) -> np.ndarray:
    if case.reference_mask is None:
        raise input_error("a case without a reference mask", "one with it", "load the drawn lesion too")
    radius, reference = _relative_radius(case.grid.shape), case.reference_mask.array > 0
    inside = [np.searchsorted(np.sort(radius[m]), fractions, side="right") for m in (reference, ~reference)]
    return 2 * inside[0] / (inside[0] + inside[1] + np.count_nonzero(reference))
