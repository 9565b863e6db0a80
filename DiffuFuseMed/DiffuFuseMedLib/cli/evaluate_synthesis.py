"""`diffufusemed evaluate-synthesis`: synthetic tumors against real ones, beside trivial ways to make some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import out_console, print_table, progress
from .inputs import case_names
from .options import DeviceOption, FoldOption, SeedOption, SplitOption
from .synthesize import SYNTHESIZER

if TYPE_CHECKING:
    from ..tasks.synthesize.realism import Looks

COLUMNS = {
    "suv_max": "SUVmax",
    "suv_mean": "SUVmean",
    "rim_to_center": "rim / center",
    "t1_contrast": "T1 contrast",
    "ct_hu": "CT",
    "joint": "all together",
}
MEANING = (
    "Wasserstein distance to the real tumors of these cases in their standard deviations, energy distance for all "
    "together; less is nearer. The real tumors of training patients tell how near one can come."
)


def evaluate_synthesis(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    model: Annotated[str, typer.Option(help="A synthesizer's id, or the path of its folder.")] = SYNTHESIZER,
    fold: FoldOption = 0,
    split: SplitOption = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Tumors in each case.")] = 3,
    donors: Annotated[int, typer.Option(min=2, help="Training patients that are pasted, and compared with.")] = 9,
    csv: Annotated[Path | None, typer.Option(help="Every tumor's numbers.")] = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """SUVmax, SUVmean, rim / center, T1 contrast and CT of synthetic tumors against those of the cases' real ones."""
    from ..io.split import read_split
    from ..models import zoo
    from ..models.devices import choose
    from ..preprocessing.load import load_whole
    from ..tasks.segment.evaluate import writable, write_csv
    from ..tasks.synthesize import realism
    from ..tasks.synthesize.contract import check_synthesizes
    from ..tasks.synthesize.synthesize import SynthesisSettings

    if csv:
        writable(csv)
    loaded = zoo.load(model, choose(device))
    check_synthesizes(loaded.network, loaded.record.system)
    split = split or cases / "split.json"
    plan = read_split(split) if split.is_file() else None
    names = case_names(cases, plan, fold)
    known = [name for name in loaded.record.patients if (cases / name).is_dir()]
    if seen := [name for name in names if name in known]:
        remedy = "choose another --fold"
        raise input_error(f"the case {seen[0]}, which {model} was trained on", "cases it has not seen", remedy)
    if len(known) < 2:
        raise input_error("a folder without the model's training patients", "two at least, to paste", "correct CASES")
    with progress() as step:
        step(0.0, "reading the cases")
        ready = [load_whole(cases / name) for name in names]
        pasted = [load_whole(cases / name) for name in known[:: max(1, len(known) // donors)][:donors]]
        found = realism.looks(ready, pasted, loaded, n, SynthesisSettings(seed), step)
        step(1.0, "done")
    if csv:
        write_csv(_rows(found), csv)
    table = realism.distances(found)
    print_table(_table(table, found, len(ready)))
    out_console.print(MEANING, soft_wrap=True)
    for note in found.notes:
        out_console.print(note, markup=False, soft_wrap=True)
    for trivial, measures in realism.better(table).items():
        told = ", ".join(COLUMNS[m] for m in measures) or "nothing"
        out_console.print(f"Nearer than {trivial}: {told} ({len(measures)} of 5).", soft_wrap=True)


def _rows(found: Looks) -> list[dict]:
    from dataclasses import asdict

    named = {"real": found.real, **found.made}
    return [{"method": method, **asdict(look)} for method, made in named.items() for look in made]


def _table(table: dict[str, dict[str, float]], found: Looks, count: int) -> Table:
    shown = Table("tumors", "n", *COLUMNS.values(), title=f"Against the {count} real tumors")
    for method, row in table.items():
        shown.add_row(method, str(len(found.made[method])), *(f"{row[name]:.2f}" for name in COLUMNS))
    return shown
