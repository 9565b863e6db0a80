"""Masks from the user, tracers without CT, and TotalSegmentator: there, not there, and a stand-in of its interface."""

import json
import logging
import sys
import types

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.rois import (
    Rois,
    automatic_rois,
    read_roi,
    replace_roi,
    totalsegmentator_rois,
    tracer_rois,
    why_not_totalsegmentator,
)
from DiffuFuseMedLib.preprocessing.rois import total_segmentator as module


def mask_of(*rows):
    return np.array([rows], dtype=bool)


@pytest.fixture
def rois():
    """Five voxels in a row: outside, soft, soft, bone, outside."""
    none = mask_of([0, 0, 0, 0, 0])
    inside = mask_of([0, 1, 1, 1, 0])
    return Rois(mask_of([0, 1, 1, 0, 0]), mask_of([0, 0, 0, 1, 0]), none, inside, "body", {"soft": "automatic"})


def test_a_new_bone_is_taken_out_of_soft(rois):
    changed = replace_roi(rois, "bone", mask_of([0, 0, 1, 0, 0]))
    assert np.array_equal(changed.soft, mask_of([0, 1, 0, 0, 0]))
    assert changed.source == {"soft": "automatic", "bone": "a mask from the user"}


def test_a_new_soft_is_taken_out_of_bone_and_widens_inside(rois):
    changed = replace_roi(rois, "soft", mask_of([0, 0, 0, 1, 1]))
    assert not changed.bone.any() and np.array_equal(changed.inside, mask_of([0, 1, 1, 1, 1]))


def test_a_lesion_may_overlap_both(rois):
    lesion = mask_of([0, 0, 1, 1, 0])
    changed = replace_roi(rois, "lesion", lesion.astype(np.uint8) * 3)
    assert np.array_equal(changed.lesion, lesion)
    assert np.array_equal(changed.soft, rois.soft) and np.array_equal(changed.bone, rois.bone)


def test_a_new_inside_cuts_the_others(rois):
    changed = replace_roi(rois, "inside", mask_of([1, 1, 0, 0, 0]))
    assert np.array_equal(changed.soft, mask_of([0, 1, 0, 0, 0])) and not changed.bone.any()


@pytest.mark.parametrize(
    ("name", "mask", "said"),
    [
        ("brain", np.ones((1, 1, 5)), "'brain'"),
        ("bone", np.ones((1, 5)), "shape"),
        ("bone", np.zeros((1, 1, 5)), "empty bone"),
    ],
)
def test_refuses_what_cannot_replace_a_roi(rois, name, mask, said):
    with pytest.raises(InputError, match=said):
        replace_roi(rois, name, mask)


def test_rois_that_overlap_or_leave_the_inside_are_a_mistake_in_the_code():
    one, none = np.ones((1, 1, 1), bool), np.zeros((1, 1, 1), bool)
    with pytest.raises(ValueError, match="disjoint"):
        Rois(one, one, none, one, "body")
    with pytest.raises(ValueError, match="inside"):
        Rois(none, none, one, none, "body")


GRID = Grid((6, 5, 4), (2.0, 2.0, 3.0), (10.0, 20.0, 30.0))


def write_mask(path, array, grid=GRID):
    sitk.WriteImage(Volume(array.astype(np.uint8), grid).to_sitk(), str(path))
    return path


def test_a_mask_file_is_read_onto_the_grid(tmp_path):
    array = np.zeros(GRID.shape)
    array[1:3, 2, 3] = 1
    shifted = GRID.cropped((1, 1, 1), (4, 5, 6))
    found = read_roi(write_mask(tmp_path / "bone.nii.gz", array), shifted)
    assert found.dtype == bool and np.array_equal(found, array[1:4, 1:5, 1:6] > 0)


@pytest.mark.parametrize("far", [False, True])
def test_refuses_a_mask_file_that_is_empty_or_elsewhere(tmp_path, far):
    array = np.zeros(GRID.shape)
    array[0, 0, 0] = far
    grid = Grid(GRID.size, GRID.spacing_mm, (900.0, 900.0, 900.0)) if far else GRID
    with pytest.raises(InputError):
        read_roi(write_mask(tmp_path / "bone.nii.gz", array, grid), GRID)


def disc(radius, center=(64, 64), shape=(128, 128)):
    j, i = np.indices(shape)
    return (j - center[0]) ** 2 + (i - center[1]) ** 2 <= radius**2


@pytest.fixture
def a_tracer_pair():
    """Uptake 100 with a cold spot of 2, in a head of radius 50; scatter of 5 around."""
    tracer = np.where(disc(35), 100.0, np.where(disc(50), 5.0, 0.0))
    tracer[disc(6)] = 2
    return tracer, np.where(disc(50), 300.0, 0.0)


@pytest.mark.parametrize("stacked", [False, True])
def test_soft_is_the_uptake_filled_and_bone_is_empty(a_tracer_pair, stacked):
    tracer, mri = (np.stack([a] * 3) if stacked else a for a in a_tracer_pair)
    rois = tracer_rois(tracer, mri)
    assert np.array_equal(rois.soft, np.broadcast_to(disc(35), rois.soft.shape))
    assert not rois.bone.any() and abs(rois.inside.mean() - disc(50).mean()) < 0.01


@pytest.mark.parametrize(
    ("tracer", "mri", "said"),
    [
        (np.ones((8, 8)), np.ones((8, 9)), "one grid"),
        (np.zeros((8, 8)), np.ones((8, 8)), "uptake"),
        (np.full((8, 8), np.inf), np.ones((8, 8)), "finite"),
    ],
)
def test_refuses_what_is_no_tracer_pair(tracer, mri, said):
    with pytest.raises(InputError, match=said):
        tracer_rois(tracer, mri)


def body_case():
    """A cylinder of muscle with a bone, 12 x 60 x 60 at 3 x 2 x 2 mm."""
    shape = (12, 60, 60)
    hu = np.full(shape, -1000.0, np.float32)
    hu[:, disc(26, (30, 30), shape[1:])] = 50
    hu[:, disc(5, (30, 30), shape[1:])] = 900
    grid = Grid(shape[::-1], (2.0, 2.0, 3.0))
    return Case("drawn", grid, "CT", {"CT": Volume(hu, grid, "CT")}, {"CT": np.ones(shape, bool)})


def test_without_totalsegmentator_the_automatic_route_is_taken(monkeypatch, caplog):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(module.importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    case = body_case()
    with caplog.at_level(logging.INFO):
        rois = totalsegmentator_rois(case)
    assert np.array_equal(rois.bone, automatic_rois(case).bone)
    assert "not installed" in caplog.text


@pytest.fixture
def a_stand_in(monkeypatch, tmp_path):
    """Modules with the names and signatures that are used of TotalSegmentator 2: it calls a box "tibia_left"-like."""
    api, names = types.ModuleType("totalsegmentator.python_api"), types.ModuleType("totalsegmentator.map_to_binary")
    names.class_map = {"total": {1: "liver", 2: "femur_left", 3: "lung_upper_lobe_left"}}
    calls = []

    def totalsegmentator(input, output=None, ml=False, fast=False, task="total", device="gpu", quiet=False):  # noqa: A002
        calls.append({"ml": ml, "fast": fast, "task": task, "device": device})
        image = sitk.ReadImage(str(input))
        labels = np.zeros(image.GetSize()[::-1], np.uint8)
        labels[:, 30:34, 40:44], labels[:, 30:34, 20:22], labels[:, 0, 0] = 2, 1, 2
        found = sitk.GetImageFromArray(labels)
        found.CopyInformation(image)
        sitk.WriteImage(found, str(output))

    api.totalsegmentator = totalsegmentator
    monkeypatch.setitem(sys.modules, "totalsegmentator", types.ModuleType("totalsegmentator"))
    monkeypatch.setitem(sys.modules, "totalsegmentator.python_api", api)
    monkeypatch.setitem(sys.modules, "totalsegmentator.map_to_binary", names)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(tmp_path))
    monkeypatch.delenv("TOTALSEG_WEIGHTS_PATH", raising=False)
    return calls


def install_weights(home, statistics=False):
    (home / "nnunet" / "results" / "Dataset297_TotalSegmentator_total_3mm").mkdir(parents=True)
    (home / "config.json").write_text(json.dumps({"send_usage_stats": statistics}), encoding="utf-8")


def test_its_bones_join_the_bones_and_leave_soft(a_stand_in, tmp_path):
    install_weights(tmp_path)
    case = body_case()
    rois = totalsegmentator_rois(case)
    assert a_stand_in == [{"ml": True, "fast": True, "task": "total", "device": "cpu"}]
    assert rois.bone[5, 31, 41] and not rois.soft[5, 31, 41] and rois.bone[5, 30, 30]
    assert not rois.bone[5, 0, 0]  # outside the body
    assert "TotalSegmentator" in rois.source["bone"]


def test_it_is_not_used_without_its_weights(a_stand_in, tmp_path):
    assert why_not_totalsegmentator() == "its weights are not installed"
    totalsegmentator_rois(body_case())
    assert a_stand_in == []


@pytest.mark.parametrize("config", ['{"send_usage_stats": true}', "{", "[]"])
def test_it_is_not_used_while_it_would_report_to_its_authors(a_stand_in, tmp_path, config):
    install_weights(tmp_path)
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    assert "statistics" in why_not_totalsegmentator(body_case())
    totalsegmentator_rois(body_case())
    assert a_stand_in == []
