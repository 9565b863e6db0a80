"""The library in four calls: a case's prediction, its fusion, the page that tells of both, and a synthetic tumor.

What `diffufusemed run`, `fuse` and `synthesize` do, for a script or a notebook; load_case() comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .core.case import Case
from .core.errors import input_error
from .core.fusion import Fusion
from .core.lesion import quantify
from .core.prediction import Prediction
from .core.presets import Preset, find_preset
from .core.probed import ModelName, ProbeRecord, check_of
from .core.suv_units import DEFAULT as DEFAULT_SUV
from .core.suv_units import suv_scale
from .core.synthetic import Synthetic
from .metrics import score_case, score_set
from .models import zoo
from .models.devices import choose
from .models.registry import DEFAULT_MODEL
from .models.zoo import Model, load_segmenter
from .preprocessing.quality import quality_report
from .report import page
from .tasks.fuse import Fuser
from .tasks.fuse import predict as fusing
from .tasks.segment import predict as segmenting
from .tasks.segment.settings import Settings
from .tasks.synthesize import synthesize as synthesizing

Progress = Callable[[float, str], None]


def predict(
    case: Case,
    model: str | Model = DEFAULT_MODEL,
    samples: int = 8,
    seed: int = 0,
    device: str = "auto",
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Segment the case; the same seed gives the same voxels on the same machine.

    model: an installed one's id, the path of its folder, or one that models.zoo loaded; samples: draws behind the
    probability and its uncertainty; device: "auto", "cpu" or "cuda"; options: what only some systems have, such as
    {"gating": False}; progress: called with a share of 1 and words.
    Raises InputError for a model that is unknown, damaged or no segmenter, for an option that it does not have, and for
    a case without a modality that it knows.
    """
    ready = load_segmenter(model, choose(device)) if isinstance(model, str) else model
    return segmenting.predict(case, ready, Settings(samples, seed, progress, options=dict(options or {})))


def fuse(
    case: Case,
    preset: str | Preset | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    gamma: float | None = None,
    lesion: Prediction | np.ndarray | None = None,
    mr: str | None = None,
    samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Fusion:
    """Fuse the case's CT with one MR, and score the picture beside the trivial fusions.

    preset: a disease's sliders, by name; alpha, beta, gamma: 0 to 1, in place of the preset's: soft tissue like MRI,
    bone like CT, the lesion's border kept; lesion: whose border that is, a prediction or bool [k, j, i] on the case's
    grid; mr: key of the MR, the case's first where None; samples: members behind the uncertainty.
    Raises InputError for a case without CT or MR, an unknown preset, or a value out of its range.
    """
    chosen = find_preset(preset) if isinstance(preset, str) else preset
    sliders = {"alpha": alpha, "beta": beta, "gamma": gamma, "samples": samples, "seed": seed}
    settings = fusing.settings_of(chosen, sliders)
    mask = lesion.labels > 0 if isinstance(lesion, Prediction) else lesion
    wanted = fusing.Wanted(settings, chosen, mr, lesion=mask)
    return fusing.fuse_case(case, Fuser.shipped(choose(device)), wanted, progress)


def synthesize(
    case: Case,
    model: str | Model,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Synthetic:
    """The case with a synthetic tumor, aligned in all modalities; io.export.synthetic.write_synthetic() writes it.

    model: the synthesizer's id, the path of its folder, or a loaded one. What is drawn in the case stays, and the tumor
    lies elsewhere; tasks.synthesize.remove takes it out. Raises InputError for a model that makes no tumors, a case
    without CT and one in which no tumor fits; CancelledError when cancel says so.
    """
    ready = zoo.load(model, choose(device)) if isinstance(model, str) else model
    return synthesizing.synthesize(case, ready, synthesizing.SynthesisSettings(seed), progress, cancel)


def write_report(
    case: Case,
    path: str | Path,
    prediction: Prediction | None = None,
    fusion: Fusion | None = None,
    suv: str = DEFAULT_SUV,
    probe: ProbeRecord | None = None,
) -> Path:
    """Write one self-contained HTML page on the case's prediction, its fusion, or both, and return its path.

    With a drawn lesion in the case the page scores the prediction against it, with those of several annotators against
    each. suv: what PET numbers are in, a key of core.suv_units.SUV_UNITS; probe: of this case and the prediction's
    model (io.probe_record reads one), for a section on the synthetic tumors that it finds. Raises InputError when there
    is nothing to tell, when prediction or fusion is on another grid than the case, when the probe is of another case or
    model, and when the folder cannot be written.
    """
    file = Path(path)
    if prediction is not None:
        scores = score_case(prediction, case) if case.reference_mask is not None else None
        scale = suv_scale(case, suv)
        measures = quantify(prediction.labels > 0, case, scale)
        told, annotators = sentences(case, prediction), score_set(prediction, case)
        if probe is not None:
            made = ModelName(str(prediction.provenance["model"]), str(prediction.provenance["sha256"]))
            check_of(probe, case, made, prediction.modalities)
        others: dict[str, Any] = {"suv": scale, "annotators": annotators, "probe": probe}
        page.write_report(prediction, case, file, told, measures, scores, fusion, **others)
    elif fusion is not None:
        page.write_fusion_report(fusion, case, file)
    else:
        raise input_error("neither a prediction nor a fusion", "at least one to report", "call predict() or fuse()")
    return file


def sentences(case: Case, prediction: Prediction) -> list[str]:
    """What a reader should know first: the quality of the images, the run's notes, and which modality it left out."""
    told = prediction.provenance
    unused = [m for m in case.modalities if m not in told["modalities"]]
    left_out = [f"{m} was not used: the model {told['model']} was not trained with it." for m in unused]
    return [*quality_report(case), *told["notes"], *left_out]
