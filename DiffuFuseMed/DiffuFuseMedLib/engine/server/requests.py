"""The engine's door: a line is one request of the protocol, down to the items of its lists, or it is refused."""

from __future__ import annotations

from typing import Any

from ...core.errors import InputError
from ...core.schema import from_values
from ..wire.protocol import REMEDY, REQUESTS, RequestError, message_in


def request_from(line: bytes) -> Any:
    """The typed request of a line; raises RequestError, which has the request's id where that could be read."""
    kind, values, number = message_in(line, REQUESTS)
    try:
        from_values(REQUESTS[kind], values, f"the request {kind}", REMEDY)
    except InputError as error:
        raise RequestError(str(error), number) from error
    return REQUESTS[kind](**values)  # as they came: a file's name that is no Unicode too
