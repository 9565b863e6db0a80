"""From a request to jobs: what is trained, and what is scored once that is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import input_error
from ..models.registry import RECORD, ModelRecord, model_folder, read_record
from ..models.zoo import check_segments, load_segmenter
from ..tasks.segment.corruptions import CORRUPTIONS
from ..tasks.segment.evaluate import CLEAN, conditions_of
from .jobs import Done, Job, fingerprint_of, fingerprint_of_values
from .request import Request
from .scoring import by_slice
from .suites import SUITES, Suite
from .training import MAKERS, content_of, fingerprint_of_cases, recipe_of


@dataclass(frozen=True)
class Contender:
    """A model that is scored with one seed. method: how tables call it."""

    method: str
    seed: int
    folder: Path
    record: ModelRecord


def suite_of(request: Request) -> Suite:
    """Raises InputError for a suite that there is not."""
    if request.suite not in SUITES:
        raise input_error(f"the suite {request.suite!r}", f"one of {', '.join(SUITES)}", "correct --suite")
    return SUITES[request.suite]


def training_jobs(request: Request) -> list[Job]:
    """One for each recipe and seed; [] where models are scored as they are, or the suite has none. Raises InputError
    for a recipe that is none."""
    suite = suite_of(request)
    if request.minutes is None:
        return []
    if not suite.recipes:
        given, remedy = f"--minutes for the suite {request.suite}", "leave it out, it scores what is installed"
        raise input_error(given, "a suite that trains", remedy)
    request.case_names()
    names = request.models or suite.recipes
    return [_training_job(request, name, names[0], seed) for name in names for seed in request.seeds]


def _training_job(request: Request, name: str, like: str, seed: int) -> Job:
    split, minutes = request.split, request.minutes
    assert minutes is not None, "nothing is trained without"
    recipe = recipe_of(name, like, request.fold, len(split.folds), minutes, seed)
    spec = {
        "recipe": name, "like": like, "seed": seed, "fold": request.fold, "minutes": minutes, "cores": request.cores,
        "samples": request.samples, "device": request.device,
    }  # fmt: skip
    rests_on = {
        "recipe": fingerprint_of_values(content_of(recipe)),
        "split": fingerprint_of(request.split_path),
        "cases": fingerprint_of_cases(request.cases, recipe, split, request.fold),
    }
    places = {"cases": request.cases, "split": request.split_path, "out": request.out}
    if recipe.synthetic:
        makers = {name: model_folder(getattr(request, name)) for name in MAKERS}
        rests_on |= {name: fingerprint_of(folder / RECORD) for name, folder in makers.items()}
        places |= makers
    return Job("train", spec, rests_on, {k: str(v.resolve()) for k, v in places.items()}, request.cores)


def is_there(done: Done) -> bool:
    """Whether the model that a training made lies where it was put, as it was."""
    path = Path(done.job.places["out"]) / done.result["folder"] / RECORD
    return path.is_file() and fingerprint_of(path) == done.result["record"]


def contenders(request: Request, trained: Sequence[Done]) -> list[Contender]:
    """Those that were trained, or the models that were asked for; the first is the one that others are compared with.

    Raises InputError for a model that is not there, or that does not segment.
    """
    suite = suite_of(request)
    if request.models and not suite.shipped:
        given = f"--models for the suite {request.suite}"
        raise input_error(given, "a suite that compares segmenters", "leave it out")
    if request.minutes is not None:
        made = [done for done in trained if not done.failed]
        found = [(request.out / done.result["folder"], int(done.job.spec["seed"])) for done in made]
    else:
        folders = [model_folder(name) for name in request.models or suite.shipped]
        found = [(folder, seed) for folder in folders for seed in request.seeds]
    ready = [_contender(folder, seed) for folder, seed in found]
    _check_told_apart(ready)
    return ready


def _check_told_apart(ready: Sequence[Contender]) -> None:
    """Raises InputError for two models of one id: the tables would take them for one."""
    ids = [(contender.method, contender.seed) for contender in ready]
    if same := next((method for method, seed in ids if ids.count((method, seed)) > 1), None):
        raise input_error(f"two models of the id {same}", "models whose ids differ", "name one of them in --models")


def _contender(folder: Path, seed: int) -> Contender:
    record = read_record(folder)
    check_segments(record)
    return Contender(record.id, seed, folder.resolve(), record)


def scoring_jobs(request: Request, ready: Sequence[Contender]) -> list[Job]:
    """Of every contender on every case, and the rows that no network is needed for."""
    kinds, jobs = suite_of(request).kinds, []
    cases = [_of_case(request, name) for name in request.case_names()]
    for kind in kinds:
        if kind in ("trivial", "raters-trivial", "fuse", "look"):
            jobs += [_case_job(request, kind, case, ready) for case in cases]
            continue
        for contender in ready:
            jobs += _jobs_of(request, kind, contender, cases)
    return jobs


def _jobs_of(request: Request, kind: str, contender: Contender, cases: list[dict[str, Any]]) -> list[Job]:
    if kind == "measure":  # one case tells: the network's work does not depend on what it sees
        return [_model_job(request, kind, contender, cases[0], repeats=10)]
    if kind == "raters":
        return [_model_job(request, kind, contender, case, readers=request.readers) for case in cases]
    if kind != "score":
        return [_model_job(request, kind, contender, case) for case in cases]
    names = conditions_for(request, contender)
    return [_model_job(request, kind, contender, case, condition=name) for case in cases for name in names]


def conditions_for(request: Request, contender: Contender) -> list[str]:
    """The suite's, of those that the model has."""
    wanted = suite_of(request).conditions
    if wanted == "clean":
        return [CLEAN]
    if wanted == "corruptions":
        return [CLEAN, *CORRUPTIONS]
    model = load_segmenter(str(contender.folder))
    names = [condition.name for condition in conditions_of(model, True, contender.seed)]
    return [name for name in names if name not in CORRUPTIONS]


def _of_case(request: Request, name: str) -> dict[str, Any]:
    """Spec, fingerprint and place of a case."""
    crop = request.split.crops.get(name)
    return {
        "spec": {"case": name, "crop": [list(corner) for corner in crop] if crop else None},
        "rests_on": {"case": fingerprint_of(request.cases / name)},
        "places": {"cases": str(request.cases.resolve())},
    }


def _model_job(request: Request, kind: str, contender: Contender, case: dict[str, Any], **more: Any) -> Job:
    spec = {
        **case["spec"], "method": contender.method, "samples": request.samples, "seed": contender.seed,
        "device": request.device, **more,
    }  # fmt: skip
    rests_on = {**case["rests_on"], "model": fingerprint_of(contender.folder / RECORD)}
    if kind == "measure":
        rests_on["machine"] = machine_of(request.device)
    return Job(kind, spec, rests_on, {**case["places"], "model": str(contender.folder)})


def machine_of(device: str) -> str:
    """What speed depends on."""
    from .efficiency import machine

    return machine(device)


def _case_job(request: Request, kind: str, case: dict[str, Any], ready: Sequence[Contender]) -> Job:
    spec, rests_on = dict(case["spec"]), dict(case["rests_on"])
    if kind == "raters-trivial":
        slices = bool(ready) and all(by_slice(str(c.folder), request.device) for c in ready)
        spec |= {"readers": request.readers, "seed": request.seeds[0], "by_slice": slices}
    if kind == "fuse":
        spec |= {"seed": request.seeds[0], "device": request.device}
        for name in ("clin-fusediff-student", "clin-fusediff-teacher"):
            rests_on[name] = fingerprint_of(model_folder(name) / RECORD)
    return Job(kind, spec, rests_on, case["places"])
