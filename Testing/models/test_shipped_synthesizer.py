"""The shipped synthesizer on the shipped patient: a tumor as it was drawn, and nothing else changed."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.synthesize.synthesize import SynthesisSettings, Synthesizer
from DiffuFuseMedLib.tasks.synthesize.training_tumors import on_grid

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def shipped():
    return zoo.load("sts-tumor-synthesizer", "cpu")


@pytest.fixture(scope="module")
def a_real_case():
    """The patient on voxels of 4 mm: as coarse as the network's own."""
    case = load_case(STS_010)
    return on_grid(case, case.grid.with_spacing((4.0, 4.0, 4.0)))


@pytest.fixture(scope="module")
def drawn(shipped, a_real_case):
    return Synthesizer(a_real_case, shipped).tumor(SynthesisSettings(seed=2))


def test_it_draws_a_tumor_beside_the_patients_own(drawn, a_real_case):
    made = drawn
    assert made.mask.any() and not (made.mask & (a_real_case.reference_mask.array > 0)).any()
    assert set(made.volumes) == {"CT", "PET", "MR_T1"} and "synthetic" in made.provenance["notes"][0]
    for modality, volume in made.volumes.items():
        same = volume.array == a_real_case.volumes[modality].array
        assert same[~made.changed].all() and not same[made.mask].all(), modality


def test_the_tumor_looks_as_was_drawn(drawn):
    made = drawn
    for name, tolerance in {"suv_mean": 0.1, "suv_max": 0.15, "t1_contrast": 0.25}.items():
        assert made.measured[name] == pytest.approx(made.wanted[name], rel=tolerance), name
    pet = made.volumes["PET"].array
    assert pet[made.mask].mean() > 1.5 * np.median(pet[made.changed & ~made.mask])


def test_its_record_says_what_it_takes_and_whom_it_saw(shipped):
    assert shipped.record.modalities == ("CT", "PET", "MR_T1") and shipped.record.task == "synthesize"
    assert "STS_010" not in shipped.record.training["patients"] and len(shipped.record.training["patients"]) == 26
