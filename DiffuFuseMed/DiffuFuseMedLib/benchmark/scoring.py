"""What a model is worth on one case: each function does one kind of job."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.case import Case
from ..core.errors import input_error
from ..core.triples import triple
from ..io.split import Split
from ..metrics import band, score_case, score_mask
from ..metrics.calibration import BAND_MM
from ..models.registry import RECORD
from ..models.zoo import Model, load_segmenter
from ..preprocessing.load import load_whole
from ..tasks.fuse import Fuser
from ..tasks.fuse import evaluate as fusion
from ..tasks.fuse.predict import settings_of
from ..tasks.segment.diagnose import diagnose_case
from ..tasks.segment.evaluate import CLEAN, Condition, conditions_of
from ..tasks.segment.predict import predict
from ..tasks.segment.raters import evaluate_raters, of_slices, trivial_raters, with_simulated_readers
from ..tasks.segment.settings import Settings
from ..tasks.segment.trivial import trivial_rows
from ..tasks.synthesize.realism import look_of
from .curves import Counts, reliability
from .efficiency import bench_model, bench_run, bench_slice, machine
from .jobs import Job, check_unchanged
from .sheets import sheet_of


def score(job: Job) -> dict[str, Any]:
    """Scores, gates and seconds under one condition; of the clean case also what curves and sheet are made of."""
    case, model, settings = _case(job), _model(job), _settings(job)
    condition = _condition(model, job.spec["condition"], job.spec["seed"])
    began = time.monotonic()
    prediction = predict(condition.change(case), model, condition.told(settings))
    result: dict[str, Any] = {"scores": score_case(prediction, case), "gates": prediction.gates}
    result["seconds"] = time.monotonic() - began
    result["lacking"] = [modality for modality in model.modalities if modality not in case.modalities]
    if condition.name == CLEAN and case.reference_mask is not None:
        reference = case.reference_mask.array > 0
        near = band(reference, case.grid.spacing_kji_mm, BAND_MM)
        result["counts"] = Counts.of(prediction.probability, reference).as_json()
        result["reliability"] = reliability(prediction.probability, reference, near)
        result["sheet"] = sheet_of(prediction, case)
    return result


def trivial(job: Job) -> dict[str, Any]:
    """Scores of the rows that no network is needed for, by their names."""
    case = _case(job)
    return {name: score_mask(mask, case, probability) for name, (mask, probability) in trivial_rows(case).items()}


def look(job: Job) -> dict[str, float]:
    """How large the drawn lesion is, in mL, and what it looks like in the images. Raises InputError without one."""
    case = _case(job)
    if case.reference_mask is None or not case.reference_mask.array.any():
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave it out with --cases")
    volume_ml = float((case.reference_mask.array > 0).sum()) * case.grid.voxel_mm3 / 1000
    return {"volume_ml": volume_ml, **asdict(look_of(case))}


def diagnose(job: Job) -> dict[str, Any]:
    """What `diffufusemed diagnose` measures of one case."""
    return diagnose_case(_case(job), _model(job), _settings(job))[0]


def raters(job: Job) -> dict[str, Any]:
    """A model's samples against the case's readers."""
    return evaluate_raters(_model(job), [_with_readers(job)], _settings(job))[0]


def raters_trivial(job: Job) -> dict[str, Any]:
    """The rows beside it; by slice where the models are of slices."""
    return {row["method"]: row for row in trivial_raters(_with_readers(job), job.spec["by_slice"])}


def fuse(job: Job) -> dict[str, Any]:
    """The shipped fusion and the trivial ones on one case: rows as `evaluate-fusion` has them."""
    check_unchanged(_folder(job), job.rests_on["case"])
    fuser, subject = Fuser.shipped(job.spec["device"]), fusion.CaseSubject(_folder(job))
    main = fusion.main_condition(settings_of(None, {"seed": job.spec["seed"]}))
    found = fusion.evaluate(fuser, [subject], [main])
    return {"rows": found.rows, "seen": fusion.seen_in_training(fuser, [subject])}


def measure(job: Job) -> dict[str, Any]:
    """Seconds, memory, FLOPs and size; on this machine, with nothing beside it."""
    model = _model(job)
    check_unchanged(_folder(job), job.rests_on["case"])
    found = {**bench_model(model), "slice": bench_slice(model, job.spec["repeats"])}
    return {**found, "run": bench_run(_folder(job), model, job.spec["samples"]), "machine": machine(model.device)}


def _settings(job: Job) -> Settings:
    return Settings(job.spec["samples"], job.spec["seed"])


def _condition(model: Model, name: str, seed: int) -> Condition:
    by_name = {condition.name: condition for condition in conditions_of(model, True, seed)}
    if name not in by_name:
        raise input_error(f"the condition {name!r} for {model.record.id}", f"one of {', '.join(by_name)}", "correct it")
    return by_name[name]


def _folder(job: Job) -> Path:
    return Path(job.places["cases"]) / job.spec["case"]


def _with_readers(job: Job) -> Case:
    """Its own readers, or so many simulated ones; raises InputError for a case that has neither."""
    case = _case(job)
    if len(case.references) >= 2:
        return case
    return with_simulated_readers(case, job.spec["readers"], job.spec["seed"])


def _case(job: Job) -> Case:
    return _read_case(_folder(job), job.rests_on["case"], _crop(job))


def _crop(job: Job) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    crop = job.spec["crop"]
    return (triple(crop[0]), triple(crop[1])) if crop else None


def _model(job: Job) -> Model:
    return _read_model(job.places["model"], job.rests_on["model"], job.spec["device"])


# Jobs of one model or case follow each other: each is read once for all of them.
@lru_cache(maxsize=1)
def _read_case(folder: Path, fingerprint: str, crop: tuple[tuple[int, int, int], tuple[int, int, int]] | None) -> Case:
    check_unchanged(folder, fingerprint)
    case = load_whole(folder)
    return Split((), {case.name: crop} if crop else {}).crop(case)


@lru_cache(maxsize=2)
def _read_model(folder: str, fingerprint: str, device: str) -> Model:
    check_unchanged(Path(folder) / RECORD, fingerprint)
    return load_segmenter(folder, device)


def by_slice(folder: str, device: str) -> bool:
    """Whether a model's samples are of slices."""
    return of_slices(load_segmenter(folder, device))
