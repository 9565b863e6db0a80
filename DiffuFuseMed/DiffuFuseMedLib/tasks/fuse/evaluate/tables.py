"""Rows to means with their intervals, and the aims beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....metrics.fusion import Mean, aggregate
from .run import Row

FACTS = ("kind", "part", "condition", "method", "case", "series")
LINES = ("mean", "low 95 %", "high 95 %")
# What the best learned peers and the maximum reach, all at once, on unseen CT-MRI series.
AIMS = {
    "soft_ssim_mri": 0.952,
    "soft_fsim_mri": 0.955,
    "bone_psnr_ct": 20.0,
    "bone_ssim_ct": 0.80,
    "Qabf": 0.629,
    "SCD": 1.546,
    "ct_in_soft": 0.75,
}


@dataclass(frozen=True)
class Group:
    """The means of one method under one condition, by column."""

    kind: str
    part: str
    condition: str
    method: str
    means: dict[str, Mean]


def groups(rows: Sequence[Row], seed: int = 0, resamples: int = 10000) -> list[Group]:
    """In the order of the rows; the intervals resample series."""
    found: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in rows:
        kind, part, condition, method = (row[name] for name in FACTS[:4])
        found.setdefault((kind, part, condition, method), []).append(row)
    return [Group(*facts, means=_means(group, seed, resamples)) for facts, group in found.items()]


def mean_rows(found: Sequence[Group]) -> list[Row]:
    """For each group three lines of the CSV: mean, low and high end of the interval; series: how many rows it is of."""
    rows = []
    for group in found:
        facts = dict(zip(FACTS[:4], (group.kind, group.part, group.condition, group.method), strict=True))
        many = max((mean.rows for mean in group.means.values()), default=0)
        for index, line in enumerate(LINES):
            values = {column: mean[index] for column, mean in group.means.items()}
            rows.append({**facts, "case": line, "series": f"of {many}", **values})
    return rows


def aims(means: dict[str, Mean]) -> dict[str, tuple[float, float, bool]]:
    """By column the mean, the aim, and whether it is met; a mean that is not there is not met."""
    nothing = Mean(float("nan"), float("nan"), float("nan"), 0)
    reached = {column: means.get(column, nothing).mean for column in AIMS}
    return {column: (reached[column], aim, bool(reached[column] > aim)) for column, aim in AIMS.items()}


def _means(rows: list[Row], seed: int, resamples: int) -> dict[str, Mean]:
    scores = [{k: _number(v) for k, v in row.items() if k not in FACTS} for row in rows]
    return aggregate(scores, [row["series"] for row in rows], seed, resamples)


def _number(value: float) -> float:
    return float(value) if value is not None else np.nan
