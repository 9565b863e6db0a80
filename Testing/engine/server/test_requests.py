"""The engine's door: what is said comes back typed, and nothing else is taken for a request."""

import json
import math

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.server.requests import request_from
from DiffuFuseMedLib.engine.wire import protocol as p

MESSAGES = [
    p.Hello(1, p.VERSION),
    p.Alive(1),
    p.Open(2, "a", {"$type": "Case"}, None, {"$array": "x.npy"}),
    p.ReplaceRois(3, "a"),
    p.Segment(4, "a", "model", 3, 7, ["CT"], {"gating": False}, "cpu"),
    p.FuseSlice(5, "a", "axial", 12, {"alpha": 0.5}, "red", uncertainty=False),
    p.FuseVolume(6, "a", {}),
    p.JudgeFusion(10, "a", {"$array": "x.npy"}, {"alpha": 0.5}),
    p.Remove(12, "a", {"$array": "x.npy"}, "filler", 12.0, "cpu"),
    p.Probe(13, "a", "drawer", "model", 20.0, 0.5, [1.0, -2.0, 3.5], {"$array": "x.npy"}, "filler", 2, 7, ["CT"]),
    p.Agree(11, "a", {"reader 1": {"$array": "x.npy"}}, {"$array": "y.npy"}),
    p.Cancel(7, 4),
    p.Close(8, "a"),
    p.Shutdown(9),
]


@pytest.mark.parametrize("message", MESSAGES, ids=p.kind_of)
def test_a_request_comes_back_as_it_was(message):
    assert request_from(p.to_line(message)) == message


def test_every_kind_is_tried_above():
    assert {p.kind_of(m) for m in MESSAGES} == set(p.REQUESTS)


def test_an_unknown_mutual_information_survives():
    assert math.isnan(request_from(p.to_line(p.Open(1, "a", {"mi": math.nan}))).case["mi"])


def test_a_file_name_that_is_no_unicode_survives():
    notes = ["read from \udcff.nii"]
    assert request_from(p.to_line(p.Open(1, "a", {"notes": notes}))).case == {"notes": notes}


GARBAGE = {
    "bytes": b"\xff\x00\xfe garbage",
    "half an object": b'{"kind": "segment", "id"',
    "a list": b"[1, 2]",
    "deep nesting": b"[" * 100_000,
    "nothing": b"{}",
    "a kind that is a list": b'{"kind": ["hello"], "id": 1}',
    "a reply": b'{"kind": "result", "id": 1, "value": 2}',
}


@pytest.mark.parametrize("line", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_one_sentence(line):
    with pytest.raises(p.RequestError) as caught:
        request_from(line)
    assert str(caught.value).startswith("Given ")
    assert len(str(caught.value)) < 400


WRONG = {
    "no model": {"model": None, "drop": "model"},
    "a number for the model": {"model": 3},
    "samples as words": {"samples": "8"},
    "true for samples": {"samples": True},
    "a fraction of a sample": {"samples": 1.5},
    "modalities in one word": {"modalities": "CT"},
    "a modality that is a number": {"modalities": ["CT", 3]},
    "one field too many": {"patient": "x"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_wrong_fields_are_refused_under_the_requests_own_id(change):
    values = {**json.loads(p.to_line(p.Segment(41, "a", "m"))), **change}
    values.pop(values.pop("drop", ""), None)
    with pytest.raises(p.RequestError) as caught:
        request_from(json.dumps(values).encode())
    assert caught.value.id == 41
    assert isinstance(caught.value, InputError)
