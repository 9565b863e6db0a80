"""What a picture and a mask must be before anything is measured on them."""

from __future__ import annotations

import numpy as np

from ...core.errors import input_error

WHITE = 255.0
OVERSHOOT = 0.5  # what rounding to a gray value forgives
LEAST_GRAY = 1e-3  # standard deviation; below it there is but the rounding of float32


def checked(*pictures: np.ndarray) -> list[np.ndarray]:
    """The pictures as float64 (H, W). Raises InputError unless all have one 2D shape and finite values 0 to 255."""
    arrays = [np.asarray(p, dtype=np.float64) for p in pictures]
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2 or not arrays[0].size:
        raise input_error(f"pictures of {sorted(shapes)}", "2D pictures of one shape", "put them on one pixel grid")
    for a in arrays:
        low, high = float(a.min()), float(a.max())
        if not (low >= -OVERSHOOT and high <= WHITE + OVERSHOOT):  # also refuses NaN
            given = f"a picture with values from {low:g} to {high:g}"
            raise input_error(given, "finite gray values from 0 to 255", "scale or clip the picture")
    return arrays


def check_masks(shape: tuple[int, ...], *masks: np.ndarray) -> None:
    """Raises InputError unless every mask is bool and has this shape."""
    for mask in masks:
        if mask.dtype != bool or mask.shape != shape:
            given = f"a mask of type {mask.dtype} and shape {mask.shape}"
            raise input_error(given, f"a bool mask of shape {shape}", "make the mask on the picture's own pixels")


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's r over all gray values of two arrays of one shape; NaN where either is constant."""
    if is_constant(x) or is_constant(y):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))


def is_constant(x: np.ndarray) -> bool:
    """Whether these gray values, of any shape, differ by no more than rounding; so for none at all."""
    return not x.size or float(x.std()) < LEAST_GRAY
