"""Colors of tracers, as even ramps: the whole window has its colors, and the highest uptake is not the palest.

Slicer's own PET-Heat is yellow at a third of the window and white above two, so that the hottest tumor has no color and
a cold core in it none either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ENTRIES = 256
CLEAR = 0.1  # of the window: below it the color fades out, so that background lays no veil on what is under it


def heat() -> np.ndarray:
    """(256, 3) from 0 to 1: black over red to yellow, red at the middle."""
    share = np.linspace(0, 1, ENTRIES)
    return np.column_stack([np.clip(2 * share, 0, 1), np.clip(2 * share - 1, 0, 1), np.zeros(ENTRIES)])


def hot_iron() -> np.ndarray:
    """(256, 3): the standard's palette Hot Iron, to the byte (DICOM PS3.6, B.1.1)."""
    byte = np.arange(ENTRIES)
    ramps = (2 * byte, 2 * (byte - 128), 4 * (byte - 192))
    return np.column_stack([np.clip(ramp, 0, 255) for ramp in ramps]) / 255


def rainbow() -> np.ndarray:
    """(256, 3): blue, cyan, green, yellow, red in even steps of hue, out of black."""
    share = np.linspace(0, 1, ENTRIES)
    sixths = 4 * (1 - share)  # 0 red, 1 yellow, 2 green, 3 cyan, 4 blue
    hues = (np.abs(sixths - 3) - 1, 2 - np.abs(sixths - 2), 2 - np.abs(sixths - 4))
    bright = np.clip(share / CLEAR, 0, 1)
    return np.column_stack([np.clip(hue, 0, 1) * bright for hue in hues])


def inverse_gray() -> np.ndarray:
    """(256, 3): white for nothing, black for much."""
    return np.repeat(np.linspace(1, 0, ENTRIES)[:, None], 3, axis=1)


TRACER_COLORS: dict[str, Callable[[], np.ndarray]] = {
    "PET heat": heat,
    "PET hot iron": hot_iron,
    "PET rainbow": rainbow,
    "PET inverse gray": inverse_gray,
}


def tracer_rgba(name: str) -> np.ndarray:
    """(256, 4) from 0 to 1. What starts in black is clear there; inverse gray covers what it lies on."""
    rgb = TRACER_COLORS[name]()
    dark = not rgb[0].any()
    opacity = np.clip(np.linspace(0, 1, ENTRIES) / CLEAR, 0, 1) if dark else np.ones(ENTRIES)
    return np.column_stack([rgb, opacity])


def tracer_rgba_at(name: str, share: np.ndarray) -> np.ndarray:
    """(*shape, 4): the colors of shares of the window, clipped to 0 and 1."""
    return tracer_rgba(name)[np.round(np.clip(share, 0, 1) * (ENTRIES - 1)).astype(int)]
