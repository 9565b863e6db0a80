"""What a scene's record of its case and result may say: each other thing is a ValueError, before any of it is used.

The record is text that anybody may have written. What is wrong with it must be known while the scene is still apart,
for a desk that was cleared for it cannot be brought back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..core.case import Alignment, Case
from ..core.checks import check_dimensions, check_spacing
from ..core.fields import wrong_field
from ..core.grid import Grid
from ..core.lesion import OF_PET
from ..core.modalities import MODALITIES
from ..core.prediction import Interval, Prediction
from ..core.probed import CONTRAST, DIAMETER_MM, ModelName, Probed

LONGEST_NAME, LONGEST_NOTE, MOST_NOTES = 256, 4000, 200
FARTHEST_MM = 1e6
ROUNDED = 1e-3  # how far a probability may lie outside of 0 and 1
SQUARE = 1e-3  # how far its axes may be from unit vectors at right angles
MOST_TRIES = 10_000
TRIED = {"probed", "segmenter", "synthesizer", "modalities", "notes", "false_ml"}
SHARES = ("iou", "recall", "before")
PROVENANCE = {
    "model": str,
    "samples": int,
    "seed": int,
    "sha256": str,
    "modalities": list,
    "requested_modalities": list,
}


def parsed(text: str) -> dict[str, Any]:
    """The object of a JSON text. NaN is a number here: of an image that is the reference nothing is measured."""
    try:
        words = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested without end") from error
    if not isinstance(words, dict):
        raise ValueError("no object")
    return words


def check_case(words: Mapping[str, Any]) -> None:
    """Its words, but for the voxels."""
    keys = words["modalities"]
    _check(_are(keys, str) and 0 < len(keys) == len(set(keys)) and set(keys) <= set(MODALITIES), "modalities")
    _check(words["reference"] in keys, "reference")
    _check(isinstance(words["name"], str) and len(words["name"]) <= LONGEST_NAME, "name")
    _check(_are_notes(words["notes"]), "notes")
    check_grid(words["grid"])
    for key in keys:
        meta = words["meta"].get(key, {})
        _check(isinstance(meta, dict) and _are_notes(meta.get("notes", [])), "meta")
        names = [meta.get(name, "") for name in ("name", "units", "source", "series_description", "frame_of_reference")]
        _check(_are([name for name in names if name is not None], str), "meta")
    for key, found in words["alignment"].items():
        numbers, others = (found["mutual_information"], found["overlap"]), (found["registered"], found["misfit"])
        _check(key in MODALITIES and set(found) <= {field.name for field in fields(Alignment)}, "alignment")
        _check(all(type(number) in (int, float) for number in numbers), "alignment")
        _check(type(others[0]) is bool and type(others[1]) is str and _are_notes(found["notes"]), "alignment")
        _check(_is_matrix(found["moving_to_reference"]), "alignment")


def check_grid(words: Mapping[str, Any]) -> None:
    _check(set(words) == {"size", "spacing_mm", "origin", "direction"}, "grid")
    _check(_are(words["size"], int) and _are_finite(words["spacing_mm"], 3), "grid")
    check_dimensions(words["size"], "the case")
    check_spacing(words["spacing_mm"], "the case")
    _check(_are_finite(words["origin"], 3) and max(map(abs, words["origin"])) <= FARTHEST_MM, "grid")
    _check(_are_finite(words["direction"], 9), "grid")
    axes = np.reshape(words["direction"], (3, 3))
    _check(np.abs(axes.T @ axes - np.eye(3)).max() < SQUARE, "grid")


def check_voxels(case: Case, grids: Mapping[str, Grid]) -> None:
    """Whether the case's images and fields of view are on its grid. grids: where their nodes lie, by their roles."""
    _check(all(grid.same_as(case.grid) for grid in grids.values()), "place of images")
    _check(all(mask.shape == case.grid.shape for mask in case.valid.values()), "fields of view")


def check_prediction(words: Mapping[str, Any]) -> None:
    _check(isinstance(words["gates"], dict) and _are_finite(list(words["gates"].values())), "gates")
    _check_interval(words["volume_ml"], "volume")
    uptake = words.get("uptake", {})
    _check(isinstance(uptake, dict) and set(uptake) <= set(OF_PET), "numbers in PET")
    for interval in uptake.values():
        _check_interval(interval, "numbers in PET")
    _check(_are_finite(words["sample_volumes_ml"]), "volumes of samples")
    told = words["provenance"]
    _check(isinstance(told, dict) and isinstance(told.get("model"), str), "provenance")
    for name, kind in PROVENANCE.items():
        value = told.get(name, kind())
        _check(isinstance(value, kind) and (kind is not list or _are(value, str)), "provenance")


def _check_interval(words: Any, what: str) -> None:
    _check(isinstance(words, dict) and not wrong_field(words, Interval), what)
    ends = [words[name] for name in ("value", "low", "high", "level") if words.get(name) is not None]
    _check(_are_finite(ends) and min(ends) >= 0, what)


def check_tries(words: Mapping[str, Any]) -> None:
    """Of synthetic tumors that a model was tried on."""
    _check(set(words) == {"tries"} and isinstance(words["tries"], list) and len(words["tries"]) <= MOST_TRIES, "tries")
    for told in words["tries"]:
        _check(isinstance(told, dict) and set(told) == TRIED, "a try")
        for name, kind in (("probed", Probed), ("segmenter", ModelName), ("synthesizer", ModelName)):
            _check(isinstance(told[name], dict) and not wrong_field(told[name], kind), f"a try's {name}")
        names = [name for model in ("segmenter", "synthesizer") for name in told[model].values()]
        _check(all(len(name) <= LONGEST_NAME for name in names), "a try's models")
        _check(_are(told["modalities"], str) and set(told["modalities"]) <= set(MODALITIES), "a try's modalities")
        _check(_are_notes(told["notes"]), "a try's notes")
        _check_probed(told["probed"], told["false_ml"])


def _check_probed(words: Mapping[str, Any], false_ml: Any) -> None:
    amounts = [false_ml, words["volume_ml"], *([] if words["suv_mean"] is None else [words["suv_mean"]])]
    _check(_are_finite(amounts) and min(amounts) >= 0, "a try's volumes and uptake")
    for name, (low, high) in (("diameter_mm", DIAMETER_MM), ("contrast", CONTRAST), *((s, (0, 1)) for s in SHARES)):
        _check(low <= words[name] <= high, f"a try's {name}")


def check_maps(prediction: Prediction) -> None:
    """Whether all that it shows is on its grid, and its probability is one."""
    maps = (prediction.probability, *prediction.uncertainty.values())
    _check(all(array.shape == prediction.grid.shape for array in maps), "maps")
    _check(bool(((prediction.probability >= -ROUNDED) & (prediction.probability <= 1 + ROUNDED)).all()), "probability")


def same_grid(words: Mapping[str, Any], grid: Grid) -> bool:
    """Whether a grid as JSON has it is this one."""
    check_grid(words)
    return Grid(**{name: tuple(values) for name, values in words.items()}).same_as(grid)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} of another kind")


def _are(values: Any, kind: type) -> bool:
    return isinstance(values, (list, tuple)) and all(type(value) is kind for value in values)


def _are_notes(values: Any) -> bool:
    return _are(values, str) and len(values) <= MOST_NOTES and all(len(note) <= LONGEST_NOTE for note in values)


def _are_finite(values: Any, count: int | None = None) -> bool:
    if not isinstance(values, (list, tuple)) or count not in (None, len(values)):
        return False
    return all(type(value) in (int, float) and math.isfinite(value) for value in values)


def _is_matrix(rows: Any) -> bool:
    return isinstance(rows, list) and len(rows) == 4 and all(_are_finite(row, 4) for row in rows)
