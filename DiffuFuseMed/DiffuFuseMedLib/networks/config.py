"""A network's settings back from the JSON beside its weights."""

from __future__ import annotations

from typing import Any, TypeVar

from ..core.schema import from_values

C = TypeVar("C")


def config_from(kind: type[C], values: dict[str, Any]) -> C:
    """The inverse of dataclasses.asdict through JSON: lists become tuples and dicts the dataclasses of nested fields.

    Raises InputError for a setting that `kind` does not have, or one of another type.
    """
    return from_values(kind, values, "settings", "update DiffuFuseMed or leave the setting out")
