"""Every exception of a request as one error reply: a sentence with cause and remedy, and the detail for a report."""

from __future__ import annotations

import sys
import traceback

from ...core.errors import InputError
from ..wire.arrays import SpaceError
from ..wire.protocol import CODES, Failure, RequestError

DEVICES = f"{__package__.rpartition('.')[0].rpartition('.')[0]}.models.devices"
SENTENCES = {
    "out_of_memory": "The memory did not suffice for this: close other programs or cases, or use fewer samples.",
    "cancelled": "The request was cancelled: nothing was changed, so ask again when it is wanted.",
    "superseded": "A newer request took this one's place: its result is on the way.",
    "internal": "A fault in the program stopped this request and nothing was changed: try again, and report the detail "
    "if it comes back.",
}


class UnknownCaseError(InputError):
    """A request for a case that is not open."""


def failure_of(error: BaseException, request_id: int | None) -> Failure:
    """The reply to a request that raised this."""
    code = code_of(error)
    sentence = SENTENCES[code] if code in SENTENCES else str(error)
    return Failure(request_id, code, sentence, "" if isinstance(error, InputError) else detail_of(error))


def failure_whatever_happens(error: BaseException, request_id: int | None) -> Failure:
    """failure_of(), or what can be said where even that fails, as it may where the memory ran out: a request that is
    not answered leaves its host waiting for ever."""
    try:
        return failure_of(error, request_id)
    except BaseException:
        code = "out_of_memory" if isinstance(error, MemoryError) else "internal"
        return Failure(request_id, code, SENTENCES[code], type(error).__name__)


def stopped(request_id: int, code: str) -> Failure:
    """The reply to a request that was stopped, code: cancelled or superseded."""
    return Failure(request_id, code, SENTENCES[code])


def code_of(error: BaseException) -> str:
    kinds = {RequestError: "bad_request", UnknownCaseError: "unknown_case", SpaceError: "no_space"}
    for kind, code in {**kinds, InputError: "input"}.items():
        if isinstance(error, kind):
            assert code in CODES
            return code
    return "out_of_memory" if _is_out_of_memory(error) else "internal"


def detail_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-8)).strip()


def _is_out_of_memory(error: BaseException) -> bool:
    """Asked of what is imported already: an import may raise in its turn, and here that error would be lost."""
    devices = sys.modules.get(DEVICES)
    return isinstance(error, MemoryError) if devices is None else devices.is_out_of_memory(error)
