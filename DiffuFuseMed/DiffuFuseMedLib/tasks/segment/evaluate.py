"""A model over many cases, under many conditions, with the trivial rows beside it."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...core.staging import staged
from ...core.whole_file import write_whole
from ...io.split import Split
from ...metrics import mean_interval, score_case, score_mask
from ...models.zoo import Model
from ...preprocessing.load import load_whole
from .contract import options_of
from .corruptions import CORRUPTIONS, corrupt
from .cross_fitted import CrossFitted
from .predict import predict
from .settings import Settings
from .trivial import trivial_rows

METRICS = (
    "dice", "iou", "hd95_mm", "nsd_2mm", "precision", "recall", "ece", "ace", "brier", "nll", "coverage",
    "volume_hit", "volume_high_to_low", "suv_mean_hit", "mtv_hit", "tlg_hit", "seconds",
)  # fmt: skip
HITS = {"the volume": "volume_hit", "SUVmean": "suv_mean_hit", "the MTV": "mtv_hit", "the TLG": "tlg_hit"}
CLEAN = "clean"
GATING = "gating"
DUPLICATED = ", duplicated"
STEPS, STOCHASTIC = "steps", "stochastic"
Row = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A name, what it does to a case, the system's options, and whether an absent modality is duplicated; only the
    trivial rows of the clean one are printed."""

    name: str
    change: Callable[[Case], Case]
    options: dict[str, Any] = field(default_factory=dict)
    duplicate: bool = False

    def told(self, settings: Settings) -> Settings:
        """The settings of a run under it."""
        return replace(settings, options={**settings.options, **self.options}, duplicate=self.duplicate)


def conditions_of(model: Model, corruptions: bool, seed: int) -> list[Condition]:
    """conditions() of this model, gating switched off only where its system has the switch."""
    return conditions(model.modalities, corruptions, seed, GATING in options_of(model.network))


def conditions(modalities: Sequence[str], corruptions: bool, seed: int, gated: bool = True) -> list[Condition]:
    """Clean alone, or with the paper's Table 3 (corruptions) and Table 4 (withheld modalities, gating on and off).

    gated: whether the system has reliability gates to switch off.
    """
    rows = [Condition(CLEAN, lambda case: case)]
    if not corruptions:
        return rows
    rows += [Condition(name, partial(corrupt, name=name, seed=seed)) for name in CORRUPTIONS]
    for missing in modalities:
        kept = [m for m in modalities if m != missing]
        withheld = partial(Case.only, modalities=kept)
        rows += _with_and_without_gating(f"no {missing}", withheld, gated)
        rows += [Condition(f"no {missing}{DUPLICATED}", withheld, duplicate=True)]
    return [*rows, *_with_and_without_gating(CLEAN, lambda case: case, gated)[1:]]


def sampler_conditions(model: Model, steps: Sequence[int]) -> list[Condition]:
    """The clean case by each of these numbers of the sampler's steps, by each of its two ways.

    Raises InputError for a model whose system has no such sampler.
    """
    if missing := {STEPS, STOCHASTIC} - set(options_of(model.network)):
        given = f"--steps for {model.record.id}, whose system has no {' and no '.join(sorted(missing))}"
        raise input_error(given, "a mask diffusion such as caldiff", "leave out --steps")
    ways = {False: "deterministic", True: "stochastic"}
    return [
        Condition(
            f"{count} step{'' if count == 1 else 's'}, {name}", lambda case: case, {STEPS: count, STOCHASTIC: way}
        )
        for count in steps
        for way, name in ways.items()
    ]


def _with_and_without_gating(name: str, change: Callable[[Case], Case], gated: bool) -> list[Condition]:
    off = [Condition(f"{name}, gating off", change, {GATING: False})] if gated else []
    return [Condition(name, change), *off]


def read_cases(folder: Path, names: Iterable[str], split: Split | None) -> list[Case]:
    """Cases by name, each cut to its evaluation crop."""
    cases = []
    for name in names:
        if not (folder / name).is_dir():
            raise input_error(f"no case folder {name}", "every case of the split under the given folder", "check CASES")
        case = load_whole(folder / name)
        cases.append(split.crop(case) if split else case)
    return cases


def evaluate(
    model: Model,
    cases: Iterable[Case],
    which: Sequence[Condition],
    settings: Settings,
    progress: Callable[[str], None] | None = None,
    others: Sequence[Model] = (),
) -> list[Row]:
    """One row per method, condition and case; with others, networks of the model's recipe, a case is asked of the first
    that was not trained on it. Raises InputError where all of them were."""
    rows: list[Row] = []
    asked = CrossFitted(model, tuple(others))
    for case in cases:
        for condition in which:
            if progress:
                progress(f"{case.name}: {condition.name}")
            rows.append(_model_row(asked.of(case.name) if others else model, case, condition, settings))
        rows += [
            {"method": name, "condition": CLEAN, "case": case.name, **score_mask(mask, case, probability)}
            for name, (mask, probability) in trivial_rows(case).items()
        ]
    return rows


def _model_row(model: Model, case: Case, condition: Condition, settings: Settings) -> Row:
    began = time.monotonic()
    changed = condition.change(case)
    prediction = predict(changed, model, condition.told(settings))
    seconds = time.monotonic() - began
    gates = {f"gate_{m}": w for m, w in prediction.gates.items()}
    scores = score_case(prediction, case)
    return {
        "method": model.record.id, "condition": condition.name, "case": case.name, **scores, "seconds": seconds, **gates
    }  # fmt: skip


def summary(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Per method and condition the mean over cases, and its bootstrap 95 % interval as two more rows."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["condition"]), []).append(row)
    return [
        line for (method, condition), group in groups.items() for line in _summary_of(method, condition, group, seed)
    ]


def _summary_of(method: str, condition: str, group: Sequence[Row], seed: int) -> list[Row]:
    lines: list[Row] = [
        {"method": method, "condition": condition, "case": name} for name in ("mean", "low 95 %", "high 95 %")
    ]
    for metric in dict.fromkeys(m for row in group for m in row if m in METRICS or m.startswith("gate_")):
        values = np.array([float(row[metric]) for row in group if row.get(metric) is not None])
        values = values[np.isfinite(values)]
        three = mean_interval(values, seed) if len(values) > 1 else [values.mean() if len(values) else np.nan] * 3
        for line, value in zip(lines, three, strict=True):
            line[metric] = float(value)
    return lines


def said_of_intervals(rows: Sequence[Row], method: str) -> list[str]:
    """In how many of the method's cases, as they are, each number's interval was shown, and in how many it held: a
    mean over those shown does not tell that."""
    own = [row for row in rows if (row["method"], row["condition"]) == (method, CLEAN)]
    said = []
    for name, hit in HITS.items():
        held = [bool(row[hit]) for row in own if row.get(hit) is not None]
        if held:
            said.append(f"{name} in {len(held)} of {len(own)}, held in {sum(held)}")
    return [f"{method}: the 95 % interval is shown of {'; '.join(said)}."] if said else []


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """All rows, with every column that any of them has; numbers to four digits after the point.

    Raises InputError when the file cannot be written.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows([{k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows])
    write_text(writable(path), text.getvalue())


def write_text(path: Path, text: str) -> None:
    """One file of text, whole or not at all; raises InputError when the disk refuses."""
    with staged(path.parent) as folder:
        write_whole(folder / path.name, text)


def writable(path: Path) -> Path:
    """The path of a file, its folder made, once it is seen that it can be written; raises InputError otherwise."""
    there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a"):
            pass
        if not there:
            path.unlink()  # nothing empty is left of a run that is stopped
        return path
    except OSError as error:
        given = f"the file {path.name} that cannot be written ({error.strerror})"
        raise input_error(given, "a place with write permission", "choose another path") from error
