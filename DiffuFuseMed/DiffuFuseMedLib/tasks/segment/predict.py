"""From a Case and a Model to a Prediction: sliding window, k samples, calibration, contours."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from ... import __version__
from ...core.case import Case
from ...core.errors import input_error
from ...core.modalities import title_of
from ...core.prediction import Prediction
from ...core.resampling import resample_smoothly
from ...models import devices
from ...models.zoo import Model, ModelRecord, check_segments
from ...preprocessing.domain import before_run, beside_result, withheld
from ...uncertainty import contours, prediction_interval, uncertainty, uncertainty_maps
from ...uncertainty.platt import apply
from .contract import check_draws, options_for
from .drawn import Drawn
from .fitted import calibration_for, given_alone, left_out_of
from .levels import level_outlines, volume_spread
from .outlines import LEFT_OUT, sample_outlines
from .panel import draw_panel
from .sampling import Run, Samples, onto_case, sample_all
from .settings import Kept, NothingKept, Settings
from .specks import pieces_holding, without_specks
from .uptake_intervals import uptake_intervals
from .views import grid_of

LEVEL = 0.95


def predict(case: Case, model: Model, settings: Settings | None = None, encodings: Kept | None = None) -> Prediction:
    """Segment the case. The same seed gives the same result on the same machine, with or without kept encodings.

    Raises InputError for a model that does not segment or was not calibrated, and for a case without a modality that it
    knows; CancelledError when settings.cancel says so.
    """
    began = time.monotonic()
    check_segments(model.record)
    calibration = calibration_for(model.record, case.name, case.modalities)  # refused before minutes of drawing
    drawn = draw(case, model, settings or Settings(), encodings)
    sampled = time.monotonic()
    prediction = guarded(case, assemble(case, drawn, calibration), model.record)
    prediction = _resting_on(prediction, model.record, case)
    timings = {"network": round(sampled - began, 2), "assembly": round(time.monotonic() - sampled, 2)}
    return replace(prediction, provenance={**prediction.provenance, "timings_s": timings})


def draw(case: Case, model: Model, settings: Settings, encodings: Kept | None = None) -> Drawn:
    """The network's part of predict()."""
    if model.members:
        check_segments(model.record)
        return draw_panel(case, model, settings, encodings or NothingKept(), draw)
    run = _run_of(model, settings, encodings or NothingKept())
    present = tuple(m for m in model.modalities if m in case.volumes)
    if not present:
        raise input_error(
            f"a case with {', '.join(case.modalities) or 'no modality'}",
            f"at least one of {', '.join(model.modalities)}",
            "switch on a modality that this model was trained with",
        )
    grid = grid_of(case.grid, model.record.window["spacing_kji_mm"])
    samples = _with_less_memory(run, lambda: sample_all(run, case, grid, present))
    return Drawn(grid, samples.probability, _mean_gates(run.gates), _provenance(run, present), samples.maps)


def _run_of(model: Model, settings: Settings, keep: Kept) -> Run:
    """A run of this model; raises InputError when the model is no segmenter or cannot do what is asked for."""
    record, network = model.record, model.network
    check_segments(record)
    check_draws(network, record.system)
    options = options_for(network, settings.options, record.system)
    if settings.duplicate:  # what is kept of a modality is its own
        keep = NothingKept()
    return Run(model, settings, devices.whole_window(model), options, keep)


def _with_less_memory(run: Run, work: Callable[[], Samples]) -> Samples:
    """Do the work; out of memory halves the window, then leaves the GPU, and says so."""
    run.window = devices.window_that_fits(run.model, run.window, run.notes)
    while True:
        try:
            run.gates.clear()
            return work()
        except (MemoryError, RuntimeError) as error:
            if not devices.is_out_of_memory(error):
                raise
            run.keep.clear()
            run.model, run.window = devices.retreat(run.model, run.window, run.notes)


def guarded(case: Case, prediction: Prediction, record: ModelRecord) -> Prediction:
    """The prediction, which says of itself whether the case is one of those that the model is for: outside of these no
    interval is given, and the notes say why."""
    found = before_run(case, record.domain, record.modalities, case.modalities, record.calibrated_alone)
    outside = (*found.outside, *beside_result(case, record.domain, prediction.labels > 0))
    told = prediction.provenance
    told = {**told, "domain": {"outside": list(outside)}, "notes": [*told["notes"], *outside]}
    if not outside:
        return replace(prediction, provenance=told)
    why = withheld(outside)
    uptake = {name: interval.without_ends(why) for name, interval in prediction.uptake.items()}
    return replace(prediction, volume_ml=prediction.volume_ml.without_ends(why), uptake=uptake, provenance=told)


def _resting_on(prediction: Prediction, record: ModelRecord, case: Case) -> Prediction:
    """The prediction, whose intervals say that they are of cases with these modalities alone, and that the case's own
    errors are left out."""
    alone = " and ".join(title_of(key) for key in given_alone(record, case.modalities))
    words = f", each with {alone} alone" if alone else ""
    words += ", this one left out" if left_out_of(record, case.name, case.modalities) else ""
    volume_ml, *uptake = (
        replace(interval, basis=interval.basis and interval.basis + words)
        for interval in (prediction.volume_ml, *prediction.uptake.values())
    )
    return replace(prediction, volume_ml=volume_ml, uptake=dict(zip(prediction.uptake, uptake, strict=True)))


def assemble(case: Case, drawn: Drawn, calibration: dict[str, Any]) -> Prediction:
    """Calibrate, bring everything to the case's own grid, and draw the contours."""
    labels, uncertainty_map = labels_and_uncertainty(case, drawn)
    inner, outer = contours(labels, uncertainty_map, calibration["contour_width"])
    at_levels = level_outlines(drawn, case.grid)
    outer = pieces_holding(outer, labels | at_levels[0].mask())  # couch and air at one percent are no border
    sample_ml = [float(np.count_nonzero(s > 0.5)) * drawn.grid.voxel_mm3 / 1000 for s in drawn.samples]
    volume_ml = float(np.count_nonzero(labels)) * case.grid.voxel_mm3 / 1000
    calibrated = apply(drawn.samples, calibration["scale"], calibration["offset"])
    maps = {**drawn.maps, **uncertainty_maps(calibrated)}
    spread = volume_spread(volume_ml, at_levels, case.grid)
    outlines, told = sample_outlines(drawn.samples, drawn.grid, case.grid), drawn.provenance
    if left_out := len(drawn.samples) - len(outlines):
        told = {**told, "notes": [*told["notes"], LEFT_OUT.format(left_out, len(drawn.samples))]}
    return Prediction(
        grid=case.grid,
        probability=onto_case(calibrated.mean(axis=0), drawn.grid, case.grid),
        labels=labels.astype(np.uint8),
        uncertainty={name: resample_smoothly(value, drawn.grid, case.grid) for name, value in maps.items()},
        inner=inner,
        outer=outer,
        gates=drawn.gates,
        volume_ml=prediction_interval(volume_ml, spread, calibration.get("volume"), LEVEL),
        sample_volumes_ml=tuple(sample_ml),
        provenance=told,
        samples=outlines,
        uptake=uptake_intervals(case, labels, at_levels, calibration.get("uptake", {}), LEVEL),
    )


def labels_and_uncertainty(case: Case, drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """The lesion mask and the contours' level sets on the case's grid, both from the network's own probabilities.

    Calibration must not move the mask: the network was trained for overlap at its own one half, and an offset that
    makes probabilities honest on average would cut every lesion. Of a panel the first member draws the mask, and where
    all together say otherwise nothing is sure.
    """
    own = onto_case(drawn.mean(), drawn.grid, case.grid)
    if not drawn.deciding:
        return without_specks(own > 0.5), uncertainty(own)
    lesion = onto_case(drawn.deciding_mean(), drawn.grid, case.grid) > 0.5
    return without_specks(lesion), np.where(lesion == (own > 0.5), uncertainty(own), np.float32(0))


def _mean_gates(gates: list[dict[str, float]]) -> dict[str, float]:
    """The mean over all windows, summing to one; {} where the system has no gates."""
    if not gates:
        return {}
    mean = {m: float(np.mean([g[m] for g in gates])) for m in gates[0]}
    total = sum(mean.values())
    return {m: w / total for m, w in mean.items()}


def _provenance(run: Run, present: tuple[str, ...]) -> dict[str, Any]:
    record = run.model.record
    return {
        "model": record.id,
        "sha256": record.sha256,
        "system": record.system,
        "config": record.config,
        "samples": run.settings.samples,
        "seed": run.settings.seed,
        **run.options,
        "window": list(run.window),
        "device": run.model.device,
        "modalities": list(present),
        **({"duplicated": present[0]} if run.settings.duplicate else {}),
        "versions": {
            "DiffuFuseMed": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "SimpleITK": sitk.Version.VersionString(),
        },
        "notes": list(run.notes),
    }
