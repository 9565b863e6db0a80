"""What the engine's two processes say to each other: one JSON object a line, typed, and checked at the door.

A request has a kind and an id. It is answered by any number of progress lines and exactly one result or error with
the same id. Arrays are never in the line; they are files of the session's folder, named there (arrays.py, pack.py).
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields
from types import UnionType
from typing import Any, get_args, get_type_hints

from ...core.errors import InputError, input_error

VERSION = 2
LONGEST_LINE = 2**24  # bytes; far above any case's header, so that garbage without an end is not collected forever

CODES = {
    "bad_request": "the line is no request, or one with wrong fields",
    "input": "the input cannot be used as given",
    "unknown_case": "the case is not open in the engine",
    "out_of_memory": "the memory did not suffice",
    "no_space": "the session's folder has reached its quota, or its disk is full",
    "cancelled": "stopped by its user",
    "superseded": "a newer request of the same kind took its place",
    "internal": "a fault in the program",
    "died": "the engine's process ended before it answered; only the client says this",
    "unstarted": "the engine's process could not be started; only the client says this",
    "closed": "the session was closed first; only the client says this",
}


class RequestError(InputError):
    """A line that is no valid request; id is the request's where it could be read."""

    def __init__(self, message: str, request_id: int | None = None) -> None:
        super().__init__(message)
        self.id = request_id


@dataclass(frozen=True)
class Hello:
    """Agree on the protocol's version. Result: version, pid, and the library's version."""

    id: int
    version: int


@dataclass(frozen=True)
class Open:
    """Hold a case under case_id, in place of one that had this id. case: a packed Case; rois: packed Rois, automatic
    where None; lesion: a packed bool mask, given to the automatic ROIs."""

    id: int
    case_id: str
    case: dict
    rois: dict | None = None
    lesion: dict | None = None


@dataclass(frozen=True)
class ReplaceRois:
    """Other ROIs for an open case, such as after a correction; fields as in Open."""

    id: int
    case_id: str
    rois: dict | None = None
    lesion: dict | None = None


@dataclass(frozen=True)
class Segment:
    """Result: a Prediction. modalities: only these, all where None; model: a model's id; device: auto, cpu or cuda;
    behind: nobody waits for it, so it stands still, as a volume's fusion does, while one that is waited for is made."""

    id: int
    case_id: str
    model: str
    samples: int = 8
    seed: int = 0
    modalities: list | None = None
    gating: bool = True
    device: str = "auto"
    behind: bool = False


@dataclass(frozen=True)
class FuseSlice:
    """Result: one fused picture. Of several queued for the same view of a case only the newest is computed.
    mri: the MR to fuse with the CT, the case's first where None; uncertainty: False for the same picture alone, in a
    fraction of the time; asked again with True, only what is missing is computed. Of a large volume it does not wait
    for the ROIs: until the first request for the volume has found them, rough ones do, and the picture says so."""

    id: int
    case_id: str
    plane: str
    index: int
    settings: dict
    view: str = ""
    device: str = "auto"
    mri: str | None = None
    uncertainty: bool = True


@dataclass(frozen=True)
class FuseVolume:
    """Result: the fused volume. A newer one for the same case stops the older."""

    id: int
    case_id: str
    settings: dict
    device: str = "auto"
    mri: str | None = None


@dataclass(frozen=True)
class Cancel:
    """Stop the request `target`. Result: was, "queued", "running" or "unknown"."""

    id: int
    target: int


@dataclass(frozen=True)
class Close:
    """Forget a case and stop what is computed for it."""

    id: int
    case_id: str


@dataclass(frozen=True)
class Shutdown:
    """Stop everything and end the process."""

    id: int


@dataclass(frozen=True)
class Progress:
    """share: 0 to 1 of the work done; words: what is going on; seconds_left: an estimate, None while there is none."""

    id: int
    share: float
    words: str
    seconds_left: float | None = None


@dataclass(frozen=True)
class Result:
    """value: JSON, arrays by reference."""

    id: int
    value: Any


@dataclass(frozen=True)
class Failure:
    """code: one of CODES; sentence: for the user, its cause and remedy; detail: for a bug report; id: None where the
    line could not be read."""

    id: int | None
    code: str
    sentence: str
    detail: str = ""


REQUESTS: dict[str, type] = {
    "hello": Hello,
    "open": Open,
    "rois": ReplaceRois,
    "segment": Segment,
    "fuse_slice": FuseSlice,
    "fuse_volume": FuseVolume,
    "cancel": Cancel,
    "close": Close,
    "shutdown": Shutdown,
}
REPLIES: dict[str, type] = {"progress": Progress, "result": Result, "error": Failure}
_KINDS = {message: kind for table in (REQUESTS, REPLIES) for kind, message in table.items()}
Reply = Progress | Result | Failure


def kind_of(message: Any) -> str:
    return _KINDS[type(message)]


def to_line(message: Any) -> bytes:
    """A request or reply as one line, its end included."""
    return json.dumps({"kind": kind_of(message), **asdict(message)}, separators=(",", ":")).encode() + b"\n"


def request_from(line: bytes) -> Any:
    """The typed request of a line; raises RequestError."""
    return _message_from(line, REQUESTS)


def reply_from(line: bytes) -> Reply:
    """The typed reply of a line; raises RequestError."""
    return _message_from(line, REPLIES)


def _message_from(line: bytes, kinds: dict[str, type]) -> Any:
    values = _json_object(line)
    number = values.get("id") if _fits(values.get("id"), int) else None
    kind = values.pop("kind", None)
    if kind not in kinds if isinstance(kind, str) else True:
        raise _refusal(f"a message of the kind {str(kind)[:40]!r}", f"one of {', '.join(kinds)}", number)
    if wrong := _wrong_fields(values, kinds[kind]):
        raise _refusal(f"{kind} with {wrong}", "the fields of this protocol's version", number)
    return kinds[kind](**values)


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        values = None
    if not isinstance(values, dict):
        raise _refusal(f"a line of {len(line)} bytes that is no JSON object", "one JSON object a line", None)
    return values


def _wrong_fields(values: dict[str, Any], message: type) -> str:
    """What is wrong with the fields, in words; empty when nothing is."""
    hints = get_type_hints(message)
    if unknown := sorted(set(values) - set(hints)):
        return f"the unknown field {unknown[0][:40]!r}"
    for field in fields(message):
        if field.name not in values:
            if field.default is MISSING:
                return f"no {field.name}"
        elif not _fits(values[field.name], hints[field.name]):
            return f"a {field.name} of the wrong type"
    return ""


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if isinstance(hint, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if isinstance(value, bool) and hint is not bool:  # a bool is an int to Python
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def _refusal(given: str, wanted: str, number: int | None) -> RequestError:
    remedy = "use the client and the engine of one installation of DiffuFuseMed"
    return RequestError(str(input_error(given, wanted, remedy)), number)
