"""`diffufusemed models`: two installed segmenters become one model, and a model takes half the room."""

import shutil

import pytest
from DiffuFuseMedLib.models import registry


@pytest.fixture
def installed(panel_models, tmp_path, monkeypatch, command):
    folder = shutil.copytree(panel_models, tmp_path / "models")
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(folder))
    return folder


def test_a_panel_is_made_listed_and_verified(command, installed):
    code, said, _ = command("models", "panel", "both", "other", "tiny")
    assert code == 0 and "both was written" in said and "diffufusemed calibrate" in said
    assert list(registry.record("both", installed).members) == ["other", "tiny"]
    assert "both" in command("models", "list")[1]
    assert "both: the weights are intact." in command("models", "verify", "both")[1]


def test_a_panel_without_a_calibration_is_not_run(command, installed, write_case, a_case, tmp_path):
    command("models", "panel", "both", "other", "tiny")
    case = write_case(a_case(), tmp_path / "case")
    code, _, told = command("run", case, "--model", "both", "--out", tmp_path / "out")
    assert code != 0 and "without a calibration" in told


def test_a_panel_of_one_is_refused_in_a_sentence(command, installed):
    code, _, told = command("models", "panel", "both", "tiny")
    assert code != 0 and "two different models or more" in told
    code, _, told = command("models", "panel", "panel", "other", "tiny")
    assert code != 0 and "the id panel, which is there already" in told
    assert not (installed / "both").exists()


def test_a_model_is_compressed_into_another_folder_and_never_onto_itself(command, installed, tmp_path):
    out = tmp_path / "small"
    code, said, _ = command("models", "compress", "panel", "--out", out)
    assert code == 0 and "MB before" in said and {path.name for path in out.iterdir()} == {"panel", "tiny", "other"}
    again = command("models", "compress", installed / "tiny", "--out", tmp_path / "alone")
    assert again[0] == 0 and (tmp_path / "alone" / "tiny").is_dir()
    renamed = shutil.copytree(installed / "other", tmp_path / "renamed")
    code, said, err = command("models", "compress", renamed, "--out", tmp_path / "alone")
    assert code == 0 and " 0.0 MB before" not in said and (tmp_path / "alone" / "other").is_dir(), err
    code, _, told = command("models", "compress", "panel", "--out", installed)
    assert code != 0 and "has the model panel already" in told


def test_a_training_without_a_name_is_of_a_recipe_and_not_of_the_default_panel():
    from DiffuFuseMedLib.cli.train import DEFAULT_RECIPE
    from DiffuFuseMedLib.tasks.segment.recipes import RECIPES

    assert DEFAULT_RECIPE in RECIPES
    assert registry.DEFAULT_MODEL not in RECIPES
