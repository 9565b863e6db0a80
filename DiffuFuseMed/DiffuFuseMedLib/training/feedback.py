"""A sampler that follows the last predictions: more windows where the network is wrong or unsure, as DRGO of
MedFusion-TransNet (3.4) wants them."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ..losses import Batch


class Feedback(Protocol):
    """State that steers where the next windows look; it goes into the checkpoint with the rest of the run."""

    def case_weights(self, count: int) -> Tensor:
        """(count,): how often each of the cases is drawn, not all 0."""
        ...

    def voxel_weights(self, case: int) -> Tensor | None:
        """(K, J, I): how often each voxel of the case is a window's center, not all 0; None: as without feedback."""
        ...

    def update(self, batch: Batch, prediction: Tensor) -> None:
        """Take note of a step that was made; prediction: (B, C, *space) logits, detached; batch.places says where."""
        ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...
