"""The fusion's uncertainty learns what it means from pairs that no weights saw."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.systems.clin_fusediff.stacks import case_stack
from DiffuFuseMedLib.tasks.fuse import Fuser, calibrate
from DiffuFuseMedLib.tasks.fuse.calibrate import calibrate_fusion, validation_stacks

SAMPLE = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def stacks():
    """Slices from both ends of the shipped patient's lesion, standing in for two patients."""
    case = load_case(SAMPLE)
    halves = [case.cropped((k, 16, 40), (k + 4, 112, 168)) for k in (18, 36)]
    return [case_stack(replace(c, name=f"half {i}"), "MR_T1", ((-160.0, 840.0),)) for i, c in enumerate(halves)]


@pytest.fixture
def fuser(fusion_models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    monkeypatch.setattr(calibrate, "SLICES", 6)
    return Fuser(zoo.load("clin-fusediff-student"))


def test_a_wider_spread_means_a_likelier_error(fuser, stacks):
    fitted = calibrate_fusion(fuser, stacks).calibration
    assert fitted["scale"] > 0
    assert np.isfinite(fitted["offset"])
    assert 0 < fitted["base_rate"] < 1
    assert fitted["left_out"]["brier"] < fitted["base_rate"] * (1 - fitted["base_rate"]) + 0.02
    assert fitted["stacks"] == ["half 0", "half 1"]


def test_the_same_seed_fits_the_same_curve(fuser, stacks):
    first, again = (calibrate_fusion(fuser, stacks[:2], seed=4).calibration for _ in range(2))
    assert first == again


def test_refuses_patients_that_the_weights_were_trained_on(tmp_path):
    split = tmp_path / "split.json"
    split.write_text('{"folds": [["STS_005"], ["STS_003"]], "crops": {}}')
    record = SimpleNamespace(patients=("STS_003",), training={"left_out": []})
    fuser = SimpleNamespace(student=SimpleNamespace(record=record))
    with pytest.raises(InputError, match="fold 1 with 1 patients of the training"):
        validation_stacks(fuser, tmp_path, 1, split, ())
