"""A panel is a record of other models: it is for what the first is for, and only of the very weights it was made of."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import registry, zoo
from DiffuFuseMedLib.models.panel import deciding_members, make_panel
from DiffuFuseMedLib.models.registry import ModelRecord


@pytest.fixture
def copied(panel_models, tmp_path):
    """A copy of the models that a test may spoil."""
    return shutil.copytree(panel_models, tmp_path / "models")


def test_the_record_tells_of_all_its_members_and_is_for_the_cases_of_the_first(panel_models):
    panel, tiny, other = (registry.record(name, panel_models) for name in ("panel", "tiny", "other"))
    assert panel.members == {"tiny": tiny.sha256, "other": other.sha256}
    assert panel.task == "segment" and panel.files == {} and panel.modalities == ("CT", "PET", "MR_T1")
    assert panel.window == tiny.window
    assert panel.licence == "none; none of its own"
    assert panel.training["patients"] == ["trained_on", "other_patient"]
    assert panel.training["held_out"] == ["kept"], "what one of them was trained on is held out of neither"


def test_a_fresh_panel_is_for_the_cases_of_the_first_and_has_no_calibration(copied):
    for name, extent in (("other", [10, 20]), ("tiny", [30, 40])):
        record = replace(registry.record(name, copied), domain={"extent_mm": extent})
        zoo.write_record(record, copied / name)
    made = make_panel("fresh", ["other", "tiny"], copied)
    assert made.domain == {"extent_mm": [10, 20]} and made.calibration == {}
    assert list(registry.record("fresh", copied).members) == ["other", "tiny"]


def test_the_record_tells_how_many_decide(copied):
    assert deciding_members(make_panel("two", ["tiny", "other"], copied, deciding=2)) == 2
    assert deciding_members(registry.record("two", copied)) == 2
    assert deciding_members(registry.record("panel", copied)) == 1
    for number in (0, 3):
        with pytest.raises(InputError, match=f"{number} deciding members of 2"):
            make_panel("wrong", ["tiny", "other"], copied, deciding=number)
    assert not (copied / "wrong").exists()


def test_a_loaded_panel_has_its_members_and_the_network_of_the_first(a_panel):
    assert [member.record.id for member in a_panel.members] == ["tiny", "other"]
    assert a_panel.network is a_panel.members[0].network
    assert a_panel.modalities == ("CT", "PET", "MR_T1")


def test_members_that_were_trained_anew_are_not_what_the_panel_was_calibrated_for(copied):
    network = zoo.load("other", folder=copied).network
    with torch.no_grad():
        next(network.parameters()).add_(1)
    facts = {"id": "other", "system": "unet", "window": registry.record("other", copied).window, "licence": "none"}
    zoo.save(network, facts, copied / "other")
    for ask in (lambda: zoo.load("panel", folder=copied), lambda: zoo.verify("panel", copied)):
        with pytest.raises(InputError, match="other, a member of panel, with sha256"):
            ask()


def test_a_damaged_member_is_found_when_the_panel_is_verified(copied):
    weights = copied / "other" / registry.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(InputError, match="weights of other"):
        zoo.verify("panel", copied)


def test_a_member_that_is_not_there_is_named(copied):
    shutil.rmtree(copied / "other")
    with pytest.raises(InputError, match="the model 'other'"):
        zoo.load("panel", folder=copied)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (["tiny"], "a panel of tiny"),
        (["tiny", "tiny"], "two different models"),
        (["tiny", "panel"], "the panel panel"),
        (["tiny", "../tiny"], "does not lie in"),
        (["tiny", "nobody"], "the member 'nobody', which does not lie in"),
    ],
)
def test_a_panel_is_of_different_networks(copied, members, told):
    with pytest.raises(InputError, match=told):
        make_panel("new", members, copied)
    assert not (copied / "new").exists()


def test_what_fuses_reads_no_case(copied, fusion_models):
    shutil.copytree(fusion_models / "clin-fusediff-student", copied / "clin-fusediff-student")
    with pytest.raises(InputError, match="a model that segments"):
        make_panel("new", ["tiny", "clin-fusediff-student"], copied)


@pytest.mark.parametrize("name", ["tiny", "panel", "../escape", "/abs", ".", "", "my panel"])
def test_nothing_that_is_there_is_written_over_and_an_id_is_a_plain_name(copied, name):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="the id"):
        make_panel(name, ["tiny", "other"], copied)
    assert {path: path.read_bytes() for path in copied.parent.rglob("*") if path.is_file()} == before


def test_a_panel_that_names_itself_is_refused_and_not_followed_for_ever(copied):
    record = registry.record("panel", copied)
    zoo.write_record(replace(record, members={**record.members, "panel": record.sha256}), copied / "panel")
    with pytest.raises(InputError, match="with the panel panel in it"):
        zoo.load("panel", folder=copied)


@pytest.mark.parametrize("name", ["../other", "/etc", ".hidden", "", "a" * 65])
def test_a_record_names_no_path_as_a_member(name):
    with pytest.raises(InputError, match="the id of a model"):
        ModelRecord("p", "panel", {}, {}, "0", "none", members={"tiny": "0", name: "1"})


def test_a_record_of_one_member_is_none():
    with pytest.raises(InputError, match="a panel of tiny alone"):
        ModelRecord("p", "panel", {}, {}, "0", "none", members={"tiny": "0"})


def test_a_panel_has_no_weights_to_start_a_training_from(panel_models):
    with pytest.raises(InputError, match="panel, a panel of other models"):
        zoo.weights("panel", panel_models)


def test_the_members_are_part_of_the_records_checksum(copied):
    file = copied / "panel" / registry.RECORD
    values = json.loads(file.read_text())
    values["members"] = dict(reversed(values["members"].items()))
    file.write_text(json.dumps(values))
    registry.record("panel", copied)  # the order of keys is no change to JSON
    values["members"]["third"] = "0"
    file.write_text(json.dumps(values))
    with pytest.raises(InputError, match="changed or damaged"):
        registry.record("panel", copied)


def test_its_size_is_that_of_its_members_files(panel_models):
    sizes = [(panel_models / name / registry.WEIGHTS).stat().st_size for name in ("tiny", "other")]
    panel, tiny = (registry.record(name, panel_models) for name in ("panel", "tiny"))
    assert registry.weights_bytes(panel, panel_models) == sum(sizes)
    assert registry.weights_bytes(tiny, panel_models) == sizes[0]
