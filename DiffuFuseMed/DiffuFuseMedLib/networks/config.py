"""A network's settings back from the JSON beside its weights."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field

from ..core.schema import from_values

C = TypeVar("C")
# Types of settings that no weight's shape tells of: with 0 of them a network fails in the middle of a run, with 10,000
# it does not end.
Count = Annotated[int, Field(ge=1, le=64)]
Blocks = Annotated[int, Field(ge=0, le=64)]
Steps = Annotated[int, Field(ge=1, le=1000)]
Draws = Annotated[int, Field(ge=1, le=100)]
Share = Annotated[float, Field(gt=0, le=1)]
Sharpness = Annotated[float, Field(ge=0, le=100)]


def config_from(kind: type[C], values: dict[str, Any]) -> C:
    """The inverse of dataclasses.asdict through JSON: lists become tuples and dicts the dataclasses of nested fields.

    Raises InputError for a setting that `kind` does not have, or one of another type.
    """
    return from_values(kind, values, "settings", "update DiffuFuseMed or leave the setting out")
