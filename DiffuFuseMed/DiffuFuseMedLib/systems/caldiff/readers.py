"""Several annotators of a window: one is drawn for the step, all of them are known to the Modeling Net."""

from __future__ import annotations

import torch
from torch import Tensor

from ...losses import Batch


def masks_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, R, *space) of 0..1, and (B, R): 1 for a reader that there is, who may have drawn nothing; the drawn lesion
    where it is the only reference."""
    if batch.references is None:
        return batch.target[:, :1], torch.ones_like(batch.target[:, :1].flatten(2).sum(dim=2))
    size, most = batch.references.shape[:2]
    there = torch.full((size,), most) if batch.raters is None else batch.raters.cpu()
    counted = torch.arange(most) < there[:, None]
    return batch.references, counted.to(batch.references)


def one_of(masks: Tensor, counted: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, 1, *space): the mask of one reader of each sample, each as often as the others."""
    chosen = torch.multinomial(counted.cpu().float(), 1, generator=generator)[:, 0].to(masks.device)
    return masks[torch.arange(len(masks), device=masks.device), chosen][:, None]
