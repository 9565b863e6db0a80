"""One slice of a case as the paper's Figure 9 shows it: image, prediction, reference, uncertainty, error; as JSON."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.maps import MAPS
from ..core.prediction import Prediction
from ..report.window_level import window_of

MAP = "predictive_entropy"
PANELS = ("image", "prediction", "reference", "uncertainty", "error")


def sheet_of(prediction: Prediction, case: Case) -> dict[str, Any]:
    """The axial slice with most of the reference, each panel in 256 steps; pixel_mm: (row, column). The image is the
    case's MR where it has one, else its reference modality; uncertainty is in shares of what it can reach.

    A case without a reference is a caller's mistake.
    """
    assert case.reference_mask is not None, "a case without one is not scored"
    reference = case.reference_mask.array > 0
    k = int(reference.sum(axis=(1, 2)).argmax())
    shown = next((m for m in case.modalities if m.startswith("MR")), case.reference)
    gray = window_of(shown, case.volumes[shown].array, case.valid[shown]).gray(case.volumes[shown].array[k])
    mask = prediction.labels[k] > 0
    panels = {
        "image": np.where(case.valid[shown][k], gray, 0),
        "prediction": mask,
        "reference": reference[k],
        "uncertainty": np.clip(prediction.uncertainty[MAP][k] / MAPS[MAP].highest, 0, 1),
        "error": mask != reference[k],
    }
    packed = {name: _packed(np.asarray(panel, float)) for name, panel in panels.items()}
    rows_mm, columns_mm = case.grid.spacing_kji_mm[1:]
    return {"shown": shown, "slice": k, "pixel_mm": [rows_mm, columns_mm], "shape": list(mask.shape), "panels": packed}


def panel_of(sheet: dict[str, Any], name: str) -> np.ndarray:
    """One panel, float [row, column] from 0 to 1."""
    values = np.frombuffer(zlib.decompress(base64.b64decode(sheet["panels"][name])), np.uint8)
    return values.reshape(sheet["shape"]) / 255


def _packed(panel: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(np.round(255 * panel).astype(np.uint8).tobytes(), 9)).decode("ascii")
