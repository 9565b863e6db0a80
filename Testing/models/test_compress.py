"""A compressed model: smaller, intact, with the record, the calibration and very nearly the answers that it had."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import registry, zoo
from DiffuFuseMedLib.models.compress import compress

OF_THE_FILES = {"sha256": "", "stages": {}, "members": {}}


@pytest.fixture(scope="module")
def out(panel_models, tmp_path_factory):
    """What became of the panel."""
    made = tmp_path_factory.mktemp("compressed")
    compress("panel", made, panel_models)
    return made


def test_a_panel_comes_with_its_members_and_is_intact(out, panel_models):
    panel = zoo.verify("panel", out)
    assert panel.members == {name: registry.record(name, out).sha256 for name in ("tiny", "other")}
    assert panel.members != registry.record("panel", panel_models).members


@pytest.mark.parametrize("name", ["panel", "tiny", "other"])
def test_the_record_and_the_card_are_as_they_were_but_for_the_files(out, panel_models, name):
    before, after = (registry.record(name, folder) for folder in (panel_models, out))
    assert replace(after, **OF_THE_FILES) == replace(before, **OF_THE_FILES)
    cards = [registry.card(name, folder) for folder in (panel_models, out)]
    assert [card and card.read_text() for card in cards[:1]] == [card and card.read_text() for card in cards[1:]]


def test_the_answers_are_very_nearly_the_same_from_smaller_files(out, panel_models):
    sizes = [registry.weights_bytes(registry.record("tiny", folder), folder) for folder in (panel_models, out)]
    assert sizes[1] < sizes[0]
    before, after = (zoo.load("tiny", folder=folder).network.state_dict() for folder in (panel_models, out))
    off = sum((after[name] - value).square().sum() for name, value in before.items())
    assert 0 < off < 1e-4 * sum(value.square().sum() for value in before.values())
    assert {value.dtype for value in after.values()} == {torch.float32}


def test_a_model_of_that_id_is_not_written_over(out, panel_models):
    with pytest.raises(InputError, match="has the model tiny already"):
        compress("tiny", out, panel_models)


def test_a_model_of_stages_is_intact(tmp_path, synthesizers):
    compress("tiny-synthesizer", tmp_path, synthesizers)
    before, after = (zoo.verify("tiny-synthesizer", folder) for folder in (synthesizers, tmp_path))
    assert list(after.stages) == list(before.stages) != [] and after.stages != before.stages
