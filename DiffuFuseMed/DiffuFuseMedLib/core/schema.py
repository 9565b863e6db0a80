"""Values from outside held against a dataclass by pydantic, down to the items of its lists; the first fault in words.

Not for what Slicer runs before anything was installed: its Python brings no pydantic (docs/explanation/libraries.md).
fields.py is for that.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from .errors import InputError, input_error

T = TypeVar("T")
FIELDS = "the fields of this version"
LONGEST_WORD = 40
_adapters: dict[type, TypeAdapter[Any]] = {}


def from_values(kind: type[T], values: dict[str, Any], what: str, remedy: str) -> T:
    """An instance of the dataclass `kind` from what JSON can hold: lists become tuples, dicts nested dataclasses.

    No value is made to fit: "8" is no number and 1.5 no whole one, though a whole number may stand for a fraction.
    what: whose values these are, for the sentence. Raises InputError, one sentence, for a field that is unknown,
    lacking or of another type; an InputError that `kind` raises itself goes through as it is.
    """
    try:
        # What is no Unicode, as a file's name may be, is read as a question mark.
        text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
        return _adapter(kind).validate_json(text, strict=True, extra="forbid")
    except RecursionError as error:
        raise input_error(f"{what} nested too deeply", FIELDS, remedy) from error
    except ValidationError as error:
        raise _input_error(error.errors(include_url=False)[0], what, remedy) from error


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    if kind not in _adapters:  # made once: it takes as long as checking hundreds of values
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _input_error(fault: ErrorDetails, what: str, remedy: str) -> InputError:
    own = fault.get("ctx", {}).get("error")
    if isinstance(own, InputError):
        return own
    given, wanted = _words(fault)
    return input_error(f"{what} with {given}", wanted, remedy)


def _words(fault: ErrorDetails) -> tuple[str, str]:
    """What was given and what was wanted instead."""
    name = ".".join(map(str, fault["loc"]))[:LONGEST_WORD]
    if fault["type"] == "unexpected_keyword_argument":
        return f"the unknown field {name!r}", FIELDS
    if fault["type"] == "missing":
        return f"no {name}", FIELDS
    return f"{name}={_shown(fault['input'])}", fault["msg"].removeprefix("Input should be ")


def _shown(value: Any) -> str:
    """One value as it is, never longer than a line; what holds others, such as a case's own words, is not told."""
    if isinstance(value, (dict, list)):
        return f"<{type(value).__name__}>"
    text = repr(value)
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 3]}..."
