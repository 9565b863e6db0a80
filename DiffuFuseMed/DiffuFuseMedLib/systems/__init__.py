"""The published systems under one contract, and the literal table of them."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from ..losses import Batch
from .clin_fusediff import Student, Teacher
from .diffufusemed import DiffuFuseMed
from .segresnet import SegResNet


class System(Protocol):
    """What training, prediction and the engine ask of a system; `config` carries modalities, classes, spatial_dims."""

    config: Any
    stride: int

    def __init__(self, config: Any) -> None: ...

    def encode(self, images: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        """Images (B, 2, *space) of the present modalities -> what a host may keep while switches and sliders move."""

    def segment(
        self, tokens: list[dict[str, Tensor]], generator: Any = None, gating: bool = True
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One draw: logits (B, classes, *space), gates (B,) per modality that sum to one."""

    def loss(self, batch: Batch, generator: Any = None) -> tuple[Tensor, dict[str, float]]:
        """The training objective and its weighted parts."""

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Predicted peak memory of encode and segment on one window."""


SYSTEMS: dict[str, type] = {"diffufusemed": DiffuFuseMed, "segresnet": SegResNet}
# Fusion networks keep the contract's encode, loss, memory_bytes and config; they give pictures where a segmenter gives
# logits: Teacher.guided and Student.sample.
FUSERS: dict[str, type] = {"clin-fusediff-teacher": Teacher, "clin-fusediff-student": Student}
