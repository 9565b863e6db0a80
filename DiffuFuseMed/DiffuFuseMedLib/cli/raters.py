"""`diffufusemed evaluate --raters`: the layout of CalDiff's Tables I and II, the paper's figures in a second column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ..benchmark.papers.caldiff import (
    BESIDE,
    CALDIFF,
    COLUMNS,
    DATASETS,
    TABLE_1,
    TABLE_2,
    Figures,
    paper_row,
)
from ..core.errors import input_error
from .console import err_console

if TYPE_CHECKING:
    from ..core.case import Case
    from ..metrics.significance import Comparison
    from ..models.zoo import Model
    from ..tasks.segment.settings import Settings

Row = Mapping[str, Any]
COMPARED = {"s_ncc": "S_NCC", "ged2": "GED²", "hm_iou": "HM-IoU"}  # higher, lower, higher is better


def check_raters(raters: bool, simulated: int, paper: str, corruptions: bool) -> None:
    """Raises InputError for options that do not go together."""
    if paper not in DATASETS:
        raise input_error(f"--paper {paper!r}", f"one of {', '.join(DATASETS)}", "choose one of these")
    if simulated and not raters:
        raise input_error("--simulated-readers without --raters", "both", "add --raters, or leave it out")
    if simulated and simulated < 2:
        raise input_error(f"--simulated-readers {simulated}", "two or more", "choose another number")
    if raters and corruptions:
        raise input_error("--raters with --corruptions", "one of them", "evaluate twice")


def with_readers(cases: Sequence[Case], simulated: int, seed: int) -> list[Case]:
    """The cases with the masks of several annotators: their own, else of so many simulated readers, which a note tells
    where some cases have their own. Raises InputError for a case that has neither."""
    from ..tasks.segment.raters import check_annotators, with_simulated_readers

    real = [case.name for case in cases if len(case.references) >= 2]
    if simulated and real:
        said = f"Note: {len(real)} of {len(cases)} cases ({real[0]} is the first) are compared with their own readers."
        err_console.print(said, markup=False, soft_wrap=True)
    alone = [case for case in cases if simulated and case.name not in real]
    drawn = {case.name: with_simulated_readers(case, simulated, seed) for case in alone}
    several = [drawn.get(case.name, case) for case in cases]
    check_annotators(several)
    return several


def score_raters(models: Sequence[Model], cases: Sequence[Case], settings: Settings) -> list[dict[str, Any]]:
    """The rows of every model on every case, then the trivial ones."""
    from ..tasks.segment.raters import evaluate_raters, of_slices, trivial_raters

    rows: list[dict[str, Any]] = []
    with err_console.status("evaluating") as status:
        for model in models:
            say_trained_on(model, [case.name for case in cases])
            rows += evaluate_raters(model, cases, settings, status.update)
    by_slice = all(of_slices(model) for model in models)
    return [*rows, *(row for case in cases for row in trivial_raters(case, by_slice))]


def say_trained_on(model: Model, names: Sequence[str]) -> None:
    """A note where a model saw some of the cases in its training."""
    if seen := set(names) & set(model.record.patients):
        err_console.print(f"Note: {model.record.id} was trained on {len(seen)} of these {len(names)} cases.")


def tables_of(rows: Sequence[Row], models: Sequence[Model], paper: str) -> list[Table]:
    """The paper's tables and what stands beside them."""
    named = {model.record.id: name for model in models if (name := paper_row(model.record))}
    made = [*paper_tables(rows, named, DATASETS[paper]), beside_table(rows)]
    compared = significance_table(rows, models[0].record.id, [model.record.id for model in models[1:]])
    return made if compared is None else [*made, compared]


def paper_tables(rows: Sequence[Row], named: Mapping[str, str], dataset: str) -> list[Table]:
    """Both tables. rows: of tasks.segment.raters; named: the paper's row by method; dataset: LIDC or MS.

    A row of the paper that nothing here stands beside has its figures alone, one of ours that the paper has not none.
    """
    whose = _whose(rows)
    ablations = {method for method, name in named.items() if name in TABLE_2[dataset] and name != CALDIFF}
    first = [row for row in rows if row["method"] not in ablations]
    second = [row for row in rows if named.get(row["method"]) in TABLE_2[dataset]]
    made = [_table(f"Table I: here against {whose}", first, named, TABLE_1[dataset], dataset)]
    if ablations:
        made.append(_table(f"Table II: here against {whose}", second, named, TABLE_2[dataset], dataset))
    return made


def beside_table(rows: Sequence[Row]) -> Table:
    """Everything else that was measured, a method a line."""
    columns = [name for name in BESIDE if any(name in row for row in rows)]
    table = Table("method", *(BESIDE[name] for name in columns), title=f"Also, against {_whose(rows)}")
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        table.add_row(method, *(mean_and_sd(own, name) for name in columns))
    return table


def significance_table(rows: Sequence[Row], ours: str, others: Sequence[str]) -> Table | None:
    """The first model against each other one on the cases of both: mean difference with its interval, and the p of
    Wilcoxon's signed-rank test with Holm's correction over all that stand here; None where nothing can be compared."""
    from ..metrics.significance import holm, least_p

    found = {
        (other, name): made
        for other in others
        for name in COMPARED
        if (made := _compared(_of(rows, ours), _of(rows, other), name)) is not None
    }
    if not found:
        return None
    table = Table("compared", "measure", "difference [95 %]", "p", "p, Holm", "cases", title=f"{ours} less each other")
    adjusted = holm([one.p for one in found.values()])
    for ((other, name), one), p in zip(found.items(), adjusted, strict=True):
        words = f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        table.add_row(f"less {other}", COMPARED[name], words, f"{one.p:.3g}", f"{p:.3g}", str(one.pairs))
    least = min(least_p(one.pairs) for one in found.values())
    table.caption = f"Wilcoxon signed-rank, two-sided, Holm over {len(found)}; no p here could be under {least:.2g}."
    return table


def _compared(ours: Sequence[Row], theirs: Sequence[Row], name: str) -> Comparison | None:
    from ..metrics.significance import compare

    first, second = ({r["case"]: float(r[name]) for r in part if isfinite(r.get(name, nan))} for part in (ours, theirs))
    both = [case for case in first if case in second]
    return compare([first[case] for case in both], [second[case] for case in both]) if len(both) >= 2 else None


def mean_and_sd(rows: Sequence[Row], name: str) -> str:
    """Mean ± standard deviation over the cases that have the measure, as the paper prints them; "" where none has."""
    values = [float(row[name]) for row in rows if name in row and isfinite(row[name])]
    few = f" ({len(values)} of {len(rows)})" if 0 < len(values) < len(rows) else ""
    return f"{fmean(values):.4f}±{pstdev(values):.2f}{few}" if values else ""


def _whose(rows: Sequence[Row]) -> str:
    return " and ".join(dict.fromkeys(str(row["readers"]) for row in rows)) or "nobody"


def _table(title: str, rows: Sequence[Row], named: Mapping[str, str], paper: Mapping[str, Figures], data: str) -> Table:
    count = len({row["case"] for row in rows})
    cases = "1 case" if count == 1 else f"{count} cases"
    table = Table("method", title=f"{title} on {cases}; paper on {data}")
    for title_ in COLUMNS.values():
        table.add_column(f"{title_} here")
        table.add_column("paper", style="dim")
    methods = dict.fromkeys(row["method"] for row in rows)
    beside: dict[str, list[str]] = {}
    for method in methods:
        beside.setdefault(named.get(method, ""), []).append(method)
    for name in paper:
        for method in beside.get(name, [""]):
            _add(table, f"{name}: {method}" if method else name, _of(rows, method), paper[name])
    table.add_section()
    for method in [method for name, own in beside.items() if name not in paper for method in own]:
        _add(table, method, _of(rows, method), ("",) * 4)
    return table


def _of(rows: Sequence[Row], method: str) -> list[Row]:
    return [row for row in rows if row["method"] == method]


def _add(table: Table, label: str, rows: Sequence[Row], paper: Sequence[str]) -> None:
    ours = [mean_and_sd(rows, name) for name in COLUMNS]
    table.add_row(label, *(cell for pair in zip(ours, paper, strict=True) for cell in pair))
