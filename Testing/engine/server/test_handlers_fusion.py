"""Fusion through the real engine, on the patient that ships."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.engine.client.engine import Engine
from DiffuFuseMedLib.engine.server import handlers
from DiffuFuseMedLib.engine.server.context import Context
from DiffuFuseMedLib.engine.server.handlers import Workbench
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.preprocessing import rois
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.fuse import Fuser
from DiffuFuseMedLib.tasks.fuse.predict import Wanted, fuse_case, settings_of

MODELS = ("clin-fusediff-student", "clin-fusediff-teacher")
STS_010 = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def case():
    """STS_010 around its lesion."""
    return load_case(STS_010).cropped((20, 30, 30), (32, 110, 126))


@pytest.fixture(scope="module")
def engine(tmp_path_factory, fusion_models):
    """With untrained networks: what is tested is what stands around them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
        with Engine(folder=tmp_path_factory.mktemp("sessions")) as started:
            started.start()  # it reads the variable now
            yield started


@pytest.fixture(scope="module")
def case_id(engine, case):
    return engine.open(case, timeout=120)


@pytest.mark.parametrize(("plane", "shape"), [("axial", (80, 96)), ("coronal", (12, 96)), ("sagittal", (12, 80))])
def test_a_slice_is_a_gray_picture_with_its_doubt(engine, case_id, plane, shape):
    picture = engine.fuse_slice(case_id, plane, 6).result(120)
    assert picture.image.shape == picture.uncertainty.shape == shape
    assert picture.image.dtype == picture.uncertainty.dtype == np.float32
    assert 0 <= picture.image.min() < picture.image.max() <= 1
    assert 0 <= picture.uncertainty.min() <= picture.uncertainty.max() <= 1


def test_the_same_values_and_seed_give_the_same_picture_and_others_another(engine, case_id):
    ask = {"case_id": case_id, "plane": "axial", "index": 6}
    first, again = (engine.fuse_slice(settings={"alpha": 1.0, "beta": 0.0}, **ask).result(120) for _ in range(2))
    other = engine.fuse_slice(settings={"alpha": 0.0, "beta": 1.0}, **ask).result(120)
    np.testing.assert_array_equal(first.image, again.image)
    assert np.abs(first.image - other.image).max() > 0.02


def test_without_uncertainty_the_same_picture_comes_alone(engine, case_id):
    ask = {"case_id": case_id, "plane": "axial", "index": 4}
    alone = engine.fuse_slice(uncertainty=False, **ask).result(120)
    assert alone.uncertainty is None
    for _ in range(2):
        whole = engine.fuse_slice(**ask).result(120)
        np.testing.assert_array_equal(whole.image, alone.image)
        assert whole.uncertainty.max() > 0
    assert engine.fuse_slice(uncertainty=False, **ask).result(120).uncertainty is None


def test_another_lesion_is_what_gamma_protects(engine, case, case_id):
    def picture():
        return engine.fuse_slice(case_id, "axial", 6, {"gamma": 1.0}).result(120).image

    before, lesion = picture(), np.zeros(case.grid.shape, bool)
    lesion[4:9, 30:50, 30:60] = True
    engine.replace_rois(case_id, lesion=lesion).result(120)
    assert not np.array_equal(picture(), before)
    engine.replace_rois(case_id).result(120)
    np.testing.assert_array_equal(picture(), before)


def test_a_volume_tells_its_progress_and_how_it_was_made(engine, case, case_id):
    told = []
    volume = engine.fuse_volume(case_id, {"alpha": 0.25}, progress=lambda *report: told.append(report)).result(120)
    assert volume.image.shape == volume.uncertainty.shape == case.grid.shape
    assert told[-1][0] <= 1
    assert volume.provenance["student"]["id"] == MODELS[0]
    assert "teacher" not in volume.provenance  # it did not draw
    assert len(volume.provenance["student"]["sha256"]) == 64
    assert (volume.provenance["alpha"], volume.provenance["guided"]) == (0.25, False)
    assert set(volume.flicker) == {"axial", "coronal", "sagittal"}


def test_a_volume_is_cancelled_between_its_steps(engine, case_id, failure):
    handle = engine.fuse_volume(case_id, {"samples": 8})
    handle.cancel(grace_s=60)
    assert failure(handle, 60).code == "cancelled"
    assert engine.fuse_slice(case_id, "axial", 6).result(120).image.any()


BAD = {
    "a setting that does not exist": ({"settings": {"delta": 1}}, "delta"),
    "a slider beyond its end": ({"settings": {"alpha": 1.5}}, "alpha=1.5"),
    "a slider that is no number": ({"settings": {"gamma": "much"}}, "gamma='much'"),
    "a window of one number": ({"settings": {"ct_window_hu": [40]}}, "ct_window_hu"),
    "half a step": ({"settings": {"steps": 1.5}}, "steps=1.5"),
    "no samples": ({"settings": {"samples": 0}}, "samples=0"),
    "a seed in words": ({"settings": {"seed": "one"}}, "seed='one'"),
    "an MR that is not there": ({"mri": "MR_T2"}, "MR_T2"),
    "a plane that does not exist": ({"plane": "oblique"}, "oblique"),
    "a slice outside of the case": ({"index": 5000}, "5000"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_fused_is_one_error(engine, case_id, failure, change, words):
    error = failure(engine.fuse_slice(**{"case_id": case_id, "plane": "axial", "index": 6, **change}), 60)
    assert (error.code, words in str(error)) == ("input", True)


def test_a_case_without_ct_is_one_error(engine, case, failure):
    other = engine.open(replace(case.only(("PET", "MR_T1")), reference="MR_T1"), timeout=120)
    error = failure(engine.fuse_slice(other, "axial", 6), 60)
    assert (error.code, "CT" in str(error)) == ("input", True)


def test_a_new_lesion_keeps_the_anatomy_and_gives_what_a_fresh_case_would(case, fusion_models, monkeypatch):
    """In this process: how often soft tissue and bone are looked for, and that nothing else tells the two apart."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    made, real = [], rois.anatomy_rois
    monkeypatch.setattr(rois, "anatomy_rois", lambda *given: made.append(1) or real(*given))
    lesion = case.reference_mask.array > 0
    moved = np.roll(lesion, 5, axis=2)
    edited = _pictures(case, [lesion, moved, None])
    assert len(made) == 1
    for pictures, mask in zip(edited, (lesion, moved, None), strict=True):
        (fresh,) = _pictures(case, [mask])
        for one, other in zip(pictures, fresh, strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(edited[0][0], edited[1][0])


def test_who_is_made_to_stand_back_holds_nothing_that_others_want(case, fusion_models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    bench, held = Workbench(), []

    def free(lock):
        return lock.acquire(blocking=False) and lock.release() is None

    def stand_back():
        locks = (bench._lock, bench._cases["case"].lock)
        with ThreadPoolExecutor(1) as other:  # whoever holds a lock may take it again, so another has to ask
            held.append([not other.submit(free, lock).result() for lock in locks])
        return False

    context = Context(SimpleNamespace(map=lambda packed: packed), lambda *_: None, stand_back)
    bench.open(protocol.Open(1, "case", case), context)
    bench.fuse_volume(protocol.FuseVolume(2, "case", {"samples": 1}), context)
    assert held
    assert not np.any(held)


@pytest.fixture
def large(case, fusion_models, monkeypatch):
    """A Workbench with the case, which is a large one to it."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    monkeypatch.setattr(rois.quick, "LARGE_VOXELS", 1000)
    monkeypatch.setattr(rois.quick, "THINNED_VOXELS", 30_000)
    context = Context(SimpleNamespace(map=lambda packed: packed), lambda *_: None, lambda: False)
    bench = Workbench()
    bench.open(protocol.Open(1, "case", case), context)
    settings = {"gamma": 1.0, "samples": 2}
    bench.ask_slice = lambda: bench.fuse_slice(protocol.FuseSlice(2, "case", "axial", 6, settings), context)
    bench.ask_volume = lambda: bench.fuse_volume(protocol.FuseVolume(3, "case", settings), context)
    bench.ask_rois = lambda **given: bench.rois(protocol.ReplaceRois(4, "case", **given), context)
    return bench


def test_a_slice_of_a_large_case_waits_for_no_rois_and_says_that_it_is_rough(large, case, monkeypatch):
    rough = large.ask_slice()
    assert rough["rough"]
    large.ask_volume()
    exact = large.ask_slice()
    assert not exact["rough"]
    assert np.abs(exact["image"] - rough["image"]).max() > 0.01
    monkeypatch.setattr(rois.quick, "LARGE_VOXELS", 10**9)
    (fresh,) = _pictures(case, [None])
    np.testing.assert_array_equal(exact["image"], fresh[0])


def test_slices_of_a_large_case_are_drawn_while_its_rois_are_found(large, monkeypatch):
    let, found, real = threading.Event(), threading.Event(), rois.anatomy_rois

    def slowly(pair):
        found.set()
        assert let.wait(120)
        return real(pair)

    monkeypatch.setattr(rois, "anatomy_rois", slowly)
    with ThreadPoolExecutor(1) as other:
        volume = other.submit(large.ask_volume)
        assert found.wait(120)
        assert large.ask_slice()["rough"]
        assert not volume.done()
        let.set()
        assert volume.result(120)["image"].any()
    assert not large.ask_slice()["rough"]


def test_given_rois_are_never_rough_and_a_lesion_joins_rough_ones(large, case):
    large.ask_slice()
    lesion = case.reference_mask.array > 0
    large.ask_rois(lesion=lesion)
    assert large.ask_slice()["rough"]
    large.ask_rois(rois=rois.automatic_rois(case, lesion))
    assert not large.ask_slice()["rough"]


@pytest.fixture
def with_organs(monkeypatch):
    """TotalSegmentator as if it were installed: it finds a block of bone that no threshold finds."""

    def found(case, *_):
        automatic = rois.automatic_rois(case)
        bone = automatic.bone.copy()
        bone[2:6, 40:60, 40:60] = automatic.inside[2:6, 40:60, 40:60]
        return replace(automatic, bone=bone, soft=automatic.soft & ~bone, source={"bone": "TotalSegmentator's bones"})

    monkeypatch.setattr(rois.case, "totalsegmentator_rois", found)
    monkeypatch.setattr(rois.case, "why_not_totalsegmentator", lambda case=None: "")


@pytest.fixture
def at_the_bench(case, fusion_models, monkeypatch):
    """A function of a lesion: what the engine answers to a request for the volume and to one to judge it."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    context = Context(SimpleNamespace(map=lambda packed: packed), lambda *_: None, lambda: False)

    def ask(lesion, settings, draw_first=False):
        bench = Workbench()
        bench.open(protocol.Open(1, "case", case, None, lesion), context)
        if draw_first:
            assert bench.fuse_slice(protocol.FuseSlice(2, "case", "axial", 6, settings), context)["rough"]
        volume = bench.fuse_volume(protocol.FuseVolume(3, "case", settings), context)
        return volume, bench.judge_fusion(protocol.JudgeFusion(4, "case", volume["image"], settings), context)

    return ask


@pytest.mark.parametrize("organs", [False, True], ids=["from HU", "with TotalSegmentator"])
def test_engine_and_command_line_fuse_bit_for_bit_the_same_and_judge_it_alike(
    case, at_the_bench, fusion_models, organs, request
):
    if organs:
        request.getfixturevalue("with_organs")
    lesion, settings = case.reference_mask.array > 0, {"alpha": 0.3, "gamma": 1.0, "samples": 2}
    volume, found = at_the_bench(lesion, settings, draw_first=organs)
    fusion = fuse_case(case, Fuser.shipped("cpu"), Wanted(settings_of(None, settings), lesion=lesion))
    np.testing.assert_array_equal(volume["image"], fusion.fused.image)
    np.testing.assert_array_equal(volume["uncertainty"], fusion.fused.uncertainty)
    for name in ("soft", "bone", "lesion", "inside"):
        np.testing.assert_array_equal(getattr(found.rois, name), getattr(fusion.rois, name))
    assert found.rois.source == fusion.rois.source
    assert ("TotalSegmentator" in found.rois.source["bone"]) == organs
    assert list(found.metrics) == list(fusion.metrics)
    for name, row in fusion.metrics.items():
        assert found.metrics[name] == pytest.approx(row, nan_ok=True, abs=0, rel=0)
    drawn, *others = fusion.notes  # what gamma did is for a host to say: it knows whose the lesion is
    assert "with gamma 1" in drawn
    assert (found.flicker, found.notes) == (fusion.fused.flicker, tuple(others))


def test_a_fused_volume_is_judged_through_the_real_engine_and_its_image_leaves_no_file(engine, case, case_id):
    settings = {"alpha": 0.25, "samples": 2}
    volume = engine.fuse_volume(case_id, settings).result(120)
    before = len(list(engine.folder.iterdir()))
    found = engine.judge_fusion(case_id, volume.image, settings).result(120)
    assert next(iter(found.metrics)) == "fused" and len(found.metrics) > 4
    assert found.flicker == volume.flicker
    assert found.rois.bone.shape == case.grid.shape
    assert "The lesion region is empty." not in found.notes
    assert len(list(engine.folder.iterdir())) == before


def test_an_image_of_another_shape_is_not_judged(engine, case_id, failure):
    error = failure(engine.judge_fusion(case_id, np.zeros((2, 2, 2), np.float32), {}), 60)
    assert (error.code, "the fused image" in str(error)) == ("input", True)


def _pictures(case, lesions):
    """A slice, a slice without lesion and the volume, for each lesion in turn; the first is given with the case."""
    arrays = SimpleNamespace(map=lambda packed: packed)
    context = Context(arrays, lambda *_: None, lambda: False)
    bench, pass_on = Workbench(), lambda value, _: value
    settings, found = {"gamma": 1.0, "samples": 2}, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "unpack", pass_on)
        bench.open(protocol.Open(1, "case", case, None, lesions[0]), context)
        for number, lesion in enumerate(lesions):
            if number:
                bench.rois(protocol.ReplaceRois(2, "case", None, lesion), context)
            ask = [protocol.FuseSlice(3, "case", "axial", k, settings) for k in (6, 0)]
            volume = bench.fuse_volume(protocol.FuseVolume(4, "case", settings), context)
            found.append([*(bench.fuse_slice(a, context)["image"] for a in ask), volume["image"]])
    return found


def test_the_doubt_of_a_slice_gives_way_to_the_next_scroll_step(engine, case_id, failure):
    slow = engine.fuse_slice(case_id, "axial", 2, {"samples": 32, "seed": 5}, view="one")
    next_step = engine.fuse_slice(case_id, "axial", 3, {"samples": 32, "seed": 5}, view="one", uncertainty=False)
    assert next_step.result(120).image.any()
    assert failure(slow, 60).code == "superseded"
    assert engine.fuse_slice(case_id, "axial", 2, {"samples": 4, "seed": 5}).result(120).uncertainty.any()


def test_a_scroll_step_that_is_being_drawn_still_comes(engine, case_id):
    steps = [engine.fuse_slice(case_id, "coronal", k, view="one", uncertainty=False) for k in (20, 21)]
    running = steps[0].future.exception(60)
    assert running is None or running.code == "superseded"  # queued ones give way, the one that runs does not
    assert steps[1].result(120).image.any()
