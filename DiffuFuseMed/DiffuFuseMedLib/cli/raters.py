"""`diffufusemed evaluate --raters`: the layout of CalDiff's Tables I and II, the paper's figures in a second column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ..core.errors import input_error
from .console import err_console

if TYPE_CHECKING:
    from ..core.case import Case
    from ..models.registry import ModelRecord
    from ..models.zoo import Model
    from ..tasks.segment.settings import Settings

Row = Mapping[str, Any]
Figures = tuple[str, str, str, str]
COLUMNS = {"s_ncc": "S_NCC ↑", "d_max": "D_max ↑", "ci": "CI ↑", "ged2": "GED² ↓"}
BESIDE = {
    "s_ncc_band": "S_NCC in band", "s_c": "S_c", "d_a": "D_a", "hm_iou": "HM-IoU", "crps_ml": "CRPS, mL",
    "dice": "Dice", "nsd_2mm": "surface Dice", "ece": "ECE", "ace": "ACE", "brier": "Brier", "nll": "NLL",
    "seconds": "s a case",
}  # fmt: skip
LIDC, MS = "LIDC-IDRI", "MS-MRI"
CALDIFF = "CalDiff"
# Table I, and of Table II the rows that are not in it, as printed: mean ± standard deviation over the test slices.
TABLE_1: dict[str, dict[str, Figures]] = {
    LIDC: {
        "Prob U-Net": ("0.8382±0.09", "0.8795±0.10", "0.7147±0.21", "0.2522±0.24"),
        "PHiSeg": ("0.8529±0.08", "0.8595±0.11", "0.7422±0.19", "0.2432±0.21"),
        "SegDiff": ("0.8523±0.09", "0.8815±0.10", "0.7268±0.21", "0.2546±0.24"),
        "CIMD": ("0.8688±0.08", "0.8811±0.11", "0.7955±0.19", "0.2413±0.21"),
        CALDIFF: ("0.8857±0.07", "0.9019±0.08", "0.8171±0.16", "0.2240±0.18"),
    },
    MS: {
        "Prob U-Net": ("0.5028±0.19", "0.4873±0.26", "0.2869±0.20", "0.6545±0.29"),
        "PHiSeg": ("0.5375±0.17", "0.4997±0.26", "0.3126±0.19", "0.6374±0.28"),
        "SegDiff": ("0.6717±0.16", "0.5141±0.22", "0.3566±0.23", "0.5988±0.33"),
        "CIMD": ("0.7360±0.10", "0.5052±0.19", "0.4064±0.20", "0.5134±0.20"),
        CALDIFF: ("0.7602±0.11", "0.5462±0.18", "0.4279±0.19", "0.4777±0.16"),
    },
}
TABLE_2: dict[str, dict[str, Figures]] = {
    LIDC: {
        "Step-UC": ("0.8714±0.08", "0.8911±0.10", "0.8024±0.17", "0.2391±0.19"),
        "Seq-UC, S = 2": ("0.8799±0.07", "0.8964±0.07", "0.7878±0.17", "0.2284±0.18"),
        "Seq-UC, S = 3": ("0.8780±0.07", "0.8909±0.07", "0.7801±0.17", "0.2385±0.21"),
        "Seq-UC, S = 4": ("0.8794±0.08", "0.8827±0.10", "0.7942±0.18", "0.2410±0.22"),
        CALDIFF: TABLE_1[LIDC][CALDIFF],
    },
    MS: {
        "Step-UC": ("0.7429±0.14", "0.5538±0.19", "0.3910±0.20", "0.5079±0.22"),
        "Seq-UC, S = 2": ("0.7433±0.11", "0.5406±0.18", "0.4214±0.20", "0.4888±0.21"),
        "Seq-UC, S = 3": ("0.7266±0.14", "0.5326±0.21", "0.3683±0.20", "0.5493±0.26"),
        "Seq-UC, S = 4": ("0.7099±0.12", "0.5104±0.21", "0.4020±0.21", "0.5353±0.22"),
        CALDIFF: TABLE_1[MS][CALDIFF],
    },
}
DATASETS = {"lidc": LIDC, "ms": MS}
SYSTEMS_OF_PAPER = {"prob_unet": "Prob U-Net", "phiseg": "PHiSeg", "segdiff": "SegDiff", "cimd": "CIMD"}


def check_raters(raters: bool, simulated: int, paper: str, corruptions: bool) -> None:
    """Raises InputError for options that do not go together."""
    if paper not in DATASETS:
        raise input_error(f"--paper {paper!r}", f"one of {', '.join(DATASETS)}", "choose one of these")
    if simulated and not raters:
        raise input_error("--simulated-readers without --raters", "both", "add --raters, or leave it out")
    if raters and corruptions:
        raise input_error("--raters with --corruptions", "one of them", "evaluate twice")


def with_readers(cases: Sequence[Case], simulated: int, seed: int) -> list[Case]:
    """The cases with the masks of several annotators: their own, or of so many simulated readers.

    Raises InputError for a case that has neither.
    """
    from ..tasks.segment.raters import check_annotators, with_simulated_readers

    several = [with_simulated_readers(case, simulated, seed) for case in cases] if simulated else list(cases)
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
    if seen := set(names) & set(model.record.training.get("patients", ())):
        err_console.print(f"Note: {model.record.id} was trained on {len(seen)} of these {len(names)} cases.")


def tables_of(rows: Sequence[Row], models: Sequence[Model], paper: str) -> list[Table]:
    """The paper's tables and what stands beside them."""
    named = {model.record.id: name for model in models if (name := paper_row(model.record))}
    return [*paper_tables(rows, named, DATASETS[paper]), beside_table(rows)]


def paper_row(record: ModelRecord) -> str:
    """Which row of the paper's tables a model stands beside, by its system and settings; "" for none."""
    if record.system != "caldiff":
        return SYSTEMS_OF_PAPER.get(record.system, "")
    # diffusion of masks with neither module is what SegDiff is
    step_uc, consecutive = bool(record.config.get("step_uc", True)), int(record.config.get("consecutive", 2))
    if step_uc:
        return CALDIFF if consecutive > 1 else "Step-UC"
    return f"Seq-UC, S = {consecutive}" if consecutive > 1 else "SegDiff"


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


def mean_and_sd(rows: Sequence[Row], name: str) -> str:
    """Mean ± standard deviation over the cases that have the measure, as the paper prints them; "" where none has."""
    values = [float(row[name]) for row in rows if name in row and isfinite(row[name])]
    few = f" ({len(values)} of {len(rows)})" if 0 < len(values) < len(rows) else ""
    return f"{fmean(values):.4f}±{pstdev(values):.2f}{few}" if values else ""


def _whose(rows: Sequence[Row]) -> str:
    return " and ".join(dict.fromkeys(str(row["readers"]) for row in rows)) or "nobody"


def _table(title: str, rows: Sequence[Row], named: Mapping[str, str], paper: Mapping[str, Figures], data: str) -> Table:
    cases = len({row["case"] for row in rows})
    table = Table("method", title=f"{title} on {cases} cases; paper on {data}")
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
