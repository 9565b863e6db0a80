"""The probe's page: sensitivity by size and contrast as a curve, every tumor as a row."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import binomtest

from ..core.staging import staged
from ..core.whole_file import write_whole
from .content import data_uri
from .page import filled

Sensitivity = tuple[float, float, int, int]
COLORS = ("#1f6f78", "#b7860b", "#c026d3", "#16a34a", "#d9480f")


def interval(found: int, tried: int) -> tuple[float, float]:
    """95 %, Wilson."""
    bounds = binomtest(found, tried).proportion_ci(0.95, "wilson")
    return float(bounds.low), float(bounds.high)


def curve(rows: Sequence[Sensitivity]) -> bytes:
    """PNG: the share that is found over the diameter, a line a contrast. rows: (diameter, contrast, found, tried)."""
    figure = Figure(figsize=(7.0, 4.2), dpi=100)
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    for number, contrast in enumerate(dict.fromkeys(row[1] for row in rows)):
        own = sorted(row for row in rows if row[1] == contrast)
        share = [found / tried for _, _, found, tried in own]
        ends = [interval(found, tried) for _, _, found, tried in own]
        off = [[s - low for s, (low, _) in zip(share, ends, strict=True)],
               [high - s for s, (_, high) in zip(share, ends, strict=True)]]  # fmt: skip
        color = COLORS[number % len(COLORS)]
        ax.errorbar([row[0] for row in own], share, off, color=color, marker="o", capsize=3, label=f"{contrast:g}")
    ax.set_xlabel("diameter, mm")
    ax.set_ylabel("share found")
    ax.set_ylim(-0.03, 1.03)
    ax.legend(title="contrast, 1 as in patients")
    ax.grid(alpha=0.3)
    figure.tight_layout()
    stream = BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def write_probe(page: dict[str, Any], rows: Sequence[Sensitivity], path: Path) -> None:
    """Write the page. page: case, model, synthesizer, false_ml, notes, misfits (sentences) and tumors (a list of cells
    each). Raises InputError when the folder cannot be written."""
    table = [
        {"diameter": f"{d:g}", "contrast": f"{c:g}", "found": f"{found} of {tried}", "share": _percent(found, tried)}
        for d, c, found, tried in rows
    ]
    html = filled("probe.html.j2", {**page, "curve": data_uri(curve(rows)), "rows": table})
    with staged(path.parent) as folder:
        write_whole(folder / path.name, html)


def _percent(found: int, tried: int) -> str:
    low, high = interval(found, tried)
    return f"{found / tried:.0%} [{low:.0%}, {high:.0%}]"
