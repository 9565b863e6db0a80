"""A compressed model: smaller, intact, with the record, the calibration and very nearly the answers that it had."""

import shutil
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import registry, zoo
from DiffuFuseMedLib.models.compress import compress
from DiffuFuseMedLib.models.eight_bit import SCALE
from safetensors.torch import load_file, save_file

OF_THE_FILES = {"sha256": "", "stages": {}, "members": {}}


@pytest.fixture(scope="module")
def given(panel_models, tmp_path_factory):
    """A panel whose first member has a card."""
    folder = shutil.copytree(panel_models, tmp_path_factory.mktemp("given") / "models")
    (folder / "tiny" / registry.CARD).write_text("# tiny", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(given, tmp_path_factory):
    """What became of the panel."""
    made = tmp_path_factory.mktemp("compressed")
    compress("panel", made, given)
    return made


def test_a_panel_comes_with_its_members_and_is_intact(out, given):
    panel = zoo.verify("panel", out)
    assert panel.members == {name: registry.record(name, out).sha256 for name in ("tiny", "other")}
    assert panel.members != registry.record("panel", given).members


@pytest.mark.parametrize("name", ["panel", "tiny", "other"])
def test_the_record_and_the_card_are_as_they_were_but_for_the_files(out, given, name):
    before, after = (registry.record(name, folder) for folder in (given, out))
    assert replace(after, **OF_THE_FILES) == replace(before, **OF_THE_FILES)
    before, after = (registry.card(name, folder) for folder in (given, out))
    assert (before and before.read_text()) == (after and after.read_text()) == ("# tiny" if name == "tiny" else None)


def test_the_answers_are_very_nearly_the_same_from_smaller_files(out, given):
    sizes = [registry.weights_bytes(registry.record("tiny", folder), folder) for folder in (given, out)]
    assert sizes[1] < sizes[0]
    before, after = (zoo.load("tiny", folder=folder).network.state_dict() for folder in (given, out))
    off = sum((after[name] - value).square().sum() for name, value in before.items())
    assert 0 < off < 1e-4 * sum(value.square().sum() for value in before.values())
    assert {value.dtype for value in after.values()} == {torch.float32}


def test_a_compressed_model_compressed_again_is_the_same(out, tmp_path):
    again = compress("tiny", tmp_path, out)
    assert again.sha256 == registry.record("tiny", out).sha256
    assert zoo.load("tiny", folder=tmp_path).record == again


def test_a_scale_that_is_no_number_is_refused(out, tmp_path):
    folder = shutil.copytree(out, tmp_path / "models")
    state = load_file(folder / "tiny" / registry.WEIGHTS)
    state[next(name for name in state if name.endswith(SCALE))][:] = 1e9  # beyond float16
    save_file(state, folder / "tiny" / registry.WEIGHTS)
    record = replace(registry.record("tiny", folder), sha256=zoo.sha256_of(folder / "tiny" / registry.WEIGHTS))
    registry.write_record(record, folder / "tiny")
    with pytest.raises(InputError, match="NaN or infinity"):
        zoo.load("tiny", folder=folder)


def test_a_model_of_that_id_is_not_written_over(out, given):
    with pytest.raises(InputError, match="has the model tiny already"):
        compress("tiny", out, given)


def test_a_model_of_stages_is_intact(tmp_path, synthesizers):
    compress("tiny-synthesizer", tmp_path, synthesizers)
    before, after = (zoo.verify("tiny-synthesizer", folder) for folder in (synthesizers, tmp_path))
    assert list(after.stages) == list(before.stages) != [] and after.stages != before.stages


def test_a_damaged_model_is_not_compressed(given, tmp_path):
    folder = shutil.copytree(given, tmp_path / "models")
    weights = folder / "tiny" / registry.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(InputError, match="weights of tiny"):
        compress("tiny", tmp_path / "out", folder)
    assert not (tmp_path / "out").exists()
