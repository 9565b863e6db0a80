"""DICOM tags that must be there, and the one sentence when they are not."""

from __future__ import annotations

from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from ...core.errors import input_error


def tag_name(keyword: str) -> str:
    """The keyword with its number, e.g. Units (0054,1001)."""
    tag = Tag(tag_for_keyword(keyword))
    return f"{keyword} ({tag.group:04X},{tag.element:04X})"


def required(dataset: Dataset, keyword: str, what: str) -> Any:
    """The tag's value; missing or empty raises InputError that names the tag."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError):  # pydicom reads a value when asked for it
        raise input_error(
            f"{what} whose {tag_name(keyword)} cannot be read", "a valid value", "correct the tag"
        ) from None
    if value is None or value == "":
        raise input_error(
            f"{what} without {tag_name(keyword)}", "a value in that tag", "export the series with all its tags"
        )
    return value


def positive(dataset: Dataset, keyword: str, what: str) -> float:
    """The tag's value as a number above zero."""
    value = float(required(dataset, keyword, what))
    if not 0 < value < float("inf"):
        raise input_error(f"{what} whose {tag_name(keyword)} is {value:g}", "a value above zero", "correct the tag")
    return value
