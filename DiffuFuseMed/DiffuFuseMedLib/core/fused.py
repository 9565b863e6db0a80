"""What the fusion gives: one picture, or a volume, as fuse.py makes it and the engine hands it to a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class FusedPicture:
    """image: float32 (H, W), gray 0 to 1; uncertainty: float32 (H, W), the calibrated probability that the gray value
    is off by more than 0.1, None where it was not asked for; rough: drawn with soft tissue and bone as found in some of
    the voxels, since all of them take long, so another picture follows."""

    image: np.ndarray
    uncertainty: np.ndarray | None
    rough: bool = False


@dataclass(frozen=True)
class FusedVolume:
    """image, uncertainty: as in FusedPicture but [k, j, i]; flicker: by plane, how much the picture jumps between
    slices; provenance: model ids, sha256, settings, seed, versions; timings: seconds, by step."""

    image: np.ndarray
    uncertainty: np.ndarray
    flicker: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
