"""The folder of one run: segmentation, contours, maps and record, all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...core.agreement import Agreement
from ...core.case import Case
from ...core.errors import input_error
from ...core.lesion import quantify
from ...core.maps import of_prediction
from ...core.prediction import Prediction
from ...core.staging import staged
from ...core.suv_units import BODY_WEIGHT, SuvScale
from ...core.whole_file import write_whole
from ..nrrd import provenance_header, write_nrrd
from ..seg_nrrd import contour_segments, write_segmentation, write_segments
from .record import record


def write_outputs(
    prediction: Prediction,
    case: Case,
    folder: Path,
    quality: list[str],
    scores: dict[str, Any] | None = None,
    suv: SuvScale = BODY_WEIGHT,
    annotators: Agreement | None = None,
) -> dict[str, Path]:
    """Write the run into `folder` (made when missing) and return its files by name.

    segmentation: segmentation.seg.nrrd, the lesion as a plain label map; contours: contours.seg.nrrd, the inner and
    outer contour as two overlapping segments; probability: probability.nrrd, float32 from 0 to 1; uncertainty (and
    uncertainty_expected_entropy, uncertainty_mutual_information): float32, as in core.maps; record: prediction.json.
    scores: against the case's reference mask, annotators: how several agree, both for the record; suv: what its numbers
    are in. Files appear together at the end; a run that fails before leaves the folder as it was. Raises InputError
    when the folder cannot be written or the case is on another grid.
    """
    if not prediction.grid.same_as(case.grid):
        raise input_error("a prediction on another grid than its case", "one grid", "predict this case again")
    measures = quantify(prediction.labels == 1, case, suv)
    with staged(folder) as staging:
        files = _write_images(prediction, case, staging)
        files["record"] = staging / "prediction.json"
        told = record(prediction, case, quality, measures, scores, suv, annotators)
        text = json.dumps(told, indent=2, allow_nan=False)
        write_whole(files["record"], text + "\n")
    return {name: folder / file.name for name, file in files.items()}


def _write_images(prediction: Prediction, case: Case, staging: Path) -> dict[str, Path]:
    header, grid = provenance_header(prediction.provenance), prediction.grid
    files = {"segmentation": staging / "segmentation.seg.nrrd", "contours": staging / "contours.seg.nrrd"}
    write_segmentation(prediction, files["segmentation"], case.reference)
    inner, outer = contour_segments(None if prediction.outside else prediction.volume_ml.level)
    write_segments({inner: prediction.inner, outer: prediction.outer}, grid, files["contours"], header)
    for name, (array, unit) in _maps(prediction).items():
        files[name] = staging / f"{name}.nrrd"
        write_nrrd(array.astype(np.float32), grid, files[name], {**header, "DiffuFuseMed_units": unit})
    return files


def _maps(prediction: Prediction) -> dict[str, tuple[np.ndarray, str]]:
    there = {key: spec for key, spec in of_prediction().items() if key in prediction.uncertainty}
    uncertain = {spec.file: (prediction.uncertainty[key], spec.file_unit or spec.unit) for key, spec in there.items()}
    return {"probability": (prediction.probability, "1"), **uncertain}
