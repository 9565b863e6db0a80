"""Batch: what one training step sees."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Batch:
    """images: (B, 2, *space) per present modality: intensity and valid; target: (B, C, *space) one-hot;
    distance: (B, 1, *space) to the reference border, in window reaches; clean: q_m of eq. (26), (B,) of 0 or 1.
    """

    images: dict[str, Tensor]
    target: Tensor
    distance: Tensor
    clean: dict[str, Tensor]
