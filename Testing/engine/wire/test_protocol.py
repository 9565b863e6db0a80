"""Lines between the processes: what is said comes back typed, and nothing else is taken for a request."""

import json
import math

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.wire import protocol as p

MESSAGES = [
    p.Hello(1, p.VERSION),
    p.Open(2, "a", {"$type": "Case"}, None, {"$array": "x.npy"}),
    p.ReplaceRois(3, "a"),
    p.Segment(4, "a", "model", 3, 7, ["CT"], False, "cpu"),
    p.FuseSlice(5, "a", "axial", 12, {"alpha": 0.5}, "red", uncertainty=False),
    p.FuseVolume(6, "a", {}),
    p.Cancel(7, 4),
    p.Close(8, "a"),
    p.Shutdown(9),
]
REPLIES = [
    p.Progress(1, 0.5, "half", 2.0),
    p.Result(2, {"x": [1, None]}),
    p.Failure(None, "internal", "It broke.", "d"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=p.kind_of)
def test_a_request_comes_back_as_it_was(message):
    assert p.request_from(p.to_line(message)) == message


@pytest.mark.parametrize("message", REPLIES, ids=p.kind_of)
def test_a_reply_comes_back_as_it_was(message):
    assert p.reply_from(p.to_line(message)) == message


def test_every_kind_is_tried_above():
    assert {p.kind_of(m) for m in MESSAGES} == set(p.REQUESTS)


def test_a_message_is_one_line_whatever_it_says():
    line = p.to_line(p.Failure(1, "internal", "a\nb", "c\r\nd\u2028"))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_an_unknown_mutual_information_survives():
    assert math.isnan(p.request_from(p.to_line(p.Open(1, "a", {"mi": math.nan}))).case["mi"])


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
        p.request_from(line)
    assert str(caught.value).startswith("Given ")
    assert len(str(caught.value)) < 400


WRONG = {
    "no model": {"model": None, "drop": "model"},
    "a number for the model": {"model": 3},
    "samples as words": {"samples": "8"},
    "true for samples": {"samples": True},
    "a fraction of a sample": {"samples": 1.5},
    "modalities in one word": {"modalities": "CT"},
    "one field too many": {"patient": "x"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_wrong_fields_are_refused_under_the_requests_own_id(change):
    values = {**json.loads(p.to_line(p.Segment(41, "a", "m"))), **change}
    values.pop(values.pop("drop", ""), None)
    with pytest.raises(p.RequestError) as caught:
        p.request_from(json.dumps(values).encode())
    assert caught.value.id == 41
    assert isinstance(caught.value, InputError)


def test_a_whole_number_may_stand_for_a_fraction():
    assert p.reply_from(b'{"kind":"progress","id":1,"share":1,"words":"done"}').share == 1
