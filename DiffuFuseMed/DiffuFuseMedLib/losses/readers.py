"""Several annotators of a window: one is drawn for the step, or all of them are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .batch import Batch


@dataclass(frozen=True)
class Readers:
    """masks: (B, R, *space) of 0..1; counted: (B, R), 1 for a reader that there is, who may have drawn nothing."""

    masks: Tensor
    counted: Tensor

    def one(self, generator: torch.Generator | None) -> Tensor:
        """(B, 1, *space): the mask of one reader of each sample, each as often as the others."""
        chosen = torch.multinomial(self.counted.cpu().float(), 1, generator=generator)[:, 0].to(self.masks.device)
        return self.masks[torch.arange(len(self.masks), device=self.masks.device), chosen][:, None]

    def each(self) -> Tensor:
        """(B * R, 1, *space): every mask by itself, one reader after the other."""
        return self.masks.flatten(0, 1)[:, None]


def readers_of(batch: Batch) -> Readers:
    """The annotators of a batch; the drawn lesion where it is the only reference."""
    if batch.references is None:
        return Readers(batch.target[:, :1], batch.target.new_ones(len(batch.target), 1))
    size, most = batch.references.shape[:2]
    there = torch.full((size,), most) if batch.raters is None else batch.raters.cpu()
    return Readers(batch.references, (torch.arange(most) < there[:, None]).to(batch.references))
