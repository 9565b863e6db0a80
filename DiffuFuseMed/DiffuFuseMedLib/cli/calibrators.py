"""`diffufusemed diagnose --calibrators`: which correction of the probability holds on patients left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

if TYPE_CHECKING:
    from ..core.case import Case
    from ..models.zoo import Model
    from ..tasks.segment.settings import Settings

SHIPPED = "Platt"  # the line that calibrate() fits, there to each sample and here to their mean
LEGEND = (
    f"Means over patients, each corrected by the others, and the median of the ECE; p: its Wilcoxon signed-rank test "
    f"against {SHIPPED}, two-sided, for each line by itself; a line that some patient lacks what it takes is left out."
)
Scores = dict[str, list[dict[str, float]]]


def compare(
    cases: Sequence[Case], network: Callable[[str], Model], settings: Settings, tell: Callable[[str], None]
) -> tuple[Scores, list[str]]:
    """left_out() of the cases, each drawn by the network of its name, and their names. tell: is told the case."""
    from ..tasks.segment.calibrators import band_of, left_out
    from ..tasks.segment.predict import draw

    bands = []
    for case in cases:
        tell(case.name)
        model = network(case.name)
        bands.append(band_of(case, draw(case, model, settings), model.record))
    tell("each patient by the others")
    return left_out(bands, settings.seed), [band.name for band in bands]


def as_rows(scores: Scores, names: Sequence[str]) -> list[dict[str, Any]]:
    """One a correction and case."""
    return [
        {"correction": kind, "case": name, **row}
        for kind, rows in scores.items()
        for name, row in zip(names, rows, strict=True)
    ]


def calibrators_table(scores: Scores, title: str) -> Table:
    """A line a correction: means over the cases, and how surely its ECE is another than that of SHIPPED."""
    from ..metrics.significance import compare as paired

    columns = ("ECE", "median", f"p against {SHIPPED}", "Brier", "AUROC of the error")
    table = Table("correction", *columns, title=title, caption=LEGEND)
    for kind, rows in scores.items():
        eces = [row["ece"] for row in rows]
        known = [row["auroc"] for row in rows if np.isfinite(row["auroc"])]
        p = "" if kind == SHIPPED else f"{paired(eces, [row['ece'] for row in scores[SHIPPED]]).p:.3f}"
        cells = [f"{fmean(eces):.4f}", f"{median(eces):.4f}", p, f"{fmean(row['brier'] for row in rows):.4f}"]
        table.add_row(kind, *cells, f"{fmean(known):.3f}" if known else "")
    return table
