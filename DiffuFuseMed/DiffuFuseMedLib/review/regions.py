"""Region and Worklist: the places a reader is sent to, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.grid import Grid

TOO_MUCH, MISSING = "too much", "missing"


@dataclass(frozen=True)
class Region:
    """One entry of the worklist.

    id: 1 for the region with the most expected error; center_lps: mm, a voxel near the middle of the region where the
    error is high; expected_error_mm3: how much of the region is expected to carry the wrong label; uncertainty: mean
    predictive entropy, nats; place: where it lies, in the patient's directions (place.py); why: what the modalities say
    of it, "" while that is not known; why_modality: the key of the one that moves it most, "" when none does; doubt:
    TOO_MUCH where the lesion is called, MISSING where it is not, "" in a review saved before there was this.
    """

    id: int
    center_lps: tuple[float, float, float]
    volume_mm3: float
    expected_error_mm3: float
    uncertainty: float
    place: str
    why: str = ""
    why_modality: str = ""
    doubt: str = ""

    @property
    def question(self) -> str:
        """What is to be decided and where, such as "too much? lower border"."""
        return f"{self.doubt}? {self.place}" if self.doubt else self.place


@dataclass(frozen=True)
class Worklist:
    """regions by rank; labels: uint16 [k, j, i] on grid, a region's id in its voxels, 0 elsewhere.

    expected_error_mm3: of the whole image; left_over_mm3: of the uncertain voxels that are in no region, because
    their piece was too small or the list was full.
    """

    regions: tuple[Region, ...]
    labels: np.ndarray
    grid: Grid
    expected_error_mm3: float
    left_over_mm3: float

    @property
    def listed_mm3(self) -> float:
        """Expected error of all regions together."""
        return sum(region.expected_error_mm3 for region in self.regions)

    @property
    def spread_mm3(self) -> float:
        """Expected error below the threshold: too thin everywhere to send a reader to any one place."""
        return max(0.0, self.expected_error_mm3 - self.listed_mm3 - self.left_over_mm3)

    @property
    def ids_by_entropy(self) -> list[int]:
        """Of all regions, the one with the highest mean entropy first: an order to hold the list's own against."""
        return [region.id for region in sorted(self.regions, key=lambda region: -region.uncertainty)]

    def region(self, region_id: int) -> Region | None:
        """The region of this id, None when there is none."""
        return next((region for region in self.regions if region.id == region_id), None)
