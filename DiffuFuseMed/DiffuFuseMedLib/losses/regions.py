"""The regions of a window or of a case: blocks of so many voxels along each axis, the last ones smaller."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from ..core.triples import pair, triple


def by_region(x: Tensor, size: int | Sequence[int]) -> Tensor:
    """(B, C, *space) -> the mean of each block, (B, C, *blocks); size: voxels along each axis, or along all of them."""
    axes = x.ndim - 2
    wanted = [size] * axes if isinstance(size, int) else list(size)
    kernel = [min(s, n) for s, n in zip(wanted, x.shape[2:], strict=True)]
    if axes == 3:
        return F.avg_pool3d(x, triple(kernel), ceil_mode=True)
    return F.avg_pool2d(x, pair(kernel), ceil_mode=True)
