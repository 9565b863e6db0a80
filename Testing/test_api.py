"""The three calls of a script: predict, fuse, write_report."""

import numpy as np
import pytest
from DiffuFuseMedLib import InputError, api, fuse, list_models, predict, write_report
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.tasks.segment import predict as segmenting
from DiffuFuseMedLib.tasks.segment.settings import Settings


@pytest.fixture
def shipped(models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))


@pytest.fixture
def fuser(an_average_fuser, monkeypatch):
    monkeypatch.setattr(api, "Fuser", an_average_fuser)


@pytest.fixture(scope="module")
def prediction(a_case, a_model):
    return predict(a_case(), a_model, samples=2, device="cpu")


def test_a_case_is_segmented_by_a_model_s_name(shipped, a_case, prediction):
    named = predict(a_case(), "tiny", samples=2, device="cpu")
    assert np.array_equal(named.probability, prediction.probability)
    assert (named.provenance["model"], named.provenance["samples"]) == ("tiny", 2)


def test_predict_is_what_the_command_line_does(a_case, a_model):
    told = []
    own = predict(a_case(), a_model, samples=1, seed=3, progress=lambda share, words: told.append(share))
    other = segmenting.predict(a_case(), a_model, Settings(samples=1, seed=3))
    assert np.array_equal(own.probability, other.probability)
    assert told[-1] == 1.0


def test_an_unknown_model_is_refused_in_one_sentence(shipped, a_case):
    with pytest.raises(InputError, match=r"the model 'none such'.*tiny"):
        predict(a_case(), "none such")


def test_an_option_reaches_the_system(a_case, a_model):
    ungated = predict(a_case(), a_model, samples=1, options={"gating": False})
    assert list(ungated.gates.values()) == pytest.approx([1 / 3] * 3)
    with pytest.raises(InputError, match="the option 'speed'"):
        predict(a_case(), a_model, samples=1, options={"speed": 2})


def test_the_models_can_be_listed(shipped):
    assert [record.id for record in list_models()] == ["tiny"]


def test_the_sliders_stand_in_place_of_the_preset_s(fuser, a_case):
    fusion = fuse(a_case(), preset="soft-tissue-sarcoma", gamma=0.25, seed=4)
    preset = fusion.preset
    assert preset.name == "soft-tissue-sarcoma"
    settings = fusion.settings
    assert (settings.alpha, settings.beta, settings.gamma, settings.seed) == (preset.alpha, preset.beta, 0.25, 4)


def test_a_fusion_protects_the_lesion_of_a_prediction_or_of_a_mask(fuser, a_case, prediction):
    mask = np.zeros(a_case().grid.shape, bool)
    mask[4:8, 10:20, 10:20] = True
    assert np.array_equal(fuse(a_case(), lesion=mask).masks["lesion"], mask)
    lesion = fuse(a_case(), lesion=prediction).masks["lesion"]
    assert lesion.any()
    assert np.array_equal(lesion, prediction.labels > 0)


def test_a_slider_out_of_its_range_is_refused(fuser, a_case):
    with pytest.raises(InputError, match="alpha"):
        fuse(a_case(), alpha=1.5)


def test_a_report_tells_of_the_prediction_and_of_the_fusion(fuser, a_case, prediction, page_of, tmp_path):
    case = a_case()
    path = write_report(case, tmp_path / "new" / "both.html", prediction, fuse(case))
    text = page_of(path).text
    assert "Against the reference mask" in text and "alpha" in text.lower()
    assert "All images are on the grid of CT" in text


def test_a_report_of_a_fusion_alone_has_no_prediction(fuser, a_case, page_of, tmp_path):
    text = page_of(write_report(a_case(), tmp_path / "fused.html", fusion=fuse(a_case()))).text
    assert "alpha" in text.lower() and "Where it may be wrong" not in text


def test_a_report_of_nothing_is_refused(a_case, tmp_path):
    with pytest.raises(InputError, match="neither a prediction nor a fusion"):
        write_report(a_case(), tmp_path / "none.html")


def test_a_modality_that_the_model_does_not_know_is_told(a_case, prediction):
    case = a_case()
    spect = Volume(np.ones(case.grid.shape, np.float32), case.grid, "SPECT")
    case.volumes["SPECT"], case.valid["SPECT"] = spect, np.ones(case.grid.shape, bool)
    told = api.sentences(case, prediction)
    assert told[-1] == "SPECT was not used: the model tiny was not trained with it."
