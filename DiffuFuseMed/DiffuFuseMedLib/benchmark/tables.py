"""DiffuFuseMed's Tables 1 to 4 and 7 as they come out here, the paper's figures in a second column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..tasks.segment.evaluate import CLEAN
from .papers import diffufusemed as paper
from .parts import Table
from .results import Results, text_of

OFF = ", gating off"
ENOUGH = 10  # patients: the percentile bootstrap of fewer covers the mean clearly less often than it says


@dataclass(frozen=True)
class Column:
    """A metric in the paper's unit."""

    title: str
    metric: str
    scale: float = 1.0
    digits: int = 3


DICE, IOU, HD95 = (
    Column("Dice, %", "dice", 100, 1),
    Column("IoU, %", "iou", 100, 1),
    Column("HD95, mm", "hd95_mm", 1, 1),
)
OVERLAP = (DICE, IOU, HD95, Column("Precision, %", "precision", 100, 1), Column("Recall, %", "recall", 100, 1))
CALIBRATION = (
    Column("ECE", "ece"), Column("Brier", "brier"), Column("NLL", "nll"), Column("Coverage, %", "coverage", 100, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A row: its words, whose scores under which condition ("" of nobody's), and the paper's figures by metric."""

    label: str
    method: str
    condition: str = CLEAN
    printed: dict[str, float] | None = None


def table_1(results: Results) -> Table:
    """Quantitative segmentation performance."""
    return _table(results, "Table 1: segmentation", _lines(results, paper.TABLE_1), OVERLAP)


def table_7(results: Results) -> Table:
    """Uncertainty calibration; the trivial rows have no probabilities."""
    lines = [line for line in _lines(results, paper.TABLE_7) if line.method not in results.trivial]
    told = "In the 20 mm around the reference's border; the paper does not say where. Coverage: of the reference's "
    note = told + "surface by the band between inner and outer contour."
    return _table(results, "Table 7: calibration", lines, CALIBRATION, (note,))


def table_2(results: Results) -> Table:
    """Ablations: each row of the paper beside the recipe that lacks the part."""
    recipes = {row: recipe for recipe, row in paper.ABLATIONS.items()}
    lines = []
    for row, printed in paper.TABLE_2.items():
        method = recipes[row] if recipes[row] in results.methods else ""
        words = row if row in (next(iter(paper.TABLE_2)), "CNN Backbone Only") else f"without {row}"
        lines.append(Line(f"{words}: {method}" if method else words, method, CLEAN, printed))
    lines += [Line(method, method) for method in results.methods if method not in paper.ABLATIONS]
    return _table(results, "Table 2: without one part", lines, (DICE, IOU, HD95))


def table_3(results: Results) -> Table:
    """Corruptions: ours beside the paper, then every other model."""
    lines = [Line(name, results.ours, name, printed) for name, printed in paper.TABLE_3.items()]
    for method in [m for m in results.methods if m not in (results.ours, *results.trivial)]:
        lines += [Line(f"{method}: {name}", method, name) for name in paper.TABLE_3]
    lines += [Line(method, method) for method in results.trivial]
    table = _table(results, "Table 3: corrupted images", lines, (DICE, IOU, HD95))
    notes = (*_of_clean(results), *table.notes)
    drops = [(_drop(results, line), _printed(line, Column("", "drop", digits=1))) for line in lines]
    columns = (*table.columns, "Dice less clean, points", "paper")
    rows = tuple((*row, *drop) for row, drop in zip(table.rows, drops, strict=True))
    return Table(table.title, columns, rows, notes, (*table.beside, len(columns) - 1))


def _of_clean(results: Results) -> tuple[str, ...]:
    """Since the rows that no network is needed for are under no other condition."""
    return (f"{', '.join(results.trivial)}: of the clean images with all modalities.",) if results.trivial else ()


def table_4(results: Results) -> Table:
    """Withheld modalities, gating off and on."""
    gated = Column("Dice with gating, %", "gated", 100, 1)
    lines, rows = [], []
    for method in [m for m in results.methods if m not in results.trivial]:
        names = dict.fromkeys(name.removesuffix(OFF) for name in results.conditions(method))
        ours = paper.TABLE_4 if method == results.ours else {}
        for name in [*names, *(name for name in ours if name not in names)]:
            there = results.conditions(method)
            plain = name + OFF if name + OFF in there else name
            words = "all modalities" if name == CLEAN else name
            line = Line(
                words if ours else f"{method}: {words}", method if plain in there else "", plain, ours.get(name)
            )
            lines.append(line)
            own = list(results.by_case(method, "dice", name).values()) if plain != name else []
            rows.append((text_of([100 * v for v in own], 1), _printed(line, gated)))
    trivial = [Line(method, method) for method in results.trivial]
    table = _table(results, "Table 4: withheld modalities", [*lines, *trivial], (DICE, IOU, HD95), _of_missing(results))
    columns = (*table.columns, gated.title, "paper")
    more = [*rows, *[("", "")] * len(trivial)]
    made = tuple((*row, *two) for row, two in zip(table.rows, more, strict=True))
    return Table(table.title, columns, made, table.notes, (*table.beside, len(columns) - 1))


def _of_missing(results: Results) -> tuple[str, ...]:
    there = {name for method in results.systems for name in results.conditions(method)}
    notes = [
        "Dice, IoU and HD95 are without gating where a model has gates, as the paper's first columns are read here; of "
        "the rows with a duplicate they are with it.",
        "duplicated: the first of the modalities that are there stands in the absent one's place once more "
        "(Diff4MMLiTS, III.C).",
        *_of_clean(results),
    ]
    if lacking := [name.removeprefix("no ") for name in paper.TABLE_4 if name not in there]:
        notes.append(f"{' and '.join(lacking)} cannot be withheld: no model here was trained with it.")
    return tuple(notes)


def _lines(results: Results, rows: dict[str, dict[str, float]]) -> list[Line]:
    """The paper's rows, each with the methods that stand beside it, then those that it does not have."""
    beside = {m: paper.row_of(m, results.systems.get(m, "")) for m in results.methods}
    lines = []
    for row, printed in rows.items():
        own = [method for method, name in beside.items() if name == row] or [""]
        lines += [Line(f"{row}: {method}" if method else row, method, CLEAN, printed) for method in own]
    return lines + [Line(method, method) for method, name in beside.items() if name not in rows]


def _table(
    results: Results, title: str, lines: Sequence[Line], columns: Sequence[Column], notes: Iterable[str] = ()
) -> Table:
    heads = [head for column in columns for head in (column.title, "paper")]
    rows = [(line.label, *(cell for column in columns for cell in _cells(results, line, column))) for line in lines]
    beside = tuple(range(2, len(heads) + 1, 2))
    told = (*notes, *_of_fewer(results, lines, columns), *about(results, {line.method for line in lines}))
    return Table(title, ("method", *heads), tuple(rows), told, beside)


def _of_fewer(results: Results, lines: Sequence[Line], columns: Sequence[Column]) -> Iterator[str]:
    """A sentence on each row that is a mean over fewer patients than the table has, such as of HD95 where a mask is
    empty: rows are then not of the same patients."""
    for line in lines:
        counts: dict[int, list[str]] = {}
        for column in columns:
            counts.setdefault(len(results.by_case(line.method, column.metric, line.condition)), []).append(column.title)
        for count, titles in counts.items():
            if 0 < count < results.patients:
                what = f" ({'; '.join(titles)})" if len(counts) > 1 else ""
                yield f"{line.label}{what}: of {count} of the {results.patients} patients alone."


def _cells(results: Results, line: Line, column: Column) -> tuple[str, str]:
    values = results.by_case(line.method, column.metric, line.condition).values()
    return text_of([column.scale * value for value in values], column.digits), _printed(line, column)


def _printed(line: Line, column: Column) -> str:
    value = (line.printed or {}).get(column.metric)
    return "" if value is None else f"{value:.{column.digits}f}"


def _drop(results: Results, line: Line) -> str:
    """Mean difference of Dice over the patients that have both, in points."""
    clean, own = (results.by_case(line.method, "dice", name) for name in (CLEAN, line.condition))
    return text_of([100 * (own[case] - clean[case]) for case in own if case in clean], 1)


def seen(results: Results, shown: Collection[str] | None = None) -> list[str]:
    """A sentence on each method, of those that are shown, that was trained on some of the patients."""
    of = results.seen if shown is None else {method: n for method, n in results.seen.items() if method in shown}
    return [f"{method} was trained on {n} of these patients." for method, n in of.items() if n]


def about(results: Results, shown: Collection[str] | None = None) -> tuple[str, ...]:
    """How many patients, which seeds, who of the methods shown was trained on them, and why the paper's figures are
    others."""
    request, count, asked = results.request, results.patients, len(results.asked)
    several = len(request.seeds) > 1
    seeds = ", ".join(map(str, request.seeds))
    means = f"means over seeds {seeds} of each patient first" if several else f"seed {seeds}"
    who = f"{count}{f' of {asked}' if count < asked else ''} patient{'s' if max(count, asked) > 1 else ''}"
    few = f", of fewer than {ENOUGH} patients too narrow" if count < ENOUGH else ""
    notes = [f"{who}, {means}; intervals: bootstrap over patients, 95 %{few}."]
    if count == 1:
        notes = [f"{who}, {means}: no interval can be given."]
    notes += [
        f"Without {modality}, which a model reads: {', '.join(cases)}." for modality, cases in results.lacking.items()
    ]
    notes += seen(results, shown)
    return (*notes, why_it_differs(results))


def why_it_differs(results: Results) -> str:
    """One sentence for a reader who compares both columns."""
    minutes = results.request.minutes
    trained = (
        f"trained for {minutes:g} minutes of {results.request.cores} core(s)"
        if minutes
        else "trained as their cards say"
    )
    return (
        "The paper's figures are of other data and training: 50 sarcoma patients with PET, CT, T1 and T2, patches, an "
        f"RTX 4090, a split it does not tell; here whole volumes are scored in 3D, without T2, by weights {trained}: "
        "both columns are to be compared in order of size alone."
    )
