"""Fusion figures: sources, fused image, tracer and doubt over it, each one slice as PNG."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps

from ..core.maps import MAPS
from ..core.tracer_colors import tracer_rgba_at
from .figures import OUTSIDE, slice_panel
from .planes import Plane
from .scene import Scene
from .window_level import Window

TRACER_COLORS = "PET heat"  # as the workspace shows it at first
TRACER_OPACITY, UNCERTAINTY_OPACITY = 0.7, 0.9
FAINT_UNCERTAINTY = 0.15  # share of the scale below which the layer fades out; a tracer's colors fade by themselves


def gray_panel(scene: Scene, key: str, window: Window, plane: Plane, lines: tuple[str, ...]) -> bytes:
    """PNG of one image of the scene in its window with the outlines called `lines`."""
    return slice_panel(scene, plane, _index(scene, plane), _gray(scene, key, window, plane), lines)


def tracer_panel(scene: Scene, key: str, window: Window, plane: Plane) -> bytes:
    """PNG of a tracer as a color layer over the fused image; little uptake leaves the gray as it is."""
    index = _index(scene, plane)
    uptake = (plane.cut(scene.images[key], index) - window.low) / (window.high - window.low)
    uptake = np.where(plane.cut(scene.valid[key], index), np.clip(uptake, 0, 1), 0)
    rgba = tracer_rgba_at(TRACER_COLORS, uptake)
    rgb = _layered(_fused(scene, plane), rgba[..., :3], TRACER_OPACITY * rgba[..., 3])
    return slice_panel(scene, plane, index, rgb, ("lesion",))


def uncertainty_panel(scene: Scene, key: str, plane: Plane) -> bytes:
    """PNG of the fusion's uncertainty, from 0 to what it can reach, over the dimmed fused image."""
    index = _index(scene, plane)
    spec = MAPS[key]
    uncertainty = np.clip(plane.cut(scene.uncertainty[key], index) / spec.highest, 0, 1)
    opacity = UNCERTAINTY_OPACITY * np.clip(uncertainty / FAINT_UNCERTAINTY, 0, 1)
    rgb = _layered(0.55 * _fused(scene, plane), colormaps[spec.colors.lower()](uncertainty)[..., :3], opacity)
    return slice_panel(scene, plane, index, rgb, ("lesion",))


def _index(scene: Scene, plane: Plane) -> int:
    return scene.center_kji[plane.axis]


def _gray(scene: Scene, key: str, window: Window, plane: Plane) -> np.ndarray:
    """rgb [row, column, 3] of one slice; outside the field of view neither black nor white."""
    index = _index(scene, plane)
    gray = window.gray(plane.cut(scene.images[key], index))
    rgb = np.repeat(gray[..., None], 3, axis=-1)
    rgb[~plane.cut(scene.valid[key], index)] = OUTSIDE
    return rgb


def _fused(scene: Scene, plane: Plane) -> np.ndarray:
    return _gray(scene, "fused", Window(0, 1, ""), plane)


def _layered(base: np.ndarray, colors: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """rgb `colors` over rgb `base`."""
    return (1 - opacity[..., None]) * base + opacity[..., None] * colors
