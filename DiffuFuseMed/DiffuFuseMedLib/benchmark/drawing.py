"""What every figure shares: size, colors, axes, and how it becomes a PNG (matplotlib's Agg)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SIZE_IN = (6.4, 4.2)
DPI = 110


def new(size_in: tuple[float, float] = SIZE_IN) -> Figure:
    figure = Figure(figsize=size_in, dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def color(number: int) -> tuple[float, ...]:
    """Of the method of this number, that of ours first: ten that a color-blind reader tells apart best."""
    return tuple(map(float, matplotlib.colormaps["tab10"](number % 10)))


def named(axes: Axes, across: str, up: str, legend: bool = True, above: bool = False) -> None:
    """Axes with their titles, and with a legend where anything has a label; above: not over what is drawn."""
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if legend and axes.get_legend_handles_labels()[1]:
        place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3} if above else {}
        axes.legend(fontsize=8, frameon=False, **place)


def png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
