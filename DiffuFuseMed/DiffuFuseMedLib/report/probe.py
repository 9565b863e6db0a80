"""What a probe found: sensitivity by size and contrast as a curve, every tumor as a row; as a page, and as a section of
the case's report."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import binomtest

from ..core.probed import FOUND_IOU, Probed, ProbeRecord, sensitivities
from ..core.staging import staged
from ..core.whole_file import write_whole
from .content import data_uri
from .templates import filled

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


def probe_section(record: ProbeRecord) -> dict[str, Any]:
    """What both pages say of a probe."""
    rows = sorted(sensitivities(record.tumors), key=lambda row: (row[0], -row[1]))
    return {
        "model": record.segmenter.id,
        "synthesizer": record.synthesizer.id,
        "sha256": record.synthesizer.sha256[:12],
        "curve": data_uri(curve(rows)),
        "rows": [
            {
                "diameter": f"{d:g}",
                "contrast": f"{c:g}",
                "found": f"{found} of {tried}",
                "share": _percent(found, tried),
            }
            for d, c, found, tried in rows
        ],
        "tumors": [_cells(tumor) for tumor in record.tumors],
        "notes": record.notes,
        "false_ml": "" if record.false_ml is None else f"{record.false_ml:.1f}",
        "says_little": sum(tumor.says_little for tumor in record.tumors),
        "found_iou": f"{FOUND_IOU:g}",
    }


def write_probe(record: ProbeRecord, path: Path) -> None:
    """Write the page. Raises InputError when the folder cannot be written."""
    html = filled("probe_page.html.j2", {"case": record.case, "probe": probe_section(record)})
    with staged(path.parent) as folder:
        write_whole(folder / path.name, html)


def _cells(t: Probed) -> tuple[str, ...]:
    """Of a tumor's row."""
    uptake = "no PET" if t.suv_mean is None else f"{t.suv_mean:.1f}"
    overlap = f"{t.iou:.2f}", f"{t.recall:.0%}", f"{t.before:.0%}"
    return f"{t.diameter_mm:g}", f"{t.contrast:g}", f"{t.volume_ml:.1f}", uptake, *overlap, str(t.seed)


def _percent(found: int, tried: int) -> str:
    low, high = interval(found, tried)
    return f"{found / tried:.0%} [{low:.0%}, {high:.0%}]"
