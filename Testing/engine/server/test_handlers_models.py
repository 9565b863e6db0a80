"""The real engine with the weights and the patient that ship."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.engine.client.engine import Engine, EngineError
from DiffuFuseMedLib.engine.server.encodings import Encodings
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
MODEL = "sts-diffufusemed"
TWO = ("CT", "MR_T1")


@pytest.fixture(scope="module")
def case():
    """STS_010 around its lesion: one window of the network."""
    return load_case(ROOT / "Resources" / "SampleData" / "STS_010").cropped((12, 30, 30), (48, 140, 150))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    with Engine(folder=folder) as started:
        yield started
        pid = started.pid
    assert not psutil.pid_exists(pid)
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def case_id(engine, case):
    return engine.open(case, timeout=120)


@pytest.fixture(scope="module")
def model():
    return zoo.load(MODEL)


def same(first, second):
    arrays = ("probability", "labels", "inner", "outer")
    assert all(np.array_equal(getattr(first, n), getattr(second, n)) for n in arrays)
    assert all(np.array_equal(first.uncertainty[m], second.uncertainty[m]) for m in second.uncertainty)
    assert (first.grid, first.gates, first.volume_ml) == (second.grid, second.gates, second.volume_ml)


def test_the_engine_says_what_predict_says(engine, case_id, case, model):
    reports = []
    through = engine.segment(case_id, MODEL, samples=2, progress=lambda *r: reports.append(r)).result(120)
    here = predict(case, model, Settings(samples=2))
    np.testing.assert_allclose(through.probability, here.probability, atol=0.02)  # bfloat16, other thread counts
    assert (through.grid, through.labels.dtype) == (here.grid, np.uint8)
    assert through.provenance["sha256"] == model.record.sha256
    assert reports[0][1] == "loading the model"
    assert reports[-1][:2] == (1.0, "putting the result together")


def test_a_modality_switched_off_and_on_gives_what_it_gave(engine, case_id):
    asked = {"samples": 2, "seed": 3}
    both = engine.segment(case_id, MODEL, **asked).result(120)
    off = engine.segment(case_id, MODEL, modalities=TWO, **asked).result(120)
    assert tuple(off.gates) == TWO
    assert not np.array_equal(off.probability, both.probability)
    same(engine.segment(case_id, MODEL, **asked).result(120), both)


def test_kept_encodings_change_no_bit_and_save_the_encoding(case, model):
    kept, settings = Encodings(), Settings(samples=2)
    predict(case, model, settings, kept)
    encoded = kept.misses
    for chosen in (case, case.only(TWO)):
        same(predict(chosen, model, settings, kept), predict(chosen, model, settings))
    assert kept.misses == encoded
    assert kept.hits > 0


def test_a_bounded_cache_keeps_what_fits_and_stays_right(case, model):
    small = Encodings(bound_bytes=8_000_000)
    first = predict(case, model, Settings(samples=2), small)
    assert 0 < small.used_bytes <= small.bound_bytes
    same(predict(case, model, Settings(samples=2), small), first)
    assert small.hits > 0


def test_a_network_is_stopped_between_its_windows(engine, case_id, failure):
    handle = engine.segment(case_id, MODEL, samples=64)
    handle.cancel(grace_s=60)
    assert failure(handle, 60).code == "cancelled"


def spoiled(case, modality="CT", **change):
    """The case with one modality's Volume changed."""
    return replace(case, volumes={**case.volumes, modality: replace(case.volumes[modality], **change)})


def with_nan(case):
    array = case.volumes["CT"].array.copy()
    array[3, 4, 5] = np.nan
    return spoiled(case, array=array)


def with_smaller_pet(case):
    grid = case.grid.cropped((0, 0, 0), (4, 4, 4))
    pet = Volume(np.ones(grid.shape, np.float32), grid, "PET")
    return replace(case, volumes={**case.volumes, "PET": pet})


def with_a_valid_mask_of_numbers(case):
    return replace(case, valid={**case.valid, "CT": case.valid["CT"].astype(np.float32)})


BAD = {
    "NaN": (with_nan, "1 voxels that are NaN"),
    "another shape": (with_smaller_pet, "PET of shape"),
    "a mask of numbers": (with_a_valid_mask_of_numbers, "valid mask of CT"),
    "no image": (lambda case: case.only(()), "without an image"),
    "no mask": (lambda case: replace(case, valid={}), "without its image or valid mask"),
    "a flat grid": (lambda case: spoiled_grid(case), "spacing"),
}


def spoiled_grid(case):
    grid = replace(case.grid, spacing_mm=(1.0, 0.0, 1.0))
    volumes = {m: replace(v, grid=grid) for m, v in case.volumes.items()}
    return replace(case, grid=grid, volumes=volumes)


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD.keys())
def test_a_case_that_cannot_be_computed_with_is_refused(engine, case, case_id, spoil, words):
    held = engine._arrays.names()
    with pytest.raises(EngineError, match=words) as caught:
        engine.open(spoil(case), timeout=120)
    assert caught.value.code == "input"
    assert engine._arrays.names() == held


def test_a_lesion_that_is_not_on_the_grid_is_refused(engine, case, case_id, failure):
    held = engine._arrays.names()
    error = failure(engine.replace_rois(case_id, lesion=np.ones((2, 2, 2), bool)))
    assert (error.code, "lesion" in str(error)) == ("input", True)
    assert engine._arrays.names() == held


ASKED = {
    "an unknown model": ({"model": "no-such-model"}, "input", "no-such-model"),
    "a model that fuses": ({"model": "clin-fusediff-student"}, "input", "a model that segments (lidc-caldiff, "),
    "no samples": ({"samples": 0}, "input", "0 samples"),
    "too many samples": ({"samples": 10_000}, "input", "10000 samples"),
    "only what the model does not know": ({"modalities": ["SPECT"]}, "input", "modality"),
    "an unknown device": ({"device": "abacus"}, "input", "abacus"),
    "samples in words": ({"samples": "many"}, "bad_request", "samples"),
}


@pytest.mark.parametrize(("change", "code", "words"), ASKED.values(), ids=ASKED.keys())
def test_a_bad_request_is_one_error(engine, case_id, failure, change, code, words):
    error = failure(engine.segment(case_id, **{"model": MODEL, **change}), 60)
    assert error.code == code
    assert words in str(error)
    assert engine.start().result(120)["pid"] == engine.pid


def test_an_unknown_case_is_one_error(engine, failure):
    error = failure(engine.segment("no-such-case", MODEL), 60)
    assert (error.code, "open it first" in str(error)) == ("unknown_case", True)


def test_changed_weights_are_refused_and_the_engine_lives_on(engine, case_id, tmp_path, failure):
    copy = shutil.copytree(ROOT / "models" / MODEL, tmp_path / MODEL)
    data = bytearray((copy / zoo.WEIGHTS).read_bytes())
    data[-1] ^= 1
    (copy / zoo.WEIGHTS).write_bytes(data)
    error = failure(engine.segment(case_id, str(copy)), 60)
    assert error.code == "input"
    assert "sha256" in str(error)
    assert engine.segment(case_id, MODEL, samples=1).result(120).labels.any()


def test_killed_while_it_computes_it_opens_the_case_again_and_says_the_same(tmp_path, a_case, models, failure):
    heard, tiny = [], str(models / "tiny")  # whatever the weights are
    with Engine(folder=tmp_path) as engine:
        case_id = engine.open(a_case(), timeout=120)
        before = engine.segment(case_id, tiny, samples=1).result(120)
        handle = engine.segment(case_id, tiny, samples=64, progress=lambda *r: heard.append(r) or kill(engine, heard))
        assert failure(handle, 60).code == "died"
        same(engine.segment(case_id, tiny, samples=1).result(120), before)
    assert list(tmp_path.iterdir()) == []


def kill(engine, heard):
    if heard[-1][0] > 0 and engine.pid:
        psutil.Process(engine.pid).kill()


def test_the_drawn_lesion_never_reaches_the_engine(engine, case_id):
    assert engine._opened[case_id]["case"]["reference_mask"] is None
