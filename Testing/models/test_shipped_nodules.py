"""lidc-caldiff as it ships: it outlines a nodule in a small box of a chest CT, and says so where a case is another."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.domain import before_run
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models"
STS_010 = ROOT / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def model():
    return zoo.load_segmenter("lidc-caldiff", folder=SHIPPED)


@pytest.fixture(scope="module")
def a_nodule():
    """A ball of soft tissue, 18 mm across, in lung; three slices, voxels of 0.7 x 0.7 x 2.5 mm."""
    grid = Grid((48, 48, 3), (0.7, 0.7, 2.5))
    _, j, i = np.indices((3, 48, 48))
    ball = np.hypot(j - 24, i - 22) * 0.7 < 9
    noise = np.random.default_rng(0).standard_normal(ball.shape)
    ct = np.where(ball, 20.0, -800.0) + 30 * noise
    volume = Volume(ct.astype(np.float32), grid, "CT", meta={"body_part": "chest"})
    drawn = Volume(ball.astype(np.uint8), grid)
    return Case("nodule", grid, "CT", {"CT": volume}, {"CT": np.ones(ball.shape, bool)}, reference_mask=drawn)


def test_a_nodule_is_outlined_and_its_samples_differ(model, a_nodule):
    found = predict(a_nodule.unscored(), model, Settings(samples=4))
    ball, lesion = a_nodule.reference_mask.array > 0, found.labels > 0
    assert 2 * (ball & lesion).sum() / (ball.sum() + lesion.sum()) > 0.8
    assert found.uncertainty["mutual_information"].max() > 0.01


def test_such_a_box_is_what_it_is_for_and_a_limb_is_not(model, a_nodule):
    assert before_run(a_nodule, model.record.domain, model.modalities, ["CT"]).outside == ()
    limb = load_case(STS_010)
    found = before_run(limb, model.record.domain, model.modalities, list(limb.volumes))
    assert any("field of view" in said for said in found.outside)
    assert any("MR T1" in said and "not be used" in said for said in found.remarks)
