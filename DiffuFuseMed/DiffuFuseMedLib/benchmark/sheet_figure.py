"""DiffuFuseMed's Figure 9, wider: image, prediction, reference, uncertainty and error of some patients."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from .drawing import new, png
from .parts import Picture
from .results import Results
from .sheets import PANELS, panel_of

MOST = 4  # patients
COLORS = {"uncertainty": "inferno", "error": "Reds"}


def uncertainty(results: Results, method: str) -> Picture | None:
    """The first patients of one model, a row each; None where it was not scored."""
    sheets = {done.job.spec["case"]: done.result["sheet"] for done in results.clean(method) if "sheet" in done.result}
    shown = dict(list(sheets.items())[:MOST])
    if not shown:
        return None
    figure = new((2.0 * len(PANELS), 2.1 * len(shown)))
    axes = figure.subplots(len(shown), len(PANELS), squeeze=False)
    for row, (case, sheet) in zip(axes, shown.items(), strict=True):
        for ax, name in zip(row, PANELS, strict=True):
            _panel(ax, sheet, name)
        row[0].set_ylabel(case, fontsize=8)
    for ax, name in zip(axes[0], PANELS, strict=True):
        ax.set_title(name, fontsize=9)
    says = f"{', '.join(PANELS)} of {', '.join(shown)} by {method}, the axial slice with most of the reference."
    note = f"{len(shown)} of {len(sheets)} patients, in the fold's order; uncertainty from 0 (black) to ln 2 (bright)."
    title = f"Figure 9: where {method} is uncertain"
    return Picture(title, f"uncertainty-{method}", png(figure), says, (note,))


def _panel(ax: Axes, sheet: dict[str, Any], name: str) -> None:
    rows, columns = sheet["shape"]
    row_mm, column_mm = sheet["pixel_mm"]
    extent = (0, columns * column_mm, rows * row_mm, 0)
    ax.imshow(panel_of(sheet, name), cmap=COLORS.get(name, "gray"), vmin=0, vmax=1, extent=extent)
    ax.set_xticks([])
    ax.set_yticks([])
