"""The fields of a JSON object held against a dataclass: what is unknown, lacking or of another type, in words.

For what Slicer reads before anything was installed; what only the engine reads goes through schema.py, which looks into
lists and dicts too (docs/explanation/libraries.md).
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def wrong_field(values: dict[str, Any], kind: type) -> str:
    """The first that is wrong with values for the dataclass `kind`; empty when nothing is."""
    hints = get_type_hints(kind)
    if unknown := sorted(set(values) - set(hints)):
        return f"the unknown field {unknown[0][:40]!r}"
    for field in fields(kind):
        if field.name not in values:
            if field.default is MISSING and field.default_factory is MISSING:
                return f"no {field.name}"
        elif not fits(values[field.name], hints[field.name]):
            return f"a {field.name} of the wrong type"
    return ""


def fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON, where tuples are lists, is of this type; what a list or dict holds is not looked at."""
    if hint is Any:
        return True
    if isinstance(hint, UnionType):
        return any(fits(value, part) for part in get_args(hint))
    if isinstance(value, bool) and hint is not bool:  # a bool is an int to Python
        return False
    kind = get_origin(hint) or hint
    return isinstance(value, {float: (int, float), tuple: (list, tuple)}.get(kind, kind))


def whole_number(value: Any) -> int:
    """The value, where it is one; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a number that is not whole")
    return value
