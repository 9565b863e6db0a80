"""The registry: models are listed and told apart without torch, as their folders say."""

import contextlib
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import registry
from DiffuFuseMedLib.models.record_checks import checksum
from DiffuFuseMedLib.systems import SYSTEMS

SHIPPED = Path(__file__).resolve().parents[2] / "models"
WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "monai"):
            raise ImportError(name)

sys.meta_path.insert(0, NoTorch())
from DiffuFuseMedLib import report, review
from DiffuFuseMedLib.io import export
from DiffuFuseMedLib.models import registry
print(*[f"{r.id}:{r.task}" for r in registry.models()])
"""


@pytest.fixture
def a_record():
    config, window = {"modalities": ["CT", "PET"]}, {"shape": [8, 8, 8]}
    return registry.ModelRecord("first", "diffufusemed", config, window, "ab", "none", metrics={"dice": 0.5})


@pytest.fixture
def a_models_folder(a_record, tmp_path):
    """The models "first", with a card, and "second", that fuses, without."""
    for record in (a_record, replace(a_record, id="second", system="clin-fusediff-student")):
        (tmp_path / record.id).mkdir()
        registry.write_record(record, tmp_path / record.id)
    (tmp_path / "first" / registry.CARD).write_text("# first", encoding="utf-8")
    return tmp_path


def test_models_are_listed_in_the_order_of_their_folders(a_models_folder, a_record):
    first, second = registry.models(a_models_folder)
    assert first == a_record
    assert (second.id, second.task) == ("second", "fuse")
    assert (first.task, first.modalities, first.metrics) == ("segment", ("CT", "PET"), {"dice": 0.5})


def test_whom_a_model_was_trained_on_is_told_alike_for_both_tasks(a_record):
    told = [replace(a_record, training=t).patients for t in ({"patients": ["a", "b"]}, {"trained_on": ["c"]}, {})]
    assert told == [("a", "b"), ("c",), ()]


def test_a_card_is_found_where_there_is_one(a_models_folder):
    assert registry.card("first", a_models_folder).read_text(encoding="utf-8") == "# first"
    assert registry.card("second", a_models_folder) is None


def test_a_record_is_found_by_id_and_by_path(a_models_folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("empty")
    assert registry.record("second", a_models_folder).id == "second"
    assert registry.record(str(a_models_folder / "second"), elsewhere).id == "second"


def test_an_unknown_model_is_refused_with_the_known_ones(a_models_folder):
    with pytest.raises(InputError, match=r"'third'.*\(first, second\)"):
        registry.record("third", a_models_folder)


def test_an_empty_folder_has_no_models(tmp_path):
    assert registry.models(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"], ids=["empty", "half", "endless", "no text"])
def test_an_unreadable_record_is_refused(a_models_folder, text):
    (a_models_folder / "second" / registry.RECORD).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=r"unreadable model\.json of second"):
        registry.models(a_models_folder)


WRONG = {
    "a list": (lambda _: [1], "which is no JSON object"),
    "no id": (lambda r: r.pop("id") and r, "no id"),
    "one field too many": (lambda r: r | {"color": 1}, "the unknown field 'color'"),
    "a licence that is a number": (lambda r: r | {"licence": 3}, "a licence of the wrong type"),
    "metrics in a list": (lambda r: r | {"metrics": []}, "a metrics of the wrong type"),
    "a window of nothing": (lambda r: r | {"window": {"shape": [8, 0, 8]}}, "a window of shape [8, 0, 8]"),
    "a window of words": (lambda r: r | {"window": {"shape": "all of it"}}, "a window of shape all of it"),
    "a window in one axis": (lambda r: r | {"window": {"shape": [8]}}, "a window of shape [8]"),
    "a stage elsewhere": (lambda r: r | {"stages": {"../x": "ab"}}, "a stage called '../x'"),
    "a window of fractions": (lambda r: r | {"window": {"shape": [8, 8, 1.5]}}, "a window of shape [8, 8, 1.5]"),
    "a window beyond all memory": (lambda r: r | {"window": {"shape": [4096] * 3}}, "a window of shape [4096, 40"),
    "no spacing at all": (lambda r: r | {"window": {"spacing_kji_mm": [1, 1, 0.0]}}, "a spacing of [1, 1, 0.0] mm"),
    "a spacing without end": (lambda r: r | {"window": {"spacing_kji_mm": [1, 1, math.inf]}}, "with the number inf"),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG.values(), ids=WRONG)
def test_a_record_that_cannot_be_is_one_sentence(a_models_folder, spoil, words):
    file = a_models_folder / "second" / registry.RECORD
    values = spoil(json.loads(file.read_text(encoding="utf-8")))
    if isinstance(values, dict) and values.pop(registry.CHECKSUM):
        with contextlib.suppress(ValueError):  # infinity has no JSON, and no checksum
            values[registry.CHECKSUM] = checksum(values)
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        registry.models(a_models_folder)
    sentence = str(refused.value)
    assert words in sentence
    assert (sentence.startswith("Given "), sentence.count(". "), len(sentence) < 250) == (True, 0, True)


def test_a_folder_in_the_environment_is_the_models_folder(a_models_folder, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(a_models_folder))
    assert registry.models_folder() == a_models_folder
    assert [r.id for r in registry.models()] == ["first", "second"]


def test_every_system_has_its_task():
    tasks = {path.name for path in (Path(registry.__file__).parents[1] / "tasks").iterdir() if path.is_dir()}
    assert {entry.task for entry in SYSTEMS.values()} <= tasks


def test_a_system_of_another_version_has_no_task(a_record):
    assert replace(a_record, system="unheard-of").task is None


def test_what_lists_and_writes_files_works_without_torch(a_models_folder, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(a_models_folder))
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, timeout=300, check=True
    ).stdout
    assert told.split() == ["first:segment", "second:fuse"]


def test_every_shipped_record_is_one():
    assert {r.id for r in registry.models()} == {path.name for path in SHIPPED.iterdir() if path.is_dir()}
