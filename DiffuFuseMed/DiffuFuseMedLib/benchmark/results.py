"""What came of a suite's jobs, asked for by method, condition and metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from statistics import fmean
from typing import Any

from ..metrics import mean_interval
from ..tasks.segment.evaluate import CLEAN
from .jobs import Done
from .request import Request

Row = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """done: trainings and scorings; systems: of each method, in the tables' order, the first the one that is compared;
    seen: how many of the cases a method was trained on; paper_rows: of CalDiff's tables, which a method is beside."""

    request: Request
    done: tuple[Done, ...]
    systems: dict[str, str]
    seen: dict[str, int]
    paper_rows: dict[str, str]

    @property
    def ours(self) -> str:
        """The method that others are compared with, "" where there is none."""
        return next(iter(self.systems), "")

    @property
    def trivial(self) -> list[str]:
        return list(dict.fromkeys(row["method"] for row in self.rows if row["method"] not in self.systems))

    @property
    def methods(self) -> list[str]:
        """Those that were scored, trivial ones last."""
        scored = {row["method"] for row in self.rows}
        return [*(method for method in self.systems if method in scored), *self.trivial]

    @property
    def failed(self) -> list[Done]:
        return [done for done in self.done if done.failed]

    def of(self, kind: str) -> list[Done]:
        """Jobs of this kind that were done."""
        return [done for done in self.done if done.job.kind == kind and not done.failed]

    @cached_property
    def rows(self) -> list[Row]:
        """One for each method, seed, case and condition."""
        rows = []
        for done in self.of("score"):
            spec, result = done.job.spec, done.result
            facts = {name: spec[name] for name in ("method", "seed", "case", "condition")}
            gates = {f"gate_{modality}": weight for modality, weight in result["gates"].items()}
            rows.append({**facts, **result["scores"], "seconds": result["seconds"], **gates})
        for done in self.of("trivial"):
            facts = {"seed": 0, "case": done.job.spec["case"], "condition": CLEAN}
            rows += [{"method": method, **facts, **scores} for method, scores in done.result.items()]
        return rows

    def conditions(self, method: str) -> list[str]:
        return list(dict.fromkeys(row["condition"] for row in self.rows if row["method"] == method))

    def by_case(self, method: str, metric: str, condition: str = CLEAN) -> dict[str, float]:
        """Of each case that has the metric, a mean over seeds."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            value = row.get(metric)
            if (row["method"], row["condition"]) == (method, condition) and value is not None and isfinite(value):
                found.setdefault(row["case"], []).append(float(value))
        return {case: fmean(values) for case, values in found.items()}

    def paired(self, one: str, other: str, metric: str) -> tuple[list[float], list[float]]:
        """Of two methods, each case that both have, in the same order."""
        first, second = self.by_case(one, metric), self.by_case(other, metric)
        both = [case for case in first if case in second]
        return [first[case] for case in both], [second[case] for case in both]

    def clean(self, method: str) -> list[Done]:
        """The clean scorings of a method, in which curves and sheets are."""
        specs = ((done, done.job.spec) for done in self.of("score"))
        return [done for done, spec in specs if (spec["method"], spec["condition"]) == (method, CLEAN)]

    @property
    def asked(self) -> list[str]:
        """The cases that any job was about."""
        return list(dict.fromkeys(done.job.spec["case"] for done in self.done if "case" in done.job.spec))

    @property
    def patients(self) -> int:
        """How many of them any job gave a result of."""
        return len({done.job.spec["case"] for done in self.done if "case" in done.job.spec and not done.failed})

    @property
    def lacking(self) -> dict[str, list[str]]:
        """By modality, the cases that are without it though a model reads it."""
        found: dict[str, list[str]] = {}
        for done in self.of("score"):
            for modality in done.result.get("lacking", ()):
                found[modality] = list(dict.fromkeys([*found.get(modality, ()), done.job.spec["case"]]))
        return found


def text_of(values: Sequence[float], digits: int = 3) -> str:
    """Mean with its bootstrap 95 % interval over patients, of one the value alone; "" of none."""
    if not values:
        return ""
    if len(values) == 1:
        return number(values[0], digits)
    mean, low, high = (number(value, digits) for value in mean_interval(list(values)))
    return f"{mean} [{low}, {high}]"


def number(value: float, digits: int) -> str:
    """With so many digits after the point, and never minus nothing."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
