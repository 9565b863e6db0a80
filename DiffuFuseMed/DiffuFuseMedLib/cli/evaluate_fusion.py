"""`diffufusemed evaluate-fusion`: the fusion over many pairs or cases, beside the trivial fusions."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ..core.errors import input_error
from .console import WIDE, out_console, print_table, progress
from .inputs import check_folder
from .options import DeviceOption, PresetOption, SeedOption


def evaluate_fusion(
    folder: Annotated[
        Path, typer.Argument(metavar="PAIRS_OR_CASES", help="MRI/ beside CT/, PET/ or SPECT/; a case; or cases.")
    ],
    csv: Annotated[Path, typer.Option(help="Where the table goes; a .json beside it says how it was made.")],
    save: Annotated[Path | None, typer.Option(help="Where the fused pictures go, under the pairs' names.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Where the means go as Markdown tables too.")] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Misregistration of 0 to 5 mm too.")] = False,
    ablations: Annotated[bool, typer.Option("--ablations", help="The paper's ablations too: much slower.")] = False,
    series: Annotated[
        str | None, typer.Option(help="Only these, such as 20,33: of pictures the name less 3 digits.")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Soft tissue like MRI, 0 to 1; overrides the preset's.")] = None,
    beta: Annotated[float | None, typer.Option(help="Bone like CT, 0 to 1; overrides the preset's.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Lesion border, 0 to 1; overrides the preset's.")] = None,
    preset: PresetOption = None,
    steps: Annotated[int | None, typer.Option(min=1, max=4, help="Steps of the few-step student.")] = None,
    guided: Annotated[bool, typer.Option("--guided", help="The guided teacher instead: seconds a picture.")] = False,
    samples: Annotated[
        int, typer.Option(min=1, max=32, help="Samples behind the uncertainty, which is not scored.")
    ] = 1,
    few: Annotated[int, typer.Option(min=1, help="Pictures, or slices of a case, for the guided ablations.")] = 2,
    give_lesion: Annotated[
        bool, typer.Option("--give-lesion", help="Cases: the model is given the mask that S-hat is scored against.")
    ] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Score the fusion on registered pairs or cases, beside the trivial fusions, with bootstrap 95 % intervals."""
    from ..core.presets import find_preset
    from ..models.devices import choose
    from ..tasks.fuse import Fuser
    from ..tasks.fuse import evaluate as work
    from ..tasks.fuse.predict import settings_of
    from ..tasks.segment.evaluate import write_csv, write_text
    from .fusion_tables import notes_on, tables_of, verdicts

    if guided and steps is not None:
        raise input_error("--steps and --guided", "one of them", "--steps is for the student, so leave one out")
    told = {"alpha": alpha, "beta": beta, "gamma": gamma, "steps": steps, "samples": samples}
    settings = settings_of(find_preset(preset) if preset else None, {**told, "guided": guided, "seed": seed})
    subjects = _subjects(folder, [name.strip() for name in series.split(",")] if series else None)
    record = _checked(folder, csv, markdown, save)
    main = work.main_condition(settings, give_lesion)
    conditions = [main, *(work.sweep(main) if sweep else ()), *(work.ablations(main) if ablations else ())]
    with progress() as step:
        step(0.0, "loading the models")
        fuser = Fuser.shipped(choose(device))
        done = work.evaluate(fuser, subjects, conditions, few, save, step)
        step(1.0, "means")
        found = work.groups(done.rows, seed)
    write_csv([*done.rows, *work.mean_rows(found)], csv)
    seen = work.seen_in_training(fuser, subjects)
    notes = [*done.notes, *notes_on(found, seen, len({s.trained_as for s in subjects}))]
    written = work.record_of(fuser, conditions, found, notes, few)
    write_text(record, json.dumps(written, indent=2) + "\n")
    tables, lines = tables_of(found), [*verdicts(found), *notes]
    for table in tables:
        print_table(table)
    for line in lines:
        out_console.print(line, soft_wrap=True, markup=False)
    if markdown:
        _write_markdown(markdown, tables, lines)


def _subjects(folder: Path, series: list[str] | None) -> list:
    from ..io.picture_pairs import is_pairs_folder
    from ..tasks.fuse.evaluate import CaseSubject, case_folders, picture_subjects

    if is_pairs_folder(folder):
        return picture_subjects(folder, series)
    return [CaseSubject(path) for path in case_folders(folder, series)]


def _checked(folder: Path, csv: Path, markdown: Path | None, save: Path | None) -> Path:
    """Before minutes of computing: every place can be written, and no input is. Returns where the record goes."""
    from ..tasks.segment.evaluate import writable

    record = csv.with_suffix(".json")
    if record == csv:
        raise input_error("a --csv that ends in .json", "another ending", "the record goes beside it under this name")
    if save:
        check_folder(save)
        if save.resolve().is_relative_to(folder.resolve()):
            remedy = "choose another one, or the next run would read what this one wrote"
            raise input_error("a --save inside the folder that is read", "a folder of its own", remedy)
    for path in (csv, record, *([markdown] if markdown else ())):
        writable(path)
    return record


def _write_markdown(file: Path, tables: list[Table], lines: list[str]) -> None:
    from ..tasks.segment.evaluate import write_text

    text = StringIO()
    console = Console(file=text, width=WIDE, highlight=False)
    for table in tables:
        title, table.title, table.box = table.title, None, box.MARKDOWN
        console.print(f"### {title}", markup=False)
        console.print(table)
    console.print("\n".join(f"- {line}" for line in lines), markup=False, soft_wrap=True)
    write_text(file, text.getvalue())
