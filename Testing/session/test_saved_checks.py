"""What a scene's record may not say: seen while the scene is still apart, however it is written."""

import copy
import json
from contextlib import suppress

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.session import saved_checks
from hypothesis import given, settings
from hypothesis import strategies as st

GRID = {
    "size": [6, 5, 4],
    "spacing_mm": [1.0, 1.5, 3.0],
    "origin": [0.0, -20.0, 30.0],
    "direction": np.eye(3).ravel().tolist(),
}
ALIGNMENT = {
    "registered": True, "moving_to_reference": np.eye(4).tolist(), "mutual_information": float("nan"), "overlap": 0.9,
    "notes": [], "misfit": "",
}  # fmt: skip
CASE = {
    "format": 1, "name": "one", "reference": "CT", "modalities": ["CT", "PET"], "grid": GRID, "notes": ["A note."],
    "meta": {"CT": {"name": "CT", "units": "HU", "notes": []}}, "alignment": {"PET": ALIGNMENT},
}  # fmt: skip
INTERVAL = {"value": 13.0, "low": 1.0, "high": 20.0, "unit": "mL", "level": 0.95, "withheld": "", "basis": "x"}
PREDICTION = {
    "gates": {"CT": 0.5}, "sample_volumes_ml": [1.0, 2.0],
    "provenance": {"model": "m", "samples": 8, "modalities": ["CT"]},
    "volume_ml": {"value": 13.0, "low": None, "high": None, "unit": "mL", "level": 0.95, "withheld": ""},
}  # fmt: skip
PROBED = {
    "diameter_mm": 30.0, "contrast": 1.0, "volume_ml": 14.1, "suv_mean": None, "iou": 0.6, "recall": 0.7, "before": 0.0,
    "seed": 3,
}  # fmt: skip
MODEL = {"id": "m", "sha256": "a1"}
TRIES = {
    "tries": [
        {"probed": PROBED, "segmenter": MODEL, "synthesizer": MODEL, "modalities": ["CT"], "notes": ["Taken out."],
         "false_ml": 2.5},
    ],
}  # fmt: skip
ODD = (None, "x", [1], {"a": 1}, -1, 1e999, float("nan"), True, [], ["x"] * 1000, "x" * 10**6)


def with_value(words, path, value):
    changed = copy.deepcopy(words)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def test_what_the_program_writes_is_taken():
    saved_checks.check_case(CASE)
    saved_checks.check_prediction(PREDICTION)
    saved_checks.check_prediction(PREDICTION | {"uptake": {"mtv_ml": INTERVAL}})
    saved_checks.check_tries(TRIES)
    saved_checks.check_tries(with_value(TRIES, ["tries", 0, "probed", "suv_mean"], 4.0))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["tries"], {}), (["more"], 1), (["tries"], [5]), (["tries"], [{}]), (["tries"], TRIES["tries"] * 10_001),
        (["tries", 0, "probed"], None), (["tries", 0, "probed"], {}), (["tries", 0, "segmenter", "id"], 5),
        (["tries", 0, "synthesizer", "sha256"], "x" * 1000), (["tries", 0, "modalities"], ["CT", "valid"]),
        (["tries", 0, "notes"], ["x" * 10**6]), (["tries", 0, "false_ml"], -1), (["tries", 0, "false_ml"], None),
        (["tries", 0, "probed", "volume_ml"], float("inf")), (["tries", 0, "probed", "suv_mean"], -4.0),
        (["tries", 0, "probed", "iou"], 1.5), (["tries", 0, "probed", "recall"], float("nan")),
        (["tries", 0, "probed", "before"], -0.1), (["tries", 0, "probed", "diameter_mm"], 1.0),
        (["tries", 0, "probed", "contrast"], 9.0), (["tries", 0, "probed", "seed"], 1.5),
    ],
)  # fmt: skip
def test_a_tally_that_cannot_be_is_refused(path, value):
    with pytest.raises(ValueError):
        saved_checks.check_tries(with_value(TRIES, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", 5), ("name", "x" * 1000), ("reference", "MR_T1"), ("reference", None), ("modalities", []),
        ("modalities", ["CT", "CT"]), ("modalities", ["CT", "valid"]), ("modalities", ["CT"] * 1000), ("notes", [1]),
        ("notes", 5), ("notes", ["x" * 10**6]), ("meta.CT", None), ("meta.CT.notes", 5), ("meta.CT.units", {"a": 2}),
        ("meta.CT.source", 5), ("alignment.PET.overlap", "x"), ("alignment.PET.registered", "yes"),
        ("alignment.PET.moving_to_reference", [[1]]), ("alignment.PET.moving_to_reference", [[float("nan")] * 4] * 4),
        ("grid.size", [6.5, 5, 4]), ("grid.size", [6, 5]), ("grid.size", [6, 5, -4]), ("grid.spacing_mm", [0, 0, 0]),
        ("grid.spacing_mm", [float("nan")] * 3), ("grid.spacing_mm", [1e-300] * 3), ("grid.origin", [1e308] * 3),
        ("grid.direction", [0] * 9), ("grid.direction", [1] * 9), ("grid.direction", [1, 0, 0]),
    ],
)  # fmt: skip
def test_a_case_that_is_none_is_seen(path, value):
    with pytest.raises((ValueError, InputError)):
        saved_checks.check_case(with_value(CASE, path.split("."), value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gates", {"CT": float("nan")}), ("gates", {"CT": "x"}), ("gates", 5), ("volume_ml", {}),
        ("volume_ml.value", -5),
        ("volume_ml.value", float("nan")), ("volume_ml.high", 1e999), ("volume_ml.unit", 5), ("provenance", {}),
        ("provenance.model", 5), ("provenance.samples", "x"), ("provenance.modalities", [5]),
        ("sample_volumes_ml", ["x"]), ("sample_volumes_ml", 5), ("uptake", []), ("uptake", {"luck": INTERVAL}),
        ("uptake", {"mtv_ml": 5}), ("uptake", {"mtv_ml": {**INTERVAL, "low": -1}}),
        ("uptake", {"mtv_ml": {**INTERVAL, "high": float("nan")}}), ("uptake", {"mtv_ml": {**INTERVAL, "unit": 5}}),
    ],
)  # fmt: skip
def test_a_result_that_is_none_is_seen(path, value):
    """And so it is where numbers in PET have intervals."""
    with pytest.raises((ValueError, InputError)):
        saved_checks.check_prediction(with_value(PREDICTION, path.split("."), value))


PATHS = [("grid", name) for name in GRID] + [("alignment", "PET", name) for name in ALIGNMENT]


@settings(max_examples=150, deadline=500)
@given(st.sampled_from([*[(name,) for name in CASE], *PATHS]), st.sampled_from(ODD))
def test_any_odd_value_is_taken_or_seen(path, value):
    """And nothing else happens, such as a number of the size of the machine."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, InputError):
        saved_checks.check_case(with_value(CASE, path, value))


def test_a_text_without_end_is_no_record():
    for text in ("[" * 200_000, '{"a":' * 200_000, "5", "null", "[1]", "{"):
        with pytest.raises(ValueError):
            saved_checks.parsed(text)


def test_a_review_of_another_grid_is_told_before_its_labels_get_room():
    grid = Grid(**{name: tuple(values) for name, values in GRID.items()})
    assert saved_checks.same_grid(GRID, grid)
    assert not saved_checks.same_grid({**GRID, "size": [100_000] * 3}, grid)
    with pytest.raises(ValueError):
        saved_checks.same_grid(json.loads('{"size": "x"}'), grid)
