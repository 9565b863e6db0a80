"""DiffuFuseMed's Figures 2 to 5, 7, 8 and 10 as they come out here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..metrics import mean_interval
from ..metrics.calibration import BINS
from ..tasks.segment.evaluate import CLEAN
from .curves import GRID, Counts, mean_precision, mean_roc, pooled
from .drawing import SIZE_IN, color, named, new, png
from .papers import diffufusemed as paper
from .parts import Picture
from .results import Results
from .tables import OFF

NOISE = {0.0: CLEAN, 0.1: "gaussian noise 0.1", 0.3: "gaussian noise 0.3", 0.5: "gaussian noise 0.5"}
WHOLE = (
    "Over all voxels of the evaluation crop, as a mean of the patients' curves; the paper does not say of which voxels."
)


def roc(results: Results) -> Picture:
    """Figure 2."""
    figure = new()
    axes = figure.add_subplot()
    for number, method in enumerate(results.systems):
        if cases := counts_of(results, method):
            area = fmean(c.area() for c in cases)
            axes.plot(GRID, mean_roc(cases), color=color(number), label=f"{method}, AUC {area:.3f}")
    axes.plot([0, 1], [0, 1], "--", color="0.6", linewidth=1, label="chance")
    named(axes, "false positive rate", "true positive rate")
    printed = ", ".join(f"{name} {auc:g}" for name, (auc, _) in paper.AREAS.items())
    says = "True against false positive rate of each model."
    return Picture("Figure 2: ROC curves", "roc", png(figure), says, (WHOLE, f"The paper's AUC: {printed}."))


def precision_recall(results: Results) -> Picture:
    """Figure 3."""
    figure = new()
    axes = figure.add_subplot()
    for number, method in enumerate(results.systems):
        if cases := counts_of(results, method):
            area = fmean(c.average_precision() for c in cases)
            axes.plot(GRID, mean_precision(cases), color=color(number), label=f"{method}, AP {area:.3f}")
    for number, method in enumerate(results.trivial):
        points = [list(results.by_case(method, metric).values()) for metric in ("recall", "precision")]
        if all(points):
            axes.plot(*map(fmean, points), "osD^v"[number % 5], color="0.4", label=f"{method} (one mask)")
    axes.set_ylim(0, 1.02)
    named(axes, "recall", "precision")
    printed = ", ".join(f"{name} {ap:g}" for name, (_, ap) in paper.AREAS.items())
    says = "Precision against recall of each model, and the trivial masks as points."
    notes = (WHOLE, f"The paper's average precision: {printed}.")
    return Picture("Figure 3: precision and recall", "precision-recall", png(figure), says, notes)


def noise(results: Results) -> Picture:
    """Figure 4."""
    figure = new((2 * SIZE_IN[0] * 0.75, SIZE_IN[1]))
    for axes, metric, title in zip(figure.subplots(1, 2), ("dice", "iou"), ("Dice, %", "IoU, %"), strict=True):
        for number, method in enumerate(m for m in results.methods if m in results.systems):
            _noise_line(axes, results, method, metric, number)
        printed = [paper.TABLE_3[name][metric] for name in NOISE.values()]
        axes.plot(list(NOISE), printed, "--", color="0.5", label="the paper's")
        named(axes, "standard deviation of the noise, in that of the modality", title)
    says = "Dice and IoU against the level of Gaussian noise, with 95 % intervals."
    return Picture("Figure 4: noise", "noise", png(figure), says, ("Noise as tasks/segment/corruptions.py makes it.",))


def _noise_line(axes: Axes, results: Results, method: str, metric: str, number: int) -> None:
    values = {level: list(results.by_case(method, metric, name).values()) for level, name in NOISE.items()}
    known = {level: [100 * v for v in found] for level, found in values.items() if found}
    if not known:
        return
    axes.plot(list(known), [fmean(v) for v in known.values()], "o-", color=color(number), label=method)
    if all(len(v) > 1 for v in known.values()):
        ends = np.array([mean_interval(v)[1:] for v in known.values()])
        axes.fill_between(list(known), *ends.T, color=color(number), alpha=0.15, linewidth=0)


def missing(results: Results) -> Picture:
    """Figure 5."""
    figure = new((2 * SIZE_IN[0] * 0.75, SIZE_IN[1]))
    axes = figure.add_subplot()
    models = [m for m in results.methods if m in results.systems]
    names = list(dict.fromkeys(c.removesuffix(OFF) for m in models for c in results.conditions(m)))
    bars = [(m, end) for m in models for end in ("", OFF) if any(c.endswith(end or c) for c in results.conditions(m))]
    bars = [(m, end) for m, end in bars if not end or any(c.endswith(OFF) for c in results.conditions(m))]
    width = 0.8 / (len(bars) + 1)
    for place, (method, end) in enumerate(bars):
        values = [[100 * v for v in results.by_case(method, "dice", name + end).values()] for name in names]
        heights = [fmean(v) if v else np.nan for v in values]
        fill: dict[str, Any] = {"color": color(models.index(method)), "alpha": 0.45 if end else 1.0}
        axes.bar(np.arange(len(names)) + place * width, heights, width, label=method + end, **fill)
        _whiskers(axes, np.arange(len(names)) + place * width, values)
    printed = [paper.TABLE_4.get(name, {}).get("gated", np.nan) for name in names]
    axes.bar(np.arange(len(names)) + len(bars) * width, printed, width, label="the paper's, gated", color="0.75")
    axes.set_xticks(
        np.arange(len(names)) + 0.4 - width / 2,
        ["all" if name == CLEAN else name.replace(", ", ",\n") for name in names],
    )
    named(axes, "", "Dice, %", above=True)
    says = "Dice with each modality withheld, with and without gating."
    return Picture("Figure 5: withheld modalities", "missing", png(figure), says)


def _whiskers(axes: Axes, places: np.ndarray, values: Sequence[Sequence[float]]) -> None:
    for place, own in zip(places, values, strict=True):
        if len(own) > 1:
            axes.plot([place, place], mean_interval(list(own))[1:], color="0.2", linewidth=1)


def latency(results: Results) -> Picture:
    """Figure 7."""
    figure = new()
    axes = figure.add_subplot()
    each = {done.job.spec["method"]: done.result["slice"]["each_ms"] for done in results.of("measure")}
    if each:
        axes.boxplot(list(each.values()), tick_labels=list(each))
    for number, values in enumerate(each.values(), 1):
        axes.plot([number] * len(values), values, ".", color="0.4", markersize=4)
    axes.set_ylim(bottom=0)
    named(axes, "", "ms a slice", legend=False)
    printed = ", ".join(f"{name} {ms:g}" for name, ms in paper.LATENCY_MS.items())
    says = "Milliseconds a 256 x 256 slice of each model, over repeated draws."
    notes = (f"The paper, on an RTX 4090, in ms: {printed}.",)
    return Picture("Figure 7: latency", "latency", png(figure), says, notes)


def reliability(results: Results) -> Picture:
    """Figure 8."""
    figure = new((SIZE_IN[1] * 1.15, SIZE_IN[1] * 1.1))
    axes = figure.add_subplot()
    for number, method in enumerate(results.systems):
        if curves := [done.result["reliability"] for done in results.clean(method)]:
            curve = pooled(curves, BINS)
            axes.plot(curve["confidence"], curve["frequency"], "o-", markersize=4, color=color(number), label=method)
    axes.plot([0, 1], [0, 1], "--", color="0.6", linewidth=1, label="as it should be")
    axes.set_aspect("equal")
    named(axes, "probability that is told", "share of voxels that are lesion")
    notes = ("In the 20 mm around the reference's border, voxels of all patients together.",)
    says = "Told probability against how often it is lesion."
    return Picture("Figure 8: reliability", "reliability", png(figure), says, notes)


def ablations(results: Results) -> Picture:
    """Figure 10."""
    figure = new((2 * SIZE_IN[0] * 0.7, SIZE_IN[1]))
    axes = figure.add_subplot()
    dice = {m: [100 * v for v in results.by_case(m, "dice").values()] for m in results.methods}
    axes.boxplot(list(dice.values()))
    for number, values in enumerate(dice.values(), 1):
        axes.plot([number] * len(values), values, ".", color="0.4", markersize=4)
    axes.set_xticks(
        range(1, len(dice) + 1), [m.removeprefix("sts-diffufusemed-") for m in dice], rotation=30, ha="right"
    )
    named(axes, "", "Dice, %", legend=False)
    says = "Dice of the patients by each network, a point a patient."
    return Picture("Figure 10: ablations", "ablations", png(figure), says)


def counts_of(results: Results, method: str) -> list[Counts]:
    """Of each clean scoring of a method that has a lesion and anything else."""
    found = [Counts.from_json(done.result["counts"]) for done in results.clean(method)]
    return [counts for counts in found if counts.lesion.sum() and counts.other.sum()]
