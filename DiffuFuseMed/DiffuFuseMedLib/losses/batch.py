"""Batch: what one training step sees; Losses: what a network says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

from torch import Tensor


@dataclass
class Batch:
    """images: (B, 2, *space) per present modality: intensity and valid (a colour picture: its three channels and
    valid); target: (B, C, *space) one-hot; distance: (B, 1, *space) to the reference border, in window reaches;
    clean: q_m of eq. (26), (B,) of 0 or 1.

    references: (B, R, *space) of 0..1, the masks of several annotators, and raters: (B,) how many of the R are theirs,
    the others being empty; None where every case has one reference alone. places: where each window was looked at.
    """

    images: dict[str, Tensor]
    target: Tensor
    distance: Tensor
    clean: dict[str, Tensor]
    references: Tensor | None = None
    raters: Tensor | None = None
    places: tuple[Any, ...] = ()
    originals: dict[str, Tensor] | None = None

    def to(self, device: str) -> Batch:
        """The batch with every tensor moved."""
        moved = {name: _moved(value, device) for name, value in vars(self).items() if name != "places"}
        return replace(self, **moved)


@dataclass(frozen=True)
class Losses:
    """parts: the weighted parts of the loss by name, scalars; prediction: (B, C, *space) logits of the batch, for a
    sampler that follows them (training/feedback.py)."""

    parts: dict[str, Tensor]
    prediction: Tensor | None = None

    @property
    def total(self) -> Tensor:
        return reduce(add, self.parts.values())


def _moved(value: Any, device: str) -> Any:
    if isinstance(value, dict):
        return {name: x.to(device) for name, x in value.items()}
    return value.to(device) if isinstance(value, Tensor) else value
