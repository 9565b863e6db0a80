"""`diffufusemed calibrate`: a model learns how far to trust itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import input_error
from .console import err_console, out_console, progress
from .inputs import cross_fitted as networks
from .inputs import load_model, one_fold
from .options import DEFAULT_MODEL, CrossFittedOption, DeviceOption, ModelOption, SamplesOption, SeedOption, SplitOption

if TYPE_CHECKING:
    from ..models.zoo import ModelRecord

FUSION_STUDENT = "clin-fusediff-student"


def calibrate(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    fold: Annotated[int | None, typer.Option(help="The fold of patients that the model was not trained on.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    cross_fitted: CrossFittedOption = None,
    split: SplitOption = None,
    samples: SamplesOption = 8,
    pairs: Annotated[
        list[Path] | None, typer.Option(help="Fusion only: folders of pairs, whose series left out of training count.")
    ] = None,
    subsets: Annotated[
        bool, typer.Option(help="Also for cases with fewer of the model's modalities, each choice of them by itself.")
    ] = True,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Fit a model's calibration on patients that it never saw and write it into its model.json: those of one --fold,
    or with --cross-fitted all of the split."""
    if fold is None and (model == FUSION_STUDENT or not cross_fitted):
        raise input_error("no --fold", "patients that the model never saw", "say --fold, or --cross-fitted for all")
    if model == FUSION_STUDENT:
        assert fold is not None
        if cross_fitted:
            raise input_error(f"--cross-fitted for {model}", "a segmenter", "leave it out")
        _calibrate_fusion(cases, fold, split or cases / "split.json", tuple(pairs or ()), device, seed)
        return
    from ..io.split import read_split
    from ..models import zoo
    from ..tasks.segment.calibrate import calibrate as fit
    from ..tasks.segment.cross_fitted import patients_of
    from ..tasks.segment.evaluate import read_cases
    from ..tasks.segment.settings import Settings

    ready, plan = load_model(model, device), read_split(split or cases / "split.json")
    names = patients_of(plan, ready.record) if fold is None else one_fold(plan.folds, fold)
    asked = networks(ready, cross_fitted, device, names)
    if (seen := set(names) & set(ready.record.patients)) and not asked.others:
        given = f"fold {fold} with {len(seen)} of the patients that {ready.record.id} was trained on"
        raise input_error(given, "patients it never saw", "choose another --fold")
    with progress() as step:
        record = fit(ready, read_cases(cases, names, plan), Settings(samples, seed), step, asked.others, subsets)
    zoo.write_record(record, zoo.model_folder(model))
    _say_fitted(record, names, subsets)
    err_console.print(f"Written into {zoo.model_folder(model)}.", soft_wrap=True)
    out_console.print_json(json.dumps(record.calibration["all"]))


def _say_fitted(record: ModelRecord, names: Sequence[str], subsets: bool) -> None:
    """On how many patients, with which modalities, and who took no part."""
    from ..core.modalities import title_of
    from ..tasks.segment.fitted import key_of, subsets_of

    fitted, titles = record.calibration, {key: title_of(key) for key in record.modalities}
    err_console.print(f"With {', '.join(titles.values())}: {len(fitted['patients'])} patients.")
    if lacking := [name for name in names if name not in fitted["patients"]]:
        err_console.print(f"Not among them, since a modality is missing: {', '.join(lacking)}.", soft_wrap=True)
    for some in subsets_of(record.modalities) if subsets else ():
        own, alone = fitted.get("given", {}).get(key_of(some)), " and ".join(titles[key] for key in some)
        how = f"{len(own['patients'])} patients" if own else "not calibrated, since the network tells nothing by it"
        err_console.print(f"With {alone} alone: {how}.", soft_wrap=True)


def _calibrate_fusion(cases: Path, fold: int, split: Path, pairs: tuple[Path, ...], device: str, seed: int) -> None:
    from ..models import zoo
    from ..models.devices import choose
    from ..tasks.fuse import Fuser
    from ..tasks.fuse.calibrate import calibrate_fusion, validation_stacks

    fuser = Fuser.shipped(choose(device))
    stacks = validation_stacks(fuser, cases, fold, split, pairs)
    with progress() as step:
        record = calibrate_fusion(fuser, stacks, seed, step)
    zoo.write_record(record, zoo.model_folder(FUSION_STUDENT))
    out_console.print_json(json.dumps(record.calibration))
