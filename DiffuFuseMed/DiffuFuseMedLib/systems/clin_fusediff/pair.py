"""What the fusion networks are given: one slice of a registered pair with its neighbors and its ROIs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.conditional_unet import padded

MASKS = ("soft", "bone", "lesion", "valid")
MULTIPLE = 16  # of a picture's height and width: what both networks can halve as often as they do
FEATHER_PX = 6  # beyond this many pixels from an ROI its slider changes nothing


@dataclass(frozen=True)
class Pair:
    """mri, ct: (B, 3, H, W) gray 0..1, the slice between its neighbors; masks: (B, 4, H, W), soft, bone, lesion and
    where the MRI is valid; tracer: (B,), 1 where "ct" is the luminance of a PET or SPECT."""

    mri: Tensor
    ct: Tensor
    masks: Tensor
    tracer: Tensor

    @property
    def slice_mri(self) -> Tensor:
        return self.mri[:, 1:2]

    @property
    def slice_ct(self) -> Tensor:
        return self.ct[:, 1:2]

    def mask(self, name: str) -> Tensor:
        """(B, 1, H, W)."""
        index = MASKS.index(name)
        return self.masks[:, index : index + 1]

    def without_lesion(self) -> Pair:
        """The same pair with an empty lesion."""
        masks = self.masks.clone()
        masks[:, MASKS.index("lesion")] = 0
        return replace(self, masks=masks)

    def masks_by_name(self) -> dict[str, Tensor]:
        return {name: self.mask(name) for name in MASKS}

    def padded(self) -> Pair:
        """Continued to a size that the networks can halve."""
        return replace(self, **{k: padded(getattr(self, k), MULTIPLE) for k in ("mri", "ct", "masks")})

    def to(self, device: str) -> Pair:
        return Pair(*(value.to(device) for value in vars(self).values()))

    def at(self, index: slice | Tensor) -> Pair:
        """Some samples of the batch."""
        return Pair(*(value[index] for value in vars(self).values()))


def fold(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, 4 C, H / 2, W / 2): nothing is lost, and a convolution costs a quarter."""
    return F.pixel_unshuffle(x, 2)


def feathered(mask: Tensor, grow: int = 3) -> Tensor:
    """The ROI grown by `grow` pixels, then averaged over 7 x 7: 1 inside, 0 beyond FEATHER_PX, no step between."""
    grown = F.max_pool2d(mask, 2 * grow + 1, 1, grow)
    return local_mean(grown, 7)


def local_mean(x: Tensor, size: int) -> Tensor:
    """Mean over size x size pixels, edges continued."""
    return F.avg_pool2d(F.pad(x, (size // 2,) * 4, mode="replicate"), size, 1)


def border_band(lesion: Tensor) -> Tensor:
    """The lesion's border, 3 pixels to each side, feathered; 0 where there is no lesion."""
    grown, shrunk = F.max_pool2d(lesion, 7, 1, 3), -F.max_pool2d(-lesion, 7, 1, 3)
    return feathered((grown - shrunk).clamp(0, 1), grow=0)


def joined(pairs: list[Pair]) -> Pair:
    """Several pairs of one size as one batch."""
    return Pair(*(torch.cat(values) for values in zip(*(vars(p).values() for p in pairs), strict=True)))
