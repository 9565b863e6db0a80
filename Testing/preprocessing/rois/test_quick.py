"""The Rois of a large volume from some of its voxels: near the exact ones, on the same grid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import automatic_rois, quick, quick_rois, takes_long

STS_010 = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def case():
    """An odd number of voxels along each axis."""
    whole = load_case(STS_010)
    return whole.cropped((0, 0, 0), tuple(n - (n % 2 == 0) for n in whole.grid.shape))


@pytest.fixture
def large(monkeypatch, case):
    monkeypatch.setattr(quick, "LARGE_VOXELS", 1000)
    monkeypatch.setattr(quick, "THINNED_VOXELS", np.prod(case.grid.shape) // 4)
    return case


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_they_are_nearly_the_exact_ones(large):
    rough, exact = quick_rois(large), automatic_rois(large)
    assert rough.soft.shape == large.grid.shape
    assert rough.region == exact.region
    assert "one voxel in" in rough.source["bone"]
    assert {name: dice(getattr(rough, name), getattr(exact, name)) > 0.85 for name in ("soft", "bone", "inside")} == {
        "soft": True,
        "bone": True,
        "inside": True,
    }
    assert not np.array_equal(rough.bone, exact.bone)
    middles = (np.mean(np.argwhere(mask), axis=0) for mask in (rough.inside, exact.inside))
    assert np.abs(np.subtract(*middles)).max() < 1  # voxels: laid over the grid without a shift


def test_the_thinned_voxels_are_nearly_cubes_and_few_enough(large):
    steps = quick._steps(large)
    thinned = large.thinned(steps)
    assert np.prod(thinned.grid.shape) <= quick.THINNED_VOXELS
    assert thinned.grid.shape == thinned.volumes["CT"].array.shape == thinned.valid["CT"].shape
    np.testing.assert_allclose(
        thinned.grid.to_physical(np.array([2, 3, 1])), large.grid.to_physical(np.array([2, 3, 1]) * steps[::-1])
    )
    wide = np.array(thinned.grid.spacing_kji_mm)
    coarsest = max(large.grid.spacing_kji_mm)
    assert wide.max() <= max(2 * wide.min(), coarsest)


def test_a_small_volume_and_one_of_gray_values_do_not_take_long(case, large):
    assert takes_long(large)
    gray = np.clip(large.volumes["CT"].array + 100, 0, 255)
    volumes = {**large.volumes, "CT": replace(large.volumes["CT"], array=gray)}
    assert not takes_long(replace(large, volumes=volumes))
    assert not takes_long(large.only(["PET", "MR_T1"]))


def test_the_shipped_patient_does_not_take_long(case):
    assert not takes_long(case)
