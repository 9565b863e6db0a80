"""Cases and predictions as messages."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Alignment, Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.engine.wire.pack import pack, references, unpack
from DiffuFuseMedLib.preprocessing.load import load_case

STS_010 = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture
def through():
    """A function (value): packed, through JSON text, and unpacked; `.text` is what was in the line."""

    class Through:
        def __call__(self, value):
            arrays = []

            def write(array):
                arrays.append(np.array(array))
                return {"$array": f"{len(arrays) - 1}.npy"}

            self.text = json.dumps(pack(value, write))
            return unpack(json.loads(self.text), lambda ref: arrays[int(ref["$array"].split(".")[0])])

    return Through()


def assert_same(first, second):
    """Equal in every field, with the same types."""
    assert type(first) is type(second)
    if isinstance(first, np.ndarray):
        np.testing.assert_array_equal(first, second)
        assert first.dtype == second.dtype
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            assert_same(first[key], second[key])
    elif hasattr(first, "__dataclass_fields__"):
        for field in fields(first):
            if (type(first), field.name) != (Volume, "meta"):
                assert_same(getattr(first, field.name), getattr(second, field.name))
    else:
        assert first == second or (first != first and second != second)  # mutual information may be NaN


def test_the_shipped_case_comes_back_whole(through):
    case = load_case(STS_010)
    assert_same(through(case), case)


def test_alignments_come_back(through, a_case):
    case = a_case()
    case.alignment["PET"] = Alignment(True, np.diag([1.0, 2, 3, 1]), 0.61, 0.98, ("One note.",))
    assert_same(through(case), case)


def test_a_prediction_comes_back_whole(through):
    grid = Grid((4, 3, 2), (1.0, 2.0, 3.0))
    floats, masks = np.random.default_rng(0).random((4, 2, 3, 4)).astype(np.float32), np.ones((2, 3, 4), bool)
    maps = {"predictive_entropy": floats[1], "mutual_information": floats[2]}
    volume = Interval(1.5, 1.0, 2.0, "mL")
    facts = {"model": "x", "window": [1, 2], "versions": {"torch": "2"}, "timings_s": {"network": np.float64(0.5)}}
    samples = Voxels.of(floats[3] > 0.5), Voxels.of(np.zeros((2, 3, 4), bool))
    prediction = Prediction(
        grid, floats[0], masks.astype(np.uint8), maps, masks, ~masks, {"CT": 1.0}, volume, (1.0, 2.0), facts, samples
    )
    again = through(prediction)
    facts["timings_s"]["network"] = 0.5
    assert_same(again, prediction)


def test_who_the_patient_is_stays_with_the_host(through, a_case):
    case = a_case()
    secret = {
        "patient_id": "Secret-17",
        "source": Path("/data/Secret/ct.nii"),
        "name": "Secret CT",
        "series_description": "Secret",
    }
    case.volumes["CT"].meta.update(secret, notes=["Counts were taken for SUV."], units="HU")
    again = through(case)
    assert "Secret" not in through.text
    assert again.volumes["CT"].meta == {"notes": ["Counts were taken for SUV."], "units": "HU"}


def test_all_arrays_of_a_message_are_named():
    message = {"a": [{"$array": "x.npy"}, {"$tuple": [{"$array": "y.npy"}]}], "b": 3}
    assert references(message) == ["x.npy", "y.npy"]


def test_what_does_not_belong_between_the_processes_is_refused(through):
    with pytest.raises(TypeError, match="set"):
        through({1, 2})


BAD = {
    "a foreign type": {"$type": "Popen", "args": ["true"]},
    "a type without its parts": {"$type": "Grid"},
    "a part too many": {"$type": "Grid", "size": [1, 1, 1], "x": 1},
    "an array that is not on its grid": {
        "$type": "Volume",
        "array": {"$array": "0.npy"},
        "grid": {"$type": "Grid", "size": {"$tuple": [9, 9, 9]}},
    },
}


@pytest.mark.parametrize("message", BAD.values(), ids=BAD.keys())
def test_a_bad_message_builds_nothing(message):
    with pytest.raises(InputError, match=r"^Given"):
        unpack(message, lambda _: np.zeros((2, 2, 2), np.float32))


def test_a_case_is_a_case(through, a_case):
    assert isinstance(through(a_case()), Case)
