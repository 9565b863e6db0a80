"""The engine puts a synthetic tumor into an open case and tells what a segmenter makes of it."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.engine.server import handlers, probing
from DiffuFuseMedLib.engine.server.context import Context
from DiffuFuseMedLib.engine.server.failures import UnknownCaseError
from DiffuFuseMedLib.engine.server.handlers import Workbench
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.settings import Settings

SPOT = (7, 16, 26)  # k, j, i of the cut thigh, in muscle


@pytest.fixture(scope="module")
def case(with_tumor):
    return with_tumor("thigh", 4, 6.0).cropped((12, 4, 4), (28, 60, 56))


@pytest.fixture(scope="module")
def installed(models, synthesizers, inpainters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe") / "models"
    for source in (models, synthesizers, inpainters):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def bench(case, installed, monkeypatch):
    """ask(**fields of the request), told: progress; stop(): cancel from the next look on."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(installed))
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    told, stopped = [], []
    arrays = SimpleNamespace(map=lambda packed: packed)
    context = Context(arrays, lambda *said: told.append(said), lambda: bool(stopped))
    bench = Workbench()
    bench.open(protocol.Open(1, "case", case.unscored()), context)
    given = {"case_id": "case", "synthesizer": "tiny-synthesizer", "model": "tiny", "diameter_mm": 20.0}
    given |= {"inpainter": "tiny-inpainter", "samples": 1, "seed": 4, "device": "cpu"}
    given |= {"center_lps": [float(mm) for mm in case.grid.to_physical(np.array(SPOT[::-1]))]}
    ask = lambda **others: bench.probe(protocol.Probe(2, **{**given, **others}), context)  # noqa: E731
    return SimpleNamespace(ask=ask, told=told, stop=lambda: stopped.append(True), bench=bench, context=context)


@pytest.fixture
def looks(case, installed, monkeypatch):
    """What the segmenter was asked to look at, each case; it says the same of all."""
    one, asked = predict(case.unscored(), zoo.load("tiny", folder=installed), Settings(1, 4)), []
    monkeypatch.setattr(probing, "predict", lambda *told: asked.append(told[0]) or one)
    return asked


def lesion_of(case):
    return case.reference_mask.array > 0


def test_the_tumor_lies_where_it_was_asked_for_in_images_without_the_lesion(bench, case):
    found = bench.ask(lesion=lesion_of(case))
    assert found["mask"][SPOT] and found["volumes"].keys() == case.volumes.keys()
    np.testing.assert_allclose(found["center_lps"], case.grid.to_physical(np.array(SPOT[::-1])))
    drawn = lesion_of(case) & ~found["mask"]
    pet, before = found["volumes"]["PET"], case.volumes["PET"].array
    assert (pet[drawn] != before[drawn]).mean() > 0.9, "the lesion was taken out"
    assert found["notes"] == ["The case's own lesion was taken out by tiny-inpainter first."]
    far = ~lesion_of(case)
    far[:, 4:44, 6:48] = False
    assert far.any()
    np.testing.assert_array_equal(pet[far], before[far])


def test_what_is_called_lesion_is_what_the_segmenter_says_of_these_images(bench, case, installed):
    found = bench.ask()
    images = {key: case.volumes[key].with_array(array) for key, array in found["volumes"].items()}
    seen = SimpleNamespace(**{**vars(case.unscored()), "volumes": images})
    again = type(case)(**vars(seen))
    wanted = predict(again, zoo.load("tiny", folder=installed), Settings(1, 4)).labels > 0
    np.testing.assert_array_equal(found["called"], wanted)
    assert found["modalities"] == ["CT", "PET", "MR_T1"]
    assert found["probed"].diameter_mm == 20.0 and 0 <= found["probed"].iou <= 1
    assert found["models"]["segmenter"].id == "tiny" and found["models"]["synthesizer"].id == "tiny-synthesizer"
    bare = predict(case.unscored(), zoo.load("tiny", folder=installed), Settings(1, 4)).labels > 0
    assert found["false_ml"] == pytest.approx(bare.sum() * case.grid.voxel_mm3 / 1000)
    assert found["probed"].before == pytest.approx(bare[found["mask"]].mean())
    fewer = bench.ask(modalities=["CT", "PET"])
    assert fewer["modalities"] == ["CT", "PET"] and "MR_T1" in fewer["volumes"]


def test_a_lesion_that_stays_is_kept_off(bench, case):
    found = bench.ask(lesion=lesion_of(case), inpainter="", center_lps=None)
    assert not (found["mask"] & lesion_of(case)).any() and any("is there still" in note for note in found["notes"])
    on_it = np.argwhere(lesion_of(case)).mean(axis=0)[::-1]
    with pytest.raises(InputError, match="within 15 mm of a lesion"):
        bench.ask(lesion=lesion_of(case), inpainter="", center_lps=list(case.grid.to_physical(on_it)))


def test_the_lesion_is_taken_out_once_for_many_tumors_and_anew_where_it_is_another(bench, case, looks, monkeypatch):
    times = []
    monkeypatch.setattr(probing, "without_lesion", lambda case, *_: times.append(case) or case)
    lesion = lesion_of(case)
    for seed in (1, 2):
        bench.ask(lesion=lesion, seed=seed, center_lps=None)
    assert len(times) == 1
    bench.ask(lesion=np.roll(lesion, 1, axis=0), center_lps=None)
    bench.ask(lesion=lesion, inpainter="", center_lps=None)
    bench.bench.open(protocol.Open(1, "case", case.unscored()), bench.context)
    bench.ask(lesion=lesion, inpainter="", center_lps=None)
    bench.bench.relieve()
    bench.ask(lesion=lesion, inpainter="", center_lps=None)
    assert len(times) == 5


def test_the_case_without_a_tumor_is_looked_at_once_for_each_model_and_set_of_images(bench, looks):
    for modalities in (None, None, ["CT", "PET"]):
        bench.ask(modalities=modalities)
    assert [len(seen.modalities) for seen in looks] == [3, 3, 3, 2, 2]
    bench.ask(modalities=["CT", "PET"], samples=2)
    assert len(looks) == 7


def test_progress_goes_on_through_all_of_it_and_a_cancel_is_heard(bench, case):
    bench.ask(lesion=lesion_of(case))
    shares = [share for share, _ in bench.told]
    words = {words for _, words in bench.told}
    assert shares == sorted(shares) and {"removing the lesion", "drawing the tumor"} <= words
    assert max(shares) > 0.9
    bench.stop()
    with pytest.raises(CancelledError):
        bench.ask()


def test_what_cannot_be_is_refused_in_a_sentence(bench, case):
    wrong = {
        "no soft tissue": {"center_lps": [float(mm) for mm in np.array(case.grid.origin) + 20]},
        "outside of the images": {"center_lps": [1e5, 0.0, 0.0]},
        "three in mm": {"center_lps": [1.0]},
        "5 to 300": {"diameter_mm": 2.0},
        "1 to 64": {"samples": 0},
        "makes no tumors": {"synthesizer": "tiny-inpainter"},
        "which does not segment|segment": {"model": "tiny-inpainter"},
        "the lesion of shape": {"lesion": np.zeros((1, 2, 3), bool)},
    }
    for why, fields in wrong.items():
        with pytest.raises(InputError, match=why):
            bench.ask(**fields)
    with pytest.raises(UnknownCaseError):
        bench.ask(case_id="another")
