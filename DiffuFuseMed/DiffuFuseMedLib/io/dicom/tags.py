"""DICOM tags that must be there, and the one sentence when they are not."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from ...core.errors import input_error


def tag_name(keyword: str) -> str:
    """The keyword with its number, e.g. Units (0054,1001)."""
    tag = Tag(keyword)
    return f"{keyword} ({tag.group:04X},{tag.element:04X})"


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The tag's value; None where it is missing, empty or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom reads a value when asked for it, and a damaged one fails in many ways
        return None
    return None if value == "" else value


def required(dataset: Dataset, keyword: str, what: str) -> Any:
    """The tag's value; missing, empty or unreadable raises InputError that names the tag."""
    try:
        value = dataset.get(keyword)
    except Exception:
        raise unreadable(keyword, what) from None
    if value is None or value == "":
        raise input_error(
            f"{what} without {tag_name(keyword)}", "a value in that tag", "export the series with all its tags"
        )
    return value


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """The tag's `count` finite numbers; None where it is missing, empty or holds something else.

    A comma is read as what it can only be: the point of a number ("70,5"), or what parts several ("4.25,4.25").
    """
    parts = _parts(dataset, keyword)
    try:
        found = tuple(float(part) for part in parts)
    except (ValueError, TypeError):
        found = _with_commas("\\".join(map(str, parts)), count)
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def number(dataset: Dataset, keyword: str, what: str) -> float:
    """The tag's one number. Raises InputError that names the tag where it is missing or none."""
    found = numbers(dataset, keyword, 1)
    if found is None:
        required(dataset, keyword, what)
        raise unreadable(keyword, what)
    return found[0]


def positive(dataset: Dataset, keyword: str, what: str) -> float:
    """The tag's value as a number above zero."""
    value = number(dataset, keyword, what)
    if value <= 0:
        raise input_error(f"{what} whose {tag_name(keyword)} is {value:g}", "a value above zero", "correct the tag")
    return value


def unreadable(keyword: str, what: str) -> Exception:
    return input_error(f"{what} whose {tag_name(keyword)} cannot be read", "a valid value", "correct the tag")


def _parts(dataset: Dataset, keyword: str) -> list[Any]:
    """The tag's values; what pydicom cannot take for a number it hands on as text, or refuses."""
    value = value_of(dataset, keyword)
    if value is None:
        value = _raw_text(dataset, keyword)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        value = [value]
    return [part for part in value if part != ""]


def _raw_text(dataset: Dataset, keyword: str) -> str:
    """What stands in the file, before pydicom makes anything of it; empty where nothing does."""
    value = getattr(dataset.get_item(keyword), "value", b"")
    return value.decode("ascii", "ignore").strip(" \0") if isinstance(value, bytes) else ""


def _with_commas(text: str, count: int) -> tuple[float, ...]:
    parts = text.split("\\") if text.count("\\") == count - 1 else text.split(",")
    try:
        return tuple(float(part.replace(",", ".")) for part in parts)
    except ValueError:
        return ()
