"""The figures of an inpainter: the same holes for all, scored in them alone, and what a segmenter still finds."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.healthy import Healthy
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import training_slices
from DiffuFuseMedLib.tasks.synthesize import evaluate_inpainting as module
from DiffuFuseMedLib.tasks.synthesize.evaluate_inpainting import (
    BEYOND_MM,
    IMAGED,
    Features,
    features_at,
    healthy_holes,
    healthy_rows,
    likeness,
    reconstruction_rows,
    removal_rows,
    removals_of,
)


@pytest.fixture(scope="module")
def case(a_case):
    return a_case(shape=(12, 48, 48), center=(6, 14, 14))


@pytest.fixture(scope="module")
def holes(case, an_inpainter):
    return healthy_holes(case, training_slices(case, ("CT", "PET", "MR_T1"), 4.0), an_inpainter, 0)


def copying(case, mask):
    """A removal that leaves everything as it is."""
    return Healthy(dict(case.volumes), mask)


def darkening(case, mask):
    """A removal that makes the mask as dark as background."""
    levels = {"CT": 40, "PET": 1, "MR_T1": 400}
    return Healthy(
        {m: v.with_array(np.where(mask, np.float32(levels[m]), v.array)) for m, v in case.volumes.items()}, mask
    )


def test_holes_lie_off_the_lesion_in_a_few_slices_and_are_the_same_for_one_seed(case, holes, an_inpainter):
    healthy = training_slices(case, ("CT", "PET", "MR_T1"), 4.0)
    assert holes.shape == case.grid.shape and holes.sum() > 50
    assert not (holes & (case.reference_mask.array > 0)).any()
    assert np.array_equal(healthy_holes(case, healthy, an_inpainter, 0), holes)
    assert not np.array_equal(healthy_holes(case, healthy, an_inpainter, 1), holes)


def test_likeness_is_of_the_hole_alone(case, holes):
    ct = case.volumes["CT"]
    outside = ct.with_array(np.where(holes, ct.array, 300).astype(np.float32))
    assert likeness(case, outside, holes)["psnr"] == 60
    off = ct.with_array((ct.array + 25 * holes).astype(np.float32))  # 25 HU are a tenth of half the window
    assert likeness(case, off, holes)["psnr"] == pytest.approx(20 * np.log10(2 / 0.1), abs=0.2)
    worse = ct.with_array(np.where(holes, np.float32(40), ct.array))
    assert likeness(case, worse, holes)["ssim"] < 0.5 and likeness(case, ct, holes)["ssim"] == 1
    pet = case.volumes["PET"]
    half = pet.with_array(np.where(holes, np.expm1(np.log1p(pet.array) + 0.1 * np.log(11)), pet.array))
    assert likeness(case, half.with_array(half.array.astype(np.float32)), holes)["psnr"] == pytest.approx(20, abs=0.2)


def test_where_an_image_says_nothing_there_is_nothing_to_score(case, holes):
    missing = replace(case, valid={**case.valid, "MR_T1": ~holes})
    assert all(np.isnan(v) for v in likeness(missing, case.volumes["MR_T1"], holes).values())


def test_features_are_of_the_masked_places(case, holes, a_model):
    found = features_at(case, holes, a_model)
    assert set(found) == {"CT", "PET", "MR_T1"} and found["CT"].shape[1] == found["PET"].shape[1] == 8
    larger = features_at(case, np.ones_like(holes), a_model)
    assert 0 < len(found["CT"]) < len(larger["CT"])
    assert len(larger["MR_T1"]) < len(larger["CT"])  # beyond its field of view there is nothing
    changed = replace(case, volumes={**case.volumes, "PET": darkening(case, holes).volumes["PET"]})
    other = features_at(changed, holes, a_model)
    assert np.array_equal(found["CT"], other["CT"]) and not np.array_equal(found["PET"], other["PET"])


def test_a_segmenter_without_encoders_has_no_features(case, holes, a_model):
    plain = replace(a_model, network=SimpleNamespace(stride=(8, 8, 8)))
    with pytest.raises(InputError, match="a segmenter that encodes its modalities"):
        features_at(case, holes, plain)


def test_reconstruction_has_a_row_for_each_method_and_modality(case, an_inpainter, a_model):
    features = Features()
    removals = {**removals_of(an_inpainter), "copy": copying}
    rows = reconstruction_rows(case, removals, an_inpainter, a_model, features)
    assert {(r["method"], r["modality"]) for r in rows} == {
        (n, m) for n in ("tiny-inpainter", "median filter", "biharmonic", "copy") for m in ("CT", "PET", "MR_T1")
    }
    assert all(r["ssim"] == 1 and r["psnr"] == 60 for r in rows if r["method"] == "copy")
    assert all(r["ssim"] < 0.99 for r in rows if r["method"] != "copy")
    assert features.distance("copy", "CT") < 1e-6 < features.distance("tiny-inpainter", "CT")


def test_the_lesion_is_taken_away_with_the_holes(case, an_inpainter, a_model):
    seen = []
    reconstruction_rows(
        case, {"copy": lambda c, mask: seen.append(mask) or copying(c, mask)}, an_inpainter, a_model, Features()
    )
    assert seen[0][case.reference_mask.array > 0].all()


@pytest.fixture
def a_finder(monkeypatch):
    """A segmenter that calls lesion what is above SUV 4."""
    told = []

    def predict(case, segmenter, settings):
        assert case.reference_mask is None or not told
        told.append((settings.samples, settings.seed))
        return SimpleNamespace(labels=(case.volumes["PET"].array > 4).astype(np.uint8))

    monkeypatch.setattr(module, "predict", predict)
    return told


def test_a_lesion_that_was_removed_is_not_found_and_one_that_was_not_is(case, a_finder):
    rows = list(removal_rows(case, {"dark": darkening, "copy": copying}, None, [0.0, 6.0], samples=3, seed=5))
    assert [(r["method"], r["margin_mm"]) for r in rows] == [
        (IMAGED, ""),
        ("dark", 0.0),
        ("copy", 0.0),
        ("dark", 6.0),
        ("copy", 6.0),
    ]
    by_method = {r["method"]: r for r in rows}
    assert by_method[IMAGED]["found"] > 0.99 and by_method["copy"]["found"] > 0.99
    assert by_method["dark"]["found"] == by_method["dark"]["found_ml"] == 0
    assert by_method["copy"]["drawn_ml"] == pytest.approx(4 / 3 * np.pi * 2.4**3, rel=0.1)
    assert set(a_finder) == {(3, 5)}


def with_lesion(case, start, stop):
    """The case whose lesion is a rod through these slices; PET is hot in it and in one voxel of every slice."""
    rod = np.zeros(case.grid.shape, bool)
    rod[start:stop, 30:34, 28:32] = True
    hot = rod.copy()
    hot[:, 32, 40] = True
    pet = case.volumes["PET"].with_array(np.where(hot, 9.0, 1.0).astype(np.float32))
    drawn = case.reference_mask.with_array(rod.astype(np.uint8))
    return replace(case, volumes={**case.volumes, "PET": pet}, reference_mask=drawn)


def test_healthy_slices_are_shown_alone_from_the_end_that_has_more(a_thigh, a_finder):
    case = replace(a_thigh, reference_mask=a_thigh.volumes["CT"].with_array(np.zeros(a_thigh.grid.shape, np.uint8)))
    ml = case.grid.voxel_mm3 / 1000
    (low,) = healthy_rows(with_lesion(case, 4, 14), None, samples=2, seed=7)
    (high,) = healthy_rows(with_lesion(case, 26, 40), None, samples=2, seed=7)
    beyond = round(BEYOND_MM / 4)
    assert low["found_ml"] == pytest.approx((40 - 14 - beyond) * ml)
    assert high["found_ml"] == pytest.approx((26 - beyond) * ml)
    assert low["body_ml"] == pytest.approx((40 - 14 - beyond) * ml * np.pi * 25**2, rel=0.1)
    assert a_finder == [(2, 7)] * 2


def test_a_lesion_from_end_to_end_leaves_no_healthy_slices(a_thigh, a_finder):
    case = replace(a_thigh, reference_mask=a_thigh.volumes["CT"].with_array(np.zeros(a_thigh.grid.shape, np.uint8)))
    assert healthy_rows(with_lesion(case, 6, 34), None, samples=2) == []


def test_a_case_without_a_lesion_is_refused(case, an_inpainter):
    with pytest.raises(InputError, match="without a drawn lesion"):
        list(removal_rows(case.unscored(), {}, an_inpainter, [0.0], 1))


def test_distances_of_too_few_places_are_not_told():
    features = Features()
    features.add(IMAGED, {"CT": np.zeros((1, 4))})
    features.add("x", {"CT": np.zeros((1, 4))})
    assert np.isnan(features.distance("x", "CT"))


def test_the_command_writes_both_tables(command, case, inpainters, write_case, tmp_path):
    drawn = case.reference_mask.array.copy()
    drawn[4:] = 0  # six healthy slices beyond
    write_case(replace(case, reference_mask=case.reference_mask.with_array(drawn)), tmp_path / "cases" / "tiny")
    places = ("--csv", tmp_path / "rows.csv", "--markdown", tmp_path / "means.md")
    models = ("--model", inpainters / "tiny-inpainter", "--segmenter", "tiny", "--samples", 1)
    # the tiny segmenter is not calibrated for this name, and the case is one alone
    code, out, err = command("evaluate-inpainting", tmp_path / "cases", *places, *models, "--margin", 0, "--margin", 6)
    assert code == 0, err
    assert "Healthy tissue rebuilt" in out and "Lesions removed" in out
    page = (tmp_path / "means.md").read_text()
    assert page.count("median filter") == 3 + 2 and page.count(IMAGED) == 1
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert "healthy slices of 1 cases alone, tiny calls" in out
    assert re.search(r"calls (\d+) mL of \d+ mL of body lesion, at most \1 mL in a case", page)
    assert len(lines) == 1 + 9 + 7 + 1 and lines[0].startswith("method,case,modality,psnr,ssim")


def test_the_command_refuses_a_model_that_fills_no_holes(command, case, write_case, tmp_path):
    write_case(case, tmp_path / "cases" / "tiny")
    code, _, err = command("evaluate-inpainting", tmp_path / "cases", "--csv", tmp_path / "x.csv", "--model", "tiny")
    assert code == 2 and "does not fill holes" in err and not (tmp_path / "x.csv").exists()
    assert torch.is_grad_enabled()
