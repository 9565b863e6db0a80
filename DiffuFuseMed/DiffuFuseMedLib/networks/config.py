"""A network's settings back from the JSON beside its weights."""

from __future__ import annotations

from typing import Any, TypeVar

C = TypeVar("C")


def config_from(kind: type[C], values: dict[str, Any], **parts: type) -> C:
    """The inverse of dataclasses.asdict through JSON: lists become tuples; parts: the dataclasses of nested fields.

    Raises TypeError for a setting that `kind` does not have.
    """
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    nested = {name: part(**plain[name]) for name, part in parts.items() if isinstance(plain.get(name), dict)}
    return kind(**plain | nested)
