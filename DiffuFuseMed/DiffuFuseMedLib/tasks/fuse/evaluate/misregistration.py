"""A registration that is wrong by a known amount."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from scipy import ndimage

KNOTS = 5


def random_of(name: str, seed: int) -> np.random.Generator:
    """Numbers of a picture's own, whatever else is evaluated with it."""
    return np.random.default_rng((seed, crc32(name.encode())))


def shift_of(name: str, seed: int, millimeters: float, spacing_mm: tuple[float, float]) -> tuple[float, float]:
    """(rows, columns) in pixels: a move of this length into the picture's random direction."""
    angle = random_of(name, seed).uniform(0, 2 * np.pi)
    return millimeters * np.sin(angle) / spacing_mm[0], millimeters * np.cos(angle) / spacing_mm[1]


def moved(picture: np.ndarray, shift_px: tuple[float, float]) -> np.ndarray:
    """(..., H, W) moved by (rows, columns) pixels, bilinear, the edge continued."""
    whole = (0.0,) * (picture.ndim - 2) + tuple(shift_px)
    return ndimage.shift(picture, whole, order=1, mode="nearest")


def warped(picture: np.ndarray, amplitude_px: float, name: str, seed: int) -> np.ndarray:
    """(..., H, W) bent by a smooth random field of at most this many pixels, the same one for every slice."""
    shape = picture.shape[-2:]
    knots = random_of(name, seed).uniform(-1, 1, (2, KNOTS, KNOTS))
    zoom = tuple(n / KNOTS for n in shape)
    field = np.clip([ndimage.zoom(k, zoom, order=3, mode="nearest") for k in knots], -1, 1)
    where = np.indices(shape) + amplitude_px * field
    slices = picture.reshape(-1, *shape)
    bent = [ndimage.map_coordinates(s, where, order=1, mode="nearest") for s in slices]
    return np.stack(bent).reshape(picture.shape)
