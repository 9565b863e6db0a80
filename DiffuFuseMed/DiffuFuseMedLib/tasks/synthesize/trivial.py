"""What fills holes without having learned anything: a median filter and biharmonic inpainting, on the same pixels as
the inpainter and written back alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from skimage.restoration import inpaint_biharmonic
from torch import Tensor

MEDIAN_PX = 7
Filling = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def median_filling(image: np.ndarray, hole: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(H, W) float: from its rim inward each pixel of the hole, bool (H, W), is the median of what is known, valid or
    filled before, within MEDIAN_PX; nothing is known where nothing is valid, and the image is left as it is."""
    values = np.where(hole | ~valid, np.nan, image)
    half = MEDIAN_PX // 2
    while (left := hole & np.isnan(values)).any():
        rim = left & ndimage.binary_dilation(~np.isnan(values), np.ones((3, 3)))
        if not rim.any():
            return image
        padded = np.pad(values, half, constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(padded, (MEDIAN_PX, MEDIAN_PX))[rim]
        values[rim] = np.nanmedian(around.reshape(len(around), -1), axis=1)
    return np.where(hole, values, image)


def biharmonic_filling(image: np.ndarray, hole: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(H, W) float: the surface without further bending through what is around the hole, bool (H, W) (Damelin and Hoang
    2018, as scikit-image has it), held to the range of what is valid."""
    known = image[valid & ~hole]
    if not known.size or not hole.any():
        return image
    filled = inpaint_biharmonic(image.astype(np.float64), hole, split_into_regions=True)
    return np.where(hole, np.clip(filled, known.min(), known.max()), image)


FILLINGS: dict[str, Filling] = {"median filter": median_filling, "biharmonic": biharmonic_filling}


class PlainInpainter:
    """A filling as something that the task can ask like an inpainter: each modality and slice by itself.

    config: of the inpainter that it is compared with.
    """

    stride = (1, 1)

    def __init__(self, config: Any, filling: Filling) -> None:
        self.config, self.filling = config, filling

    def inpaint(self, images: dict[str, Tensor], hole: Tensor) -> dict[str, Tensor]:
        """As the contract has it."""
        return {m: torch.stack([self._filled(*pair) for pair in zip(x, hole, strict=True)]) for m, x in images.items()}

    def _filled(self, image: Tensor, hole: Tensor) -> Tensor:
        """(2, H, W) and (1, H, W) -> (1, H, W)."""
        array, valid = image[0].numpy(), image[1].numpy() > 0
        return torch.from_numpy(self.filling(array, hole[0].numpy() > 0, valid)).float()[None]
