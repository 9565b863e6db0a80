"""Slices of nodules that several radiologists drew, as training takes them, and the model's record."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.systems.caldiff.network import CalDiff
from DiffuFuseMedLib.systems.caldiff.recipe import LIDC
from DiffuFuseMedLib.tasks.segment.train import record_of, training_cases
from DiffuFuseMedLib.training.samplers import windows_of
from DiffuFuseMedLib.training.state import Trained

from scripts import lidc_cases


@pytest.fixture(scope="module")
def a_folder(tmp_path_factory):
    """Two pictures of each of two patients: a bright disc, drawn larger by the union than by the intersection."""
    pictures, out = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("cases")
    far = np.hypot(*(np.indices((50, 50)) - 25))
    kinds = {"": np.where(far < 8, 200, 20), "_union": 255 * (far < 9), "_intersection": 255 * (far < 6), "_dif": far}
    for name in ("P-1_1", "P-1_2", "P-2_1", "P-2_2"):
        for ending, array in kinds.items():
            image = sitk.GetImageFromArray(array.astype(np.uint8))
            sitk.WriteImage(image, str(pictures / f"{name}{ending}.png"))
    lidc_cases.main(pictures, out)
    return out


def test_a_picture_becomes_a_case_of_two_readers(a_folder):
    case = load_case(a_folder / "P-1_1")
    assert case.grid.shape == (3, 50, 50)
    assert [int(mask.array.sum()) for mask in case.references.values()] == [3 * 249, 3 * 109]
    assert case.volumes["CT"].array.max() == pytest.approx(-955 + 200 / 255 * 1206, abs=1)


def test_no_patient_is_in_two_folds(a_folder):
    folds = json.loads((a_folder / "split.json").read_text(encoding="utf-8"))["folds"]
    assert folds == [["P-1_1", "P-1_2"], ["P-2_1", "P-2_2"], [], []]


@pytest.fixture(scope="module")
def a_recipe():
    return replace(LIDC, batch=3, data=replace(LIDC.data, folds=(0, 1)))


def test_windows_are_slices_with_the_readers_masks_at_a_spacing_that_shows_a_nodule(a_folder, a_recipe):
    cases = training_cases(a_recipe, a_folder, read_split(a_folder / "split.json"))
    assert cases[0].spacing_kji_mm == pytest.approx((2.5, 0.7 * 2 / 3, 0.7 * 2 / 3), rel=0.05)
    batch = windows_of(cases, 3, a_recipe.windows)(torch.Generator().manual_seed(0))
    assert batch.images["CT"].shape == (3, 2, 48, 48)
    assert batch.references.shape == (3, 2, 48, 48)
    assert (batch.references[:, 0] >= batch.references[:, 1] - 1e-4).all()
    loss = build("caldiff", a_recipe.config).loss(batch, torch.Generator().manual_seed(0))
    assert torch.isfinite(loss.total)


def test_the_record_tells_a_window_of_two_axes(a_folder, a_recipe):
    trained = Trained(build("caldiff", a_recipe.config), 1, 0.1)
    record = record_of(a_recipe, trained, read_split(a_folder / "split.json"), "cpu")
    assert record["window"]["shape"] == (48, 48)
    assert record["window"]["spacing_kji_mm"] == (0.7, 0.7)


def test_the_weights_are_within_four_megabytes_in_half_precision():
    assert 2 * sum(p.numel() for p in CalDiff(LIDC.config).parameters()) < 4e6
