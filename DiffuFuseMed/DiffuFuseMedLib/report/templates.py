"""The package's templates, filled."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template


def filled(template: str, entries: dict[str, Any]) -> str:
    """A template of this package with these entries, as HTML."""
    return _template(template).render(**entries)


def _template(name: str) -> Template:
    loader = FunctionLoader(lambda name: files(__package__).joinpath(name).read_text(encoding="utf-8"))
    # Escaped: a case or a model may be called anything.
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)
