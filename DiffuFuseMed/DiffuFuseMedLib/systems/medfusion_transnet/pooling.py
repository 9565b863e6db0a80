"""Averages of maps, whole and where a modality was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ...core.triples import pair, triple

LEAST = 1e-6  # share of a position that counts as seen


def averaged(x: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, *space) averaged to (B, C, *size)."""
    if all(n % wanted == 0 for n, wanted in zip(x.shape[2:], size, strict=True)):  # the same, in half of the time
        steps = [n // wanted for n, wanted in zip(x.shape[2:], size, strict=True)]
        return F.avg_pool3d(x, triple(steps)) if x.ndim == 5 else F.avg_pool2d(x, pair(steps))
    return F.adaptive_avg_pool3d(x, triple(size)) if x.ndim == 5 else F.adaptive_avg_pool2d(x, pair(size))


def seen_average(x: Tensor, seen: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(B, C, *size) averages over what was seen alone, 0 where nothing was; and the share of it, (B, 1, *size).

    seen: (B, 1, *space) of 0..1.
    """
    share = averaged(seen, size)
    return averaged(x * seen, size) / share.clamp(min=LEAST), share


def merged(maps: Mapping[str, Tensor], seen: Mapping[str, Tensor]) -> Tensor:
    """One map of those of all modalities, (B, C, *space): at each position the average over the modalities, each by the
    share of it that its scan saw, (B, 1, *space); 0 where none saw anything."""
    total = torch.stack(list(seen.values())).sum(dim=0)
    weighted = torch.stack([x * seen[m].to(x.dtype) for m, x in maps.items()]).sum(dim=0)
    return weighted / total.clamp(min=LEAST).to(weighted.dtype)
