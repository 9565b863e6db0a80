"""A network's loss with its average calibration error beside what it learns from: any segmenter's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..core.errors import input_error
from ..losses import Batch, Losses
from ..losses.average_calibration import average_calibration
from ..losses.drgo import expected_target


def calibrated(loss: Callable[..., Losses], weight: float) -> Callable[..., Losses]:
    """The loss with average_calibration() of its prediction as a part "ace"; it raises InputError where the network
    tells no prediction."""

    def with_calibration(batch: Batch, generator: torch.Generator | None = None, *teacher: Any) -> Losses:
        said = loss(batch, generator, *teacher)
        if said.prediction is None:
            given = "the average calibration error of a network whose loss tells no prediction"
            raise input_error(given, "Losses with a prediction", "train it without")
        added = weight * average_calibration(said.prediction, expected_target(batch))
        return Losses({**said.parts, "ace": added}, said.prediction)

    return with_calibration
