"""Figures: slices with contours and the doubt overlay, drawn by matplotlib (Agg) to PNG."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ..core.maps import MAPS
from .planes import AXIAL, Plane
from .scene import Scene
from .window_level import Window

FAINT = 0.15  # share of a map's range below which it fades out
DPI = 100
PANEL_IN = 5.6  # 560 pixels for the 280 of a column: sharp on paper and on dense screens
OUTSIDE = (0.21, 0.25, 0.31)  # outside a modality's field of view: neither black nor white, which are intensities
LINES = {
    "soft": ("#60a5fa", 1.6, "solid"),
    "bone": ("#fb923c", 1.6, "solid"),
    "field of view": ("#a3a3a3", 1.2, (0, (1.5, 2.5))),
    "reference": ("#d946ef", 1.3, "solid"),
    "region": ("#38bdf8", 1.4, "solid"),
    "predicted": ("#fb7185", 2.0, (0, (3, 1.6))),
    "inner": ("#facc15", 1.5, (0, (4, 2.2))),
    "outer": ("#facc15", 1.5, (0, (4, 2.2))),
    "lesion": ("#22c55e", 2.4, "solid"),
}
CONTOURS = ("reference", "inner", "outer", "lesion")  # of a segmentation, in the order drawn
ON_UNCERTAINTY = ("lesion",)  # the overlay needs the room; the other lines are on the panels beside it


def image_panel(scene: Scene, modality: str, plane: Plane) -> bytes:
    """PNG of one modality through the lesion's largest cross-section, with every contour."""
    index = scene.center_kji[plane.axis]
    return slice_panel(scene, plane, index, _rgb(scene, modality, plane, index), CONTOURS, PANEL_IN)


def uncertainty_panel(scene: Scene, name: str, plane: Plane, width_in: float = PANEL_IN) -> bytes:
    """PNG of one uncertainty map in its colors, from 0 to what it can reach, over the dimmed reference image."""
    index = scene.center_kji[plane.axis]
    base = 0.55 * _rgb(scene, scene.reference, plane, index)
    uncertainty = plane.cut(scene.uncertainty[name], index) / MAPS[name].highest
    shown = np.clip(uncertainty / FAINT, 0, 1)[..., None] * 0.9
    rgb = (1 - shown) * base + shown * colormaps[MAPS[name].colors.lower()](uncertainty)[..., :3]
    return slice_panel(scene, plane, index, rgb, ON_UNCERTAINTY, width_in)


def montage(scene: Scene, indices: list[int], columns: int) -> bytes:
    """PNG of axial slices of the reference image from superior to inferior, `columns` in a row."""
    height_mm, width_mm = _size_mm(scene, AXIAL)
    rows = -(-len(indices) // columns)
    width_in = 2 * PANEL_IN * 2 / columns
    figure = Figure(figsize=(width_in * columns, width_in * height_mm / width_mm * rows), dpi=DPI, facecolor="black")
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=_touching()).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, index in zip(axes, indices, strict=False):
        _draw(ax, scene, AXIAL, index, _rgb(scene, scene.reference, AXIAL, index), CONTOURS)
        _write(ax, (0.03, 0.93), AXIAL.position(scene.grid, index), 11, across="left")
    return _png(figure)


def color_bar(name: str) -> bytes:
    """PNG strip of the colors called `name`, lowest value on the left."""
    return strip(colormaps[name.lower()](np.linspace(0, 1, 256))[:, :3])


def strip(rgb: np.ndarray) -> bytes:
    """PNG strip of colors (n, 3) from 0 to 1, from left to right."""
    figure = Figure(figsize=(2.56, 0.12), dpi=DPI)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.imshow(rgb[None], aspect="auto")
    return _png(figure)


def gray_bar(window: Window) -> bytes:
    """PNG strip of the window's grays, its lowest value on the left."""
    gray = window.gray(np.linspace(window.low, window.high, 256))
    return strip(np.repeat(gray[:, None], 3, axis=1))


def window_in(scene: Scene, modality: str) -> Window:
    return scene.windows[modality]


def _rgb(scene: Scene, modality: str, plane: Plane, index: int) -> np.ndarray:
    shown = plane.cut(scene.images[modality], index)
    in_color = modality not in scene.windows
    rgb = shown / 255 if in_color else np.repeat(window_in(scene, modality).gray(shown)[..., None], 3, axis=-1)
    rgb[~plane.cut(scene.valid[modality], index)] = OUTSIDE
    return rgb


def _size_mm(scene: Scene, plane: Plane) -> tuple[float, float]:
    rows, columns = (n for axis, n in enumerate(scene.grid.shape) if axis != plane.axis)
    row_mm, column_mm = plane.pixel_mm(scene.grid)
    return rows * row_mm, columns * column_mm


def slice_panel(
    scene: Scene, plane: Plane, index: int, rgb: np.ndarray, lines: tuple[str, ...], width_in: float = PANEL_IN
) -> bytes:
    """PNG of rgb [row, column, 3], one slice of the scene, with the outlines called `lines` and the patient's sides."""
    height_mm, width_mm = _size_mm(scene, plane)
    figure = Figure(figsize=(width_in, width_in * height_mm / width_mm), dpi=DPI)
    ax = figure.add_axes((0, 0, 1, 1))
    _draw(ax, scene, plane, index, rgb, lines)
    for letter, (x, y) in zip(plane.edges, ((0.03, 0.5), (0.97, 0.5), (0.5, 0.965), (0.5, 0.035)), strict=True):
        _write(ax, (x, y), letter, 4 + 2.2 * width_in, bright=float(np.median(rgb)) > 0.5)
    return _png(figure)


def _draw(ax: Axes, scene: Scene, plane: Plane, index: int, rgb: np.ndarray, lines: tuple[str, ...]) -> None:
    """The image in millimeters from its top left corner, so that contours and aspect are those of the patient."""
    height_mm, width_mm = _size_mm(scene, plane)
    row_mm, column_mm = plane.pixel_mm(scene.grid)
    ax.imshow(rgb, extent=(0, width_mm, height_mm, 0), interpolation="bilinear", aspect="auto")
    ax.set_axis_off()
    for name in (*scene.colors, *lines) if lines == CONTOURS else lines:
        mask = plane.cut(scene.masks[name], index) if name in scene.masks else np.zeros((1, 1), bool)
        if mask.any() and not mask.all():
            x, y = (np.arange(mask.shape[1]) + 0.5) * column_mm, (np.arange(mask.shape[0]) + 0.5) * row_mm
            color, width, style = (scene.colors[name], 1.3, "solid") if name in scene.colors else LINES[name]
            ax.contour(x, y, mask, levels=[0.5], colors=color, linewidths=width, linestyles=[style])


def _write(
    ax: Axes, at: tuple[float, float], text: str, points: float, bright: bool = False, across: str = "center"
) -> None:
    """Text at a fraction of the axes, black on a bright picture and white on a dark one, with a halo of the other."""
    ink, paper = ("black", "white") if bright else ("white", "black")
    halo = [withStroke(linewidth=2, foreground=paper)]
    font: dict[str, Any] = {"color": ink, "fontsize": points, "ha": across, "va": "center", "path_effects": halo}
    ax.text(*at, text, transform=ax.transAxes, **font)


def _touching() -> dict[str, float]:
    return {"left": 0, "right": 1, "bottom": 0, "top": 1, "wspace": 0.01, "hspace": 0.01}


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
