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

SHIPPED = "Platt"  # what calibrate() fits
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
    columns = ("ECE", "median", f"p against {SHIPPED}", "Brier", "AUROC of the error")
    table = Table("correction", *columns, title=title)
    for kind, rows in scores.items():
        eces = [row["ece"] for row in rows]
        known = [row["auroc"] for row in rows if np.isfinite(row["auroc"])]
        p = _p([mine - row["ece"] for mine, row in zip(eces, scores[SHIPPED], strict=True)])
        cells = [f"{fmean(eces):.4f}", f"{median(eces):.4f}", p, f"{fmean(row['brier'] for row in rows):.4f}"]
        table.add_row(kind, *cells, f"{fmean(known):.3f}" if known else "")
    return table


def _p(differences: Sequence[float]) -> str:
    """Of Wilcoxon's signed-rank test, two-sided; "" where nothing differs."""
    from scipy.stats import wilcoxon

    return f"{float(wilcoxon(differences).pvalue):.3f}" if any(differences) else ""
