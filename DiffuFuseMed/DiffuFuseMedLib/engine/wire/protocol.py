"""What the engine's two processes say to each other: one JSON object a line, typed, and checked at the door of each:
requests by the engine (engine/server/requests.py), replies here.

A request has a kind and an id. It is answered by any number of progress lines and exactly one result or error with
the same id. Arrays are never in the line; they are files of the session's folder, named there (arrays.py, pack.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ...core.errors import InputError, input_error
from ...core.fields import fits, wrong_field

VERSION = 7
REMEDY = "use the client and the engine of one installation of DiffuFuseMed"
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
    case: dict[str, Any]
    rois: dict[str, Any] | None = None
    lesion: dict[str, Any] | None = None


@dataclass(frozen=True)
class ReplaceRois:
    """Other ROIs for an open case, such as after a correction; fields as in Open."""

    id: int
    case_id: str
    rois: dict[str, Any] | None = None
    lesion: dict[str, Any] | None = None


@dataclass(frozen=True)
class Segment:
    """Result: a Prediction. modalities: only these, all where None; model: a model's id; options: what only
    some systems can be told, such as {"gating": false}; device: auto, cpu or cuda; behind: nobody waits for it, so it
    stands still, as a volume's fusion does, while one that is waited for is made."""

    id: int
    case_id: str
    model: str
    samples: int = 8
    seed: int = 0
    modalities: list[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
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
    settings: dict[str, Any]
    view: str = ""
    device: str = "auto"
    mri: str | None = None
    uncertainty: bool = True


@dataclass(frozen=True)
class FuseVolume:
    """Result: the fused volume. A newer one for the same case stops the older."""

    id: int
    case_id: str
    settings: dict[str, Any]
    device: str = "auto"
    mri: str | None = None


@dataclass(frozen=True)
class JudgeFusion:
    """Result: a Judgement of a fused volume, for a report. image: the packed volume that FuseVolume gave for these
    settings, device and MR while the case had its present ROIs."""

    id: int
    case_id: str
    image: dict[str, Any]
    settings: dict[str, Any]
    device: str = "auto"
    mri: str | None = None


@dataclass(frozen=True)
class Remove:
    """Result: the images without a lesion, arrays by modality as `volumes`, the mask that was filled in as `removed`,
    and `provenance`. lesion: a packed bool mask, which is closed and widened first, by margin_mm beyond the paper's
    own; model: an inpainter's id."""

    id: int
    case_id: str
    lesion: dict[str, Any]
    model: str
    margin_mm: float = 0.0
    device: str = "auto"


@dataclass(frozen=True)
class Probe:
    """Result: the case's images with a synthetic tumor, arrays by modality as `volumes`, its `mask`, what the segmenter
    calls lesion in them, bool, as `called`, the row `probed` (core.probed.Probed), `false_ml`, what it calls so without
    the tumor, `models`, a ModelName each of segmenter and synthesizer, `modalities` that the segmenter looked at,
    `center_lps` and `notes`.

    diameter_mm, contrast: as Probed has them; center_lps: the tumor's middle in mm, drawn by the seed where None;
    lesion: a packed bool mask that is taken out first, by `inpainter`, a model's id; where that is empty, the lesion
    stays and the tumor keeps off it; modalities, options: the segmenter's, as in Segment."""

    id: int
    case_id: str
    synthesizer: str
    model: str
    diameter_mm: float
    contrast: float = 1.0
    center_lps: list[float] | None = None
    lesion: dict[str, Any] | None = None
    inpainter: str = ""
    samples: int = 2
    seed: int = 0
    modalities: list[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    device: str = "auto"


@dataclass(frozen=True)
class Agree:
    """Result: the Agreement of several annotators of a case. masks: packed bool masks by annotator, cut alike
    to any box; lesion: another one that is compared with each of them."""

    id: int
    case_id: str
    masks: dict[str, Any]
    lesion: dict[str, Any] | None = None


@dataclass(frozen=True)
class Alive:
    """Answered at once, whatever is computed. Result: owed, the ids of the requests that are queued or running. One
    that was sent before this one, is not answered and not among these, will never be."""

    id: int


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
    "judge_fusion": JudgeFusion,
    "remove": Remove,
    "probe": Probe,
    "agree": Agree,
    "alive": Alive,
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


def reply_from(line: bytes) -> Reply:
    """The typed reply of a line; raises RequestError."""
    kind, values, number = message_in(line, REPLIES)
    if wrong := wrong_field(values, REPLIES[kind]):
        raise refusal(f"{kind} with {wrong}", "the fields of this protocol's version", number)
    return REPLIES[kind](**values)


def message_in(line: bytes, kinds: dict[str, type]) -> tuple[str, dict[str, Any], int | None]:
    """Kind, fields and id of a line that is one of these kinds, the fields as they stand; raises RequestError."""
    values = _json_object(line)
    number = values.get("id") if fits(values.get("id"), int) else None
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise refusal(f"a message of the kind {str(kind)[:40]!r}", f"one of {', '.join(kinds)}", number)
    return kind, values, number


def refusal(given: str, wanted: str, number: int | None) -> RequestError:
    """The error for a line that cannot be used, with its id where that could be read."""
    return RequestError(str(input_error(given, wanted, REMEDY)), number)


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        values = None
    if not isinstance(values, dict):
        raise refusal(f"a line of {len(line)} bytes that is no JSON object", "one JSON object a line", None)
    return values
