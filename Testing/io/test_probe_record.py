"""probe.json is read back as it was written, and what is none is refused in a sentence."""

import json
from dataclasses import replace

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.probed import ModelName, Probed, ProbeRecord
from DiffuFuseMedLib.io.probe_record import read_probe_record, write_probe_record

HIT, MISS = Probed(15.0, 1.0, 1.8, 4.0, 0.6, 0.7, 0.0, 3), Probed(30.0, 0.5, 14.0, None, 0.05, 0.1, 0.2, 4)
BY = ModelName("model", "a1"), ModelName("drawer", "b2")
RECORD = ProbeRecord("thigh", Grid((4, 5, 6)), *BY, ("CT", "PET"), (HIT, MISS), ("A note.",), 3.5)


@pytest.fixture
def path(tmp_path):
    write_probe_record(RECORD, tmp_path / "probe.json")
    return tmp_path / "probe.json"


def test_it_comes_back_as_it_was_and_says_that_it_is_synthetic(path):
    assert read_probe_record(path) == RECORD
    words = json.loads(path.read_text(encoding="utf-8"))
    assert words["synthetic"] is True and [tumor["found"] for tumor in words["tumors"]] == [True, False]


WRONG = {
    "no probe": lambda words: words.pop("synthetic"),
    "no segmenter": lambda words: words.pop("segmenter"),
    "no tumors": lambda words: words.update(tumors=[]),
    "tumors in a word": lambda words: words.update(tumors="many"),
    "a share above one": lambda words: words["tumors"][0].update(iou=1.5),
    "a number as a word": lambda words: words["tumors"][0].update(recall="half"),
    "an unknown field": lambda words: words.update(patient="x"),
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_what_is_none_is_refused_in_a_sentence(path, spoil):
    words = json.loads(path.read_text(encoding="utf-8"))
    spoil(words)
    path.write_text(json.dumps(words), encoding="utf-8")
    with pytest.raises(InputError, match=r"probe\.json"):
        read_probe_record(path)


def test_what_cannot_be_read_is_refused_too(path):
    path.write_bytes(b"\xff{")
    for there in (path, path.with_name("nowhere.json")):
        with pytest.raises(InputError, match="cannot be read"):
            read_probe_record(there)


def test_a_number_that_is_none_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_probe_record(replace(RECORD, false_ml=float("nan")), tmp_path / "probe.json")
