"""A page's messages: put together in order, bounded by what has come, and refused in one line where they are none."""

import asyncio
import logging
import tracemalloc
from contextlib import nullcontext
from types import SimpleNamespace

import msgpack
import pytest
from DiffuFuseMedLib.web.page_messages import (
    HEADER,
    LARGEST_BYTES,
    POLICY_VIOLATION,
    MalformedError,
    Messages,
    bound_messages,
)
from hypothesis import given
from hypothesis import strategies as st
from wslink.chunking import generate_chunks

CALL = {"wslink": "1.0", "id": "rpc:c0:1", "method": "trame.state.get", "args": [], "kwargs": {}}


def frame(payload, number=7, offset=0, size=None):
    return HEADER.pack(number, offset, len(payload) if size is None else size) + payload


def packed(**changes):
    return frame(msgpack.packb({**CALL, **changes}))


@pytest.mark.parametrize("largest", [0, 20, 64])
def test_a_message_comes_whole_however_wslink_cuts_it(largest):
    message = {**CALL, "args": ["x" * 200, [1, 2.5, None, True]]}
    messages, chunks = Messages(), list(generate_chunks(msgpack.packb(message), largest))
    taken = [messages.take(chunk) for chunk in chunks]
    assert taken == [*[None] * (len(chunks) - 1), message]


def test_two_messages_may_come_between_each_other():
    messages, data = Messages(), msgpack.packb(CALL)
    cut = len(data) // 2
    for number in (1, 2):
        assert messages.take(frame(data[:cut], number, 0, len(data))) is None
    for number in (2, 1):
        assert messages.take(frame(data[cut:], number, cut, len(data))) == CALL


MALFORMED = {
    "nothing": b"",
    "half a header": b"abc",
    "a header alone": bytes(12),
    "text": "a text frame",
    "no msgpack": frame(b"\xc1\xff"),
    "nested without end": frame(b"\x91" * 100_000 + b"\x01"),
    "a number": frame(msgpack.packb(5)),
    "a list": frame(msgpack.packb([1])),
    "no id": frame(msgpack.packb({"method": "x"})),
    "an id that is no word": packed(id=5),
    "no method": frame(msgpack.packb({"id": "rpc:c0:1"})),
    "a method that is a list": packed(method=["trame.state.get"]),
    "arguments that are none": packed(args="abc"),
    "named arguments that are none": packed(kwargs=[1]),
    "a chunk from the middle": frame(b"x", offset=5, size=10),
    "a chunk far beyond": frame(b"x", offset=2**31, size=2**32 - 1),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_message_is_refused(name):
    with pytest.raises(MalformedError):
        Messages().take(MALFORMED[name])


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_whatever_comes_is_a_call_or_refused(frames):
    messages = Messages()
    for data in frames:
        try:
            message = messages.take(data)
        except MalformedError:
            continue
        assert message is None or isinstance(message["method"], str)


def test_a_frame_that_announces_4_gb_takes_no_room():
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="4 MB"):
            Messages().take(frame(b"x", size=2**32 - 1))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_all_unfinished_messages_together_are_bounded():
    messages = Messages()
    with pytest.raises(MalformedError, match="4 MB"):
        for number in range(100):
            messages.take(frame(bytes(LARGEST_BYTES // 50), number, 0, LARGEST_BYTES))


class Socket:
    def __init__(self):
        self.closed_with = []

    async def close(self, code, message):
        self.closed_with.append(code)


def a_handler():
    """As wslink's, with what it was handed."""
    done = []

    async def whole(message, client_id):
        done.append((client_id, message))

    handler = SimpleNamespace(connections={"a": Socket()}, network_monitor=nullcontext(), onCompleteMessage=whole)
    bound_messages(handler)
    return handler, done


def test_who_sends_no_message_is_disconnected_with_one_line_in_the_log(caplog):
    handler, done = a_handler()

    async def run():
        for data in (packed(), b"secret", packed()):
            await handler.onMessage(True, SimpleNamespace(data=data), "a")

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert done == [("a", CALL), ("a", CALL)] and handler.connections["a"].closed_with == [POLICY_VIOLATION]
    assert len(caplog.records) == 1 and "secret" not in caplog.text and "Traceback" not in caplog.text


def test_a_connection_that_is_lost_has_sent_nothing_wrong(caplog):
    handler, done = a_handler()
    asyncio.run(handler.onMessage(False, SimpleNamespace(data=ConnectionResetError("no pong")), "a"))
    assert (done, handler.connections["a"].closed_with, caplog.records) == ([], [], [])
