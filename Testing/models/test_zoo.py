"""The model zoo: a model comes back as it was saved, and one that was changed, damaged or unknown does not load."""

import json
import shutil

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
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
    path = models / "first" / zoo.RECORD
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


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
