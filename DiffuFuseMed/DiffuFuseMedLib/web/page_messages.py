"""What the page sends over its websocket: each message bounded, whole and a call, before anything is made of it.

wslink makes room for whatever the first chunk of a message announces, up to 4 GB once a page has said hello, and ends
the connection with a traceback over a message of another shape. Here room is made for what has come, and what is no
message ends the connection with one line in the log.
"""

from __future__ import annotations

import logging
import struct
from typing import Any
from weakref import WeakKeyDictionary

import msgpack

log = logging.getLogger(__name__)
HEADER = struct.Struct("<III")  # id, offset and size of the whole message (wslink.chunking)
LARGEST_BYTES = 4 << 20  # of everything that has come of a page's unfinished messages; uploads come by another way
LONGEST_NAME = 200
POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class MalformedError(Exception):
    """What came is no message; str() says why, without anything that came."""


class Messages:
    """Of one connection, put together from their chunks, which come in order (wslink.js)."""

    def __init__(self) -> None:
        self._begun: dict[int, bytearray] = {}

    def take(self, chunk: Any) -> dict[str, Any] | None:
        """The message that this chunk ends, None where it ends none. Raises MalformedError."""
        if not isinstance(chunk, (bytes, bytearray)) or len(chunk) <= HEADER.size:
            raise MalformedError("a frame that is no chunk of a message")
        number, offset, size = HEADER.unpack_from(chunk)
        begun = self._begun.setdefault(number, bytearray())
        if offset != len(begun):
            raise MalformedError("a chunk out of order")
        begun += memoryview(chunk)[HEADER.size :]
        if size > LARGEST_BYTES or sum(map(len, self._begun.values())) > LARGEST_BYTES:
            raise MalformedError(f"more than {LARGEST_BYTES >> 20} MB")
        if len(begun) < size:
            return None
        return _call(bytes(self._begun.pop(number)))


def _call(packed: bytes) -> dict[str, Any]:
    """A message that asks for something: its id and the method's name are words, its arguments as wslink has them."""
    try:
        message = msgpack.unpackb(packed)
    except ValueError as error:  # msgpack's own are ValueErrors
        raise MalformedError("bytes that are no message") from error
    if not isinstance(message, dict) or not all(_is_name(message.get(key)) for key in ("id", "method")):
        raise MalformedError("a message that is no call")
    if not isinstance(message.get("args", []), list) or not isinstance(message.get("kwargs", {}), dict):
        raise MalformedError("a call with other arguments")
    return message


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def bound_messages(handler: Any) -> None:
    """Put Messages in front of a websocket handler of wslink (wslink.protocol.WslinkHandler)."""
    coming: WeakKeyDictionary[Any, Messages] = WeakKeyDictionary()

    async def on_message(_is_binary: bool, frame: Any, client_id: str) -> None:
        if isinstance(frame.data, Exception):  # the connection is lost, as aiohttp tells it; its end follows
            return
        socket = handler.connections[client_id]
        try:
            message = coming.setdefault(socket, Messages()).take(frame.data)
        except MalformedError as error:
            log.warning("the page sent %s and was disconnected", error)
            await socket.close(code=POLICY_VIOLATION, message=b"no message")
            return
        if message is not None:
            with handler.network_monitor:
                await handler.onCompleteMessage(message, client_id)

    handler.onMessage = on_message
