"""The command line: diffufusemed run | train | calibrate | evaluate | models | bench."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from .data.errors import InputError, input_error

DEFAULT_MODEL = "sts-diffufusemed"
WIDE = 300
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
models_app = typer.Typer(no_args_is_help=True, help="The installed models.")
app.add_typer(models_app, name="models")
out_console, err_console = Console(highlight=False), Console(stderr=True, highlight=False)

ModelOption = Annotated[str, typer.Option("--model", help="A model's id, or the path of its folder.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
SamplesOption = Annotated[int, typer.Option(min=1, max=64, help="Samples of the lesion; more is smoother and slower.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]
SplitOption = Annotated[Path | None, typer.Option(help="split.json; beside the cases by default.")]
FoldOption = Annotated[int | None, typer.Option(help="Only the cases of this fold.")]


@app.command()
def run(
    case: Annotated[Path, typer.Argument(help="A folder of volumes (CT.nii.gz, PET.nrrd, ...) or DICOM.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; made when it is not there.")],
    model: ModelOption = DEFAULT_MODEL,
    modalities: Annotated[str | None, typer.Option(help="Only these, such as CT,PET,MR_T1.")] = None,
    told: Annotated[
        list[str] | None, typer.Option("--is", help="What a file or series is, such as scan3.nii.gz=MR_T1.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="The modality whose grid the results lie on.")] = None,
    register: Annotated[str, typer.Option(help="Rigid registration: auto, always or never.")] = "auto",
    n4: Annotated[bool, typer.Option("--n4", help="Correct the bias field of MR first.")] = False,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Segment one case: segmentation, probability, uncertainty, prediction.json and report.html."""
    from .data.load import load_case
    from .data.quality import quality_report
    from .evaluation import quantify, score_case
    from .export import write_outputs
    from .predict import Settings, predict
    from .report import write_report

    wanted, names = _listed(modalities), _told(told)
    _check_folder(out)
    with _progress() as step:
        step(0.0, "loading the model")
        ready = _load(model, device)
        step(0.05, "reading the case")
        # all is read and aligned first: the grid stays the CT's when the CT itself is switched off
        loaded = _only(load_case(case, names, reference, register, n4), wanted)
        settings = Settings(samples, seed, progress=lambda share, what: step(0.1 + 0.75 * share, what))
        prediction = predict(loaded, ready, settings)
        step(0.9, "writing")
        scores = score_case(prediction, loaded) if loaded.reference_mask is not None else None
        quality = [*quality_report(loaded), *prediction.provenance["notes"], *_ignored(loaded, ready)]
        files = write_outputs(prediction, loaded, out, quality, scores)
        measures = quantify(prediction.labels > 0, loaded)
        write_report(prediction, loaded, out / "report.html", quality, measures, scores)
        step(1.0, "done")
    volume = prediction.volume_ml
    out_console.print(f"Lesion {volume.value:.0f} mL (95 %: {volume.low:.0f} to {volume.high:.0f} mL).")
    if scores:
        out_console.print(f"Against the reference: Dice {scores['dice']:.3f}, HD95 {scores['hd95_mm']:.1f} mm.")
    out_console.print(f"{len(files) + 1} files in {out}; open {out / 'report.html'}", soft_wrap=True)


@app.command()
def train(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    out: Annotated[Path, typer.Option(help="Folder that gets <model id>/.")] = Path("models"),
    recipe: Annotated[str, typer.Option(help="A recipe of training/recipes.py; a wrong name lists them.")] = (
        DEFAULT_MODEL
    ),
    split: SplitOption = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop by the clock instead of the recipe's own.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's.")] = None,
    start: Annotated[str | None, typer.Option(help="A model to go on from instead of from scratch.")] = None,
    rate: Annotated[float | None, typer.Option(help="Another learning rate than the recipe's.")] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train a recipe's weights from scratch and write them as a model."""
    from .devices import choose
    from .training.recipes import RECIPES
    from .training.run import run_recipe

    if recipe not in RECIPES:
        raise input_error(f"the recipe {recipe!r}", f"one of {', '.join(RECIPES)}", "choose one with --recipe")
    told = {"minutes": minutes, "seed": seed, "learning_rate": rate}
    chosen = replace(RECIPES[recipe], **{k: v for k, v in told.items() if v is not None})
    with _progress() as step:
        record = run_recipe(chosen, cases, split or cases / "split.json", out, choose(device), step, start)
    out_console.print(f"{out / record.id}: {record.training['steps_done']} steps.", soft_wrap=True)


@app.command()
def calibrate(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    fold: Annotated[int, typer.Option(help="The fold of patients that the model was not trained on.")],
    model: ModelOption = DEFAULT_MODEL,
    split: SplitOption = None,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Fit a model's calibration on validation patients and write it into its model.json."""
    from . import zoo
    from .calibrate import calibrate as fit
    from .cohort import read_cases
    from .data.split import read_split
    from .predict import Settings

    ready, plan = _load(model, device), read_split(split or cases / "split.json")
    names = _fold(plan.folds, fold)
    if seen := set(names) & set(ready.record.training.get("patients", ())):
        given = f"fold {fold} with {len(seen)} of the patients that {ready.record.id} was trained on"
        raise input_error(given, "patients it never saw", "choose another --fold")
    with _progress() as step:
        record = fit(ready, read_cases(cases, names, plan), Settings(samples, seed), step)
    zoo.write_record(record, zoo.model_folder(model))
    out_console.print_json(json.dumps(record.calibration["all"]))


@app.command()
def evaluate(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    csv: Annotated[Path, typer.Option(help="Where the table goes.")],
    markdown: Annotated[Path | None, typer.Option(help="Where the means go as a Markdown table too.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    split: SplitOption = None,
    fold: FoldOption = None,
    corruptions: Annotated[bool, typer.Option(help="The paper's Tables 3 and 4 too.")] = False,
    ablations: Annotated[
        Path | None, typer.Option(help="The paper's Table 2: a folder of ablation models made by `train --recipe`.")
    ] = None,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Score a model on every case, beside the trivial rows, with bootstrap 95 % intervals of the means."""
    from .cohort import conditions, read_cases, summary, writable, write_csv
    from .cohort import evaluate as score
    from .data.split import read_split
    from .predict import Settings
    from .zoo import list_models

    path = split or cases / "split.json"
    plan = read_split(path) if split or path.is_file() else None
    names = _names(cases, plan, fold)
    variants = list_models(ablations) if ablations else []
    if ablations and not variants:
        raise input_error("--ablations without models", "a folder of model folders", "make them with `train --recipe`")
    ready = [_load(model, device), *(_load(str(ablations / record.id), device) for record in variants)]
    rows = []
    loaded = read_cases(cases, names, plan)
    for path in (csv, markdown) if markdown else (csv,):
        writable(path)
    with err_console.status("evaluating") as status:
        for each in ready:
            trained_on = set(names) & set(each.record.training.get("patients", ()))
            if trained_on:
                err_console.print(
                    f"Note: {each.record.id} was trained on {len(trained_on)} of these {len(names)} cases."
                )
            which = conditions(each.modalities, corruptions and each is ready[0], seed)
            new = score(each, loaded, which, Settings(samples, seed), status.update)
            rows += [row for row in new if each is ready[0] or row["method"] == each.record.id]
    means = summary(rows)
    write_csv([*rows, *means], csv)
    table = _table(means)
    _print_table(table)
    if markdown:
        table.box = box.MARKDOWN
        with markdown.open("w", encoding="utf-8") as stream:
            Console(file=stream, width=WIDE).print(table)


@models_app.command("list")
def models_list() -> None:
    """The installed models."""
    from .zoo import list_models, models_folder

    records = list_models()
    if not records:
        out_console.print(f"No model is installed in {models_folder()}.", soft_wrap=True)
        return
    table = Table("id", "system", "modalities", "trained on", "sha256")
    for record in records:
        patients = len(record.training.get("patients", ()))
        modalities = ", ".join(record.config["modalities"])
        table.add_row(record.id, record.system, modalities, f"{patients} patients", record.sha256[:12])
    _print_table(table)


@models_app.command("verify")
def models_verify(model_id: Annotated[str | None, typer.Argument(help="One model; all by default.")] = None) -> None:
    """Check that the weights are those that model.json was written for."""
    from .zoo import list_models, verify

    for name in [model_id] if model_id else [record.id for record in list_models()]:
        verify(name)
        out_console.print(f"{name}: the weights are intact.")


@app.command()
def bench(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go too.")] = None,
    case: Annotated[Path | None, typer.Option(help="A case folder; the shipped one by default.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
) -> None:
    """Measure seconds, memory, milliseconds a slice, parameters and FLOPs."""
    from .bench import bench as measure
    from .cohort import writable

    folder = case or Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
    if json_file:
        writable(json_file)
    figures = measure(folder, _load(model, device), samples)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    out_console.print_json(json.dumps(figures))


def main() -> None:
    """Entry point: bad input is one sentence and exit code 2, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        app()
    except InputError as error:
        err_console.print(str(error), style="bold red", markup=False, soft_wrap=True)
        sys.exit(2)


def _load(model: str, device: str):
    from .devices import choose
    from .zoo import load

    return load(model, choose(device))


def _listed(modalities: str | None) -> list[str] | None:
    """CT,PET -> its parts; raises InputError for a key that is none."""
    from .data.volume import MODALITIES

    wanted = [m.strip() for m in modalities.split(",") if m.strip()] if modalities else None
    if unknown := [m for m in wanted or () if m not in MODALITIES]:
        raise input_error(f"the modality {unknown[0]!r}", f"one of {', '.join(MODALITIES)}", "correct --modalities")
    return wanted


def _told(pairs: list[str] | None) -> dict[str, str]:
    """NAME=MODALITY pairs as a mapping."""
    for pair in pairs or ():
        if "=" not in pair:
            raise input_error(f"--is {pair!r}", "NAME=MODALITY", "write it like scan3.nii.gz=MR_T1")
    return dict(pair.rsplit("=", 1) for pair in pairs or ())


def _check_folder(out: Path) -> None:
    """Before minutes of computing: results go into a folder."""
    if out.exists() and not out.is_dir():
        raise input_error("an --out that is a file", "a folder for the results", "choose another name")


def _only(case, wanted: list[str] | None):
    """The case with only the wanted modalities; raises InputError for one that it does not have."""
    if missing := [m for m in wanted or () if m not in case.modalities]:
        there = ", ".join(case.modalities)
        raise input_error(f"--modalities {missing[0]}", f"some of what the case has ({there})", "correct --modalities")
    return case.only(wanted) if wanted else case


def _ignored(case, model) -> list[str]:
    """A sentence for each modality that the case has and the model does not know."""
    extra = [m for m in case.modalities if m not in model.modalities]
    return [f"{m} was not used: the model {model.record.id} was not trained with it." for m in extra]


def _fold(folds: tuple[tuple[str, ...], ...], fold: int) -> tuple[str, ...]:
    if not 0 <= fold < len(folds):
        raise input_error(f"fold {fold}", f"a fold from 0 to {len(folds) - 1}", "choose one of the split's folds")
    return folds[fold]


def _names(cases: Path, plan, fold: int | None) -> list[str]:
    """The cases of the fold, of the split, or every folder that is there and not in need of a split."""
    if not cases.is_dir():
        raise input_error("a cases folder that does not exist", "a folder of case folders", "correct CASES")
    if fold is not None:
        if plan is None:
            raise input_error("--fold without a split", "a split.json", "pass --split")
        return list(_fold(plan.folds, fold))
    there = sorted(p.name for p in cases.iterdir() if p.is_dir())
    if not there:
        raise input_error("a cases folder without case folders", "one folder per case", "correct CASES")
    known = [name for name in there if plan is None or name in plan.names or name in plan.crops]
    return known or there


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error: call it with the share done and what goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err_console) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


def _print_table(table: Table) -> None:
    """As wide as the terminal; in a file or pipe as wide as its contents."""
    console = out_console if out_console.is_terminal else Console(width=WIDE, highlight=False)
    console.print(table)


def _table(means: list[dict]) -> Table:
    columns = [*("dice", "hd95_mm", "nsd_2mm", "precision", "recall", "ece", "brier", "coverage", "seconds")]
    table = Table("method", "condition", *columns)
    for mean, low, high in zip(means[::3], means[1::3], means[2::3], strict=True):
        cells = [f"{mean[c]:.3f} [{low[c]:.3f}, {high[c]:.3f}]" if c in mean else "" for c in columns]
        table.add_row(mean["method"], mean["condition"], *cells)
    return table
