"""Draw: what one look of a segmenter at a batch of windows gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Draw:
    """logits: (B, classes, *space), the lesion's first. What only some systems have is left empty by the others:
    gates: the weight of each present modality, (B,) each; maps: further maps of uncertainty by name, (B, 1, *space)
    each, which are averaged over windows and samples."""

    logits: Tensor
    gates: dict[str, Tensor] = field(default_factory=dict)
    maps: dict[str, Tensor] = field(default_factory=dict)
