"""Lines between the processes: what is replied comes back typed, and nothing else is taken for a reply. What is asked
is held to the same in Testing/engine/server/test_requests.py."""

import json

import pytest
from DiffuFuseMedLib.engine.wire import protocol as p

REPLIES = [
    p.Progress(1, 0.5, "half", 2.0),
    p.Result(2, {"x": [1, None]}),
    p.Failure(None, "internal", "It broke.", "d"),
]


@pytest.mark.parametrize("message", REPLIES, ids=p.kind_of)
def test_a_reply_comes_back_as_it_was(message):
    assert p.reply_from(p.to_line(message)) == message


def test_a_message_is_one_line_whatever_it_says():
    line = p.to_line(p.Failure(1, "internal", "a\nb", "c\r\nd\u2028"))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


WRONG = {
    "bytes": b"\xff\x00\xfe garbage",
    "a list": b"[1, 2]",
    "a request": p.to_line(p.Hello(1, 2)),
    "a share in words": json.dumps({"kind": "progress", "id": 1, "share": "half", "words": "x"}).encode(),
    "no sentence": json.dumps({"kind": "error", "id": 1, "code": "internal"}).encode(),
    "one field too many": json.dumps({"kind": "result", "id": 1, "value": 2, "patient": "x"}).encode(),
}


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_what_is_no_reply_is_one_sentence(line):
    with pytest.raises(p.RequestError) as caught:
        p.reply_from(line)
    assert str(caught.value).startswith("Given ")
    assert len(str(caught.value)) < 400


def test_a_whole_number_may_stand_for_a_fraction():
    assert p.reply_from(b'{"kind":"progress","id":1,"share":1,"words":"done"}').share == 1
