"""Diff4MMLiTS's Tables III to V as they come out here, and the same patient by patient."""

from __future__ import annotations

from math import isfinite
from statistics import fmean

from ..metrics.significance import compare, holm
from .papers import diff4mmlits as paper
from .parts import Table
from .results import Results, text_of
from .significance_table import FEWEST
from .tables import about
from .variants import id_of

COLUMNS = {"dice": "DSC, %", "iou": "JAC, %", "recall": "SE, %", "precision": "PRE, %"}
MADE = (
    "Real and synthetic batches in turn by chance, half of each; minutes are the network's own, in which the pool of "
    "synthetic cases is renewed, and which begin once it is filled."
)
PORTION = (
    "Patients of whom lesion and healthy part are trained on; inpainter and synthesizer were trained on all of them, "
    "as in the paper. uni: of CT alone."
)


def table_iii(results: Results) -> Table:
    """Backbones on real cases, and on real and synthetic ones."""
    pairs = [(name, f"{name}+synthetic") for name in paper.TABLE_3 if "+" not in name]
    notes = (MADE, *_differences(results, [(id_of(a), id_of(b)) for a, b in pairs]))
    return _table(results, "Diff4MMLiTS, Table III: backbones", paper.TABLE_3, notes)


def table_iv(results: Results) -> Table:
    """Parts of the patients."""
    return _table(results, "Diff4MMLiTS, Table IV: parts of the patients", paper.TABLE_4, (PORTION,))


def table_v(results: Results) -> Table:
    """Other inpainting, other synthesis."""
    whole = id_of(paper.HYBRID)
    pairs = [(id_of(name), whole) for name in paper.TABLE_5 if name != paper.HYBRID]
    notes = _differences(results, pairs)
    return _table(results, "Diff4MMLiTS, Table V: without inpainter or diffusion", paper.TABLE_5, notes)


def _table(results: Results, title: str, rows: dict[str, tuple[str, paper.Figures]], notes: tuple[str, ...]) -> Table:
    lines = []
    for recipe, (words, printed) in rows.items():
        method = id_of(recipe)
        cells = [words if method not in results.methods else f"{words}: {method}"]
        for metric in COLUMNS:
            values = results.by_case(method, metric).values()
            cells += [text_of([100 * v for v in values], 1), f"{printed[metric]:.2f}"]
        lines.append(tuple(cells))
    for method in results.trivial:
        found = [text_of([100 * v for v in results.by_case(method, metric).values()], 1) for metric in COLUMNS]
        lines.append((method, *(cell for value in found for cell in (value, ""))))
    heads = [head for title in COLUMNS.values() for head in (title, "paper")]
    shown = {id_of(recipe) for recipe in rows} & {*results.methods}
    told = (*notes, *about(results, shown)[:-1], paper.WHY)
    return Table(title, ("trained on or with", *heads), tuple(lines), told, tuple(range(2, len(heads) + 1, 2)))


def _differences(results: Results, pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence a pair: by how much the second's Dice is higher, patient by patient."""
    found = {}
    for one, other in pairs:
        before, after = results.paired(one, other, "dice")
        if len(before) >= FEWEST:
            found[one, other] = compare(after, before)
    adjusted = holm([x.p for x in found.values()])
    return tuple(
        f"{other} less {one}: {100 * x.difference:+.1f} points of Dice [{100 * x.low:.1f}, {100 * x.high:.1f}], "
        f"Wilcoxon p = {x.p:.3g}, after Holm {p:.3g}."
        for ((one, other), x), p in zip(found.items(), adjusted, strict=True)
    )


def by_lesion(results: Results) -> Table:
    """Dice of every patient, largest lesion first: what synthetic cases do for the large, the small and the faint."""
    looks = {done.job.spec["case"]: done.result for done in results.of("look")}
    methods = [m for m in results.methods if m in results.systems]
    order = sorted(looks, key=lambda case: -looks[case]["volume_ml"])
    scores = {m: results.by_case(m, "dice") for m in methods}
    rows = [
        (case, f"{looks[case]['volume_ml']:.0f}", _number(looks[case]["suv_mean"]), *_dice(scores, case))
        for case in order
    ]
    means = [f"{100 * fmean(own.values()):.1f}" if own else "" for own in scores.values()]
    columns = ("patient", "lesion, mL", "SUVmean", *methods)
    return Table("Dice, %, by lesion", columns, (*rows, ("mean", "", "", *means)), about(results)[:-1])


def _dice(scores: dict[str, dict[str, float]], case: str) -> list[str]:
    return [f"{100 * own[case]:.1f}" if case in own else "" for own in scores.values()]


def _number(value: float | None) -> str:
    return f"{value:.1f}" if value is not None and isfinite(value) else "no PET"
