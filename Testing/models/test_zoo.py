"""The model zoo: a model comes back as it was saved, and one that was changed, damaged or unknown does not load."""

import json
import shutil
from dataclasses import dataclass, replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.models.record_checks import checksum
from DiffuFuseMedLib.models.registry import CHECKSUM
from DiffuFuseMedLib.systems import SYSTEMS, SystemEntry
from DiffuFuseMedLib.systems.diffufusemed.network import Config, DiffuFuseMed
from safetensors import safe_open

FIELDS = {"system": "diffufusemed", "window": {"shape": [16, 16, 16]}, "licence": "Apache-2.0"}


@pytest.fixture(scope="module")
def a_network():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    one_level = {"channels": (8,), "blocks": (1,), "heads": (2,), "windows": (4,), "summaries": (2,)}
    one_level |= {"transformer_blocks": (1,), "diffusion_steps": (10,)}
    return DiffuFuseMed(Config(("CT", "PET"), spatial_dims=2, stem_channels=8, **one_level)).eval()


@pytest.fixture
def models(a_network, tmp_path):
    """A models folder that holds the model "first"."""
    zoo.save(a_network, {"id": "first", **FIELDS}, tmp_path / "first")
    return tmp_path


def change_record(models, **values):
    """model.json with other values, and the checksum made for them."""
    path = models / "first" / zoo.RECORD
    changed = {**json.loads(path.read_text(encoding="utf-8")), **values}
    changed.pop(CHECKSUM)
    path.write_text(json.dumps({**changed, CHECKSUM: checksum(changed)}), encoding="utf-8")


def test_a_model_comes_back_with_its_config_and_its_weights_to_half_precision(models, a_network):
    model = zoo.load("first", folder=models)
    assert model.network.config == a_network.config
    assert model.modalities == ("CT", "PET")
    assert not model.network.training
    state = model.network.state_dict()
    assert {v.dtype for v in state.values()} == {torch.float32}
    assert all(torch.equal(state[n], v.half().float()) for n, v in a_network.state_dict().items())


def test_a_model_comes_back_answering_as_before(models, a_network):
    images = {m: torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(3)) for m in ("CT", "PET")}
    with torch.no_grad():
        before, after = (
            network.segment(network.encode(images), torch.Generator().manual_seed(0)).logits
            for network in (a_network, zoo.load("first", folder=models).network)
        )
    torch.testing.assert_close(after, before, atol=0.01, rtol=0.01)


def test_weights_are_safetensors_of_half_precision(models):
    with safe_open(models / "first" / zoo.WEIGHTS, "pt") as stream:
        assert {stream.get_tensor(name).dtype for name in stream.keys()} == {torch.float16}  # noqa: SIM118
        assert stream.metadata() == {"system": "diffufusemed"}


@pytest.mark.parametrize("place", [0, 300, -1])
def test_weights_with_one_byte_flipped_are_refused(models, place):
    path = models / "first" / zoo.WEIGHTS
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"sha256.*install the model again"):
        zoo.load("first", folder=models)


def test_weights_of_another_model_are_refused(models, a_network):
    other = DiffuFuseMed(a_network.config)
    zoo.save(other, {"id": "second", **FIELDS}, models / "second")
    shutil.copy(models / "second" / zoo.WEIGHTS, models / "first" / zoo.WEIGHTS)
    with pytest.raises(InputError, match="weights of first with sha256"):
        zoo.verify("first", models)
    assert zoo.verify("second", models).id == "second"


def test_a_model_without_weights_is_refused(models):
    (models / "first" / zoo.WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"first without weights\.safetensors"):
        zoo.load("first", folder=models)


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "first"}', '{"id": "first", "color": 1}', ""])
def test_a_broken_record_is_refused(models, text):
    (models / "first" / zoo.RECORD).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"model\.json of first"):
        zoo.load("first", folder=models)


def test_a_record_in_another_encoding_is_refused(models):
    (models / "first" / zoo.RECORD).write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match=r"unreadable model\.json"):
        zoo.read_record(models / "first")


def test_an_unknown_model_is_refused_with_the_known_ones_listed(models):
    shutil.copytree(models / "first", models / "second")
    with pytest.raises(InputError, match=r"'third'.*\(first, second\)"):
        zoo.load("third", folder=models)


def test_a_model_of_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\(none\)"):
        zoo.verify("first", tmp_path)


def test_a_system_that_this_version_does_not_know_is_refused(models):
    change_record(models, system="unheard-of")
    with pytest.raises(InputError, match=r"'unheard-of'.*'diffufusemed'"):
        zoo.load("first", folder=models)


@pytest.fixture
def both_kinds(models, fusion_models):
    """The folder with "first" and the two models of the fusion."""
    return shutil.copytree(fusion_models, models, dirs_exist_ok=True)


def test_a_model_that_segments_is_loaded_to_segment(both_kinds):
    assert zoo.load_segmenter("first", folder=both_kinds).record.id == "first"


@pytest.mark.parametrize("name", ["clin-fusediff-student", "clin-fusediff-teacher"])
def test_a_model_that_fuses_is_not_and_the_segmenters_are_named(both_kinds, name):
    (both_kinds / name / zoo.WEIGHTS).write_bytes(b"")  # it is said before the weights are read
    with pytest.raises(InputError) as refused:
        zoo.load_segmenter(name, folder=both_kinds)
    assert str(refused.value) == (
        f"Given the model {name}, which fuses, wanted a model that segments (first): "
        "choose a segmenter, see `diffufusemed models list`."
    )


def test_says_so_where_no_segmenter_is_installed(fusion_models):
    with pytest.raises(InputError, match=r"segments \(none is installed\)"):
        zoo.load_segmenter("clin-fusediff-student", folder=fusion_models)


def test_a_system_that_is_unknown_is_refused_as_that_when_it_is_to_segment(models):
    change_record(models, system="unheard-of")
    with pytest.raises(InputError, match="'unheard-of'"):
        zoo.load_segmenter("first", folder=models)


def test_a_folder_in_the_environment_is_the_zoo(models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))
    assert zoo.load("first").record.id == "first"


def test_the_path_of_a_model_folder_is_taken_too(models, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("empty")
    assert zoo.load(str(models / "first"), folder=elsewhere).record.id == "first"


def test_a_record_keeps_what_it_was_given(models):
    record = zoo.read_record(models / "first")
    assert record.window == FIELDS["window"]
    assert record.sha256 == zoo.sha256_of(models / "first" / zoo.WEIGHTS)
    zoo.write_record(record, models / "first")
    assert zoo.read_record(models / "first") == record


@dataclass(frozen=True)
class TwoConfig:
    modalities: tuple[str, ...] = ("CT",)

    @classmethod
    def from_dict(cls, values):
        return cls(tuple(values["modalities"]))


class Two(torch.nn.Module):
    """A system of two networks, one trained after the other."""

    config_type, stages = TwoConfig, ("coarse", "fine")

    def __init__(self, config):
        super().__init__()
        self.config, self.coarse, self.fine = config, torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)


@pytest.fixture
def two_stages(monkeypatch, tmp_path):
    """A models folder with "two", and its network."""
    monkeypatch.setattr(zoo, "network_class", lambda system: Two)
    network = Two(TwoConfig())
    zoo.save(network, {**FIELDS, "id": "two", "system": "two"}, tmp_path / "two")
    return tmp_path, network


def test_each_stage_of_a_system_has_its_own_file_and_comes_back(two_stages):
    folder, network = two_stages
    files = {path.name for path in (folder / "two").iterdir()}
    assert files == {"model.json", "weights.coarse.safetensors", "weights.fine.safetensors"}
    loaded = zoo.load("two", folder=folder).network.state_dict()
    assert all(torch.equal(loaded[name], value.half().float()) for name, value in network.state_dict().items())
    with safe_open(folder / "two" / "weights.fine.safetensors", "pt") as stream:
        assert sorted(stream.keys()) == ["bias", "weight"]
        assert stream.metadata() == {"system": "two"}


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_every_stages_weights_are_checked(two_stages, stage):
    path = two_stages[0] / "two" / f"weights.{stage}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"weights of two \(weights\.{stage}\.safetensors\) with sha256"):
        zoo.load("two", folder=two_stages[0])
    path.unlink()
    with pytest.raises(InputError, match=rf"two without weights\.{stage}\.safetensors"):
        zoo.verify("two", two_stages[0])


def test_a_stage_trained_again_is_another_model(two_stages):
    folder, network = two_stages
    before = zoo.verify("two", folder)
    torch.nn.init.zeros_(network.fine.weight)
    after = zoo.save(network, {**FIELDS, "id": "two", "system": "two"}, folder / "two")
    assert after.stages["coarse"] == before.stages["coarse"]
    assert after.stages["fine"] != before.stages["fine"]
    assert after.sha256 != before.sha256
    zoo.write_record(replace(after, sha256=before.sha256), folder / "two")
    with pytest.raises(InputError, match="the stages of two with sha256"):
        zoo.verify("two", folder)


def test_a_weight_in_no_stage_is_not_lost_silently(two_stages, tmp_path):
    network = two_stages[1]
    network.extra = torch.nn.Linear(1, 1)
    with pytest.raises(ValueError, match=r"extra\.weight is in none of the stages coarse, fine"):
        zoo.save(network, {**FIELDS, "id": "two", "system": "two"}, tmp_path / "other")


def test_a_model_of_one_network_is_recorded_as_it_always_was(models):
    assert "stages" not in json.loads((models / "first" / zoo.RECORD).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("task", "does"), [("synthesize", "synthesizes"), ("denoise", "is for the task 'denoise'")])
def test_nothing_but_a_segmenter_passes_for_one(models, monkeypatch, task, does):
    monkeypatch.setitem(SYSTEMS, "other", SystemEntry(task, "nowhere:Nothing"))
    change_record(models, system="other")
    with pytest.raises(InputError) as refused:
        zoo.load_segmenter("first", folder=models)
    assert str(refused.value) == (
        f"Given the model first, which {does}, wanted a model that segments (none is installed): "
        "choose a segmenter, see `diffufusemed models list`."
    )
