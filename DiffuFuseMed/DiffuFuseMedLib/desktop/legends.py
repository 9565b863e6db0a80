"""Legends: what colors say, as the rich text of a label: a table whose cells are the colors, no picture to keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

CELL = "&nbsp;"


def legends(layers: Iterable[Mapping[str, Any]], outlines: Iterable[Mapping[str, str]] = ()) -> str:
    """layers: as on the view state, each with name, low, high, unit and colors ('#rrggbb') from low to high; outlines:
    each with name and color."""
    rows = "".join([*map(_row, layers), *map(_line, outlines)])
    return f"<table cellspacing='0' cellpadding='0'>{rows}</table>" if rows else ""


def _line(outline: Mapping[str, str]) -> str:
    name, color = escape(outline["name"]), outline["color"]
    return f"<tr><td>{name}&nbsp;&nbsp;</td><td align='right'><font color='{color}'>&mdash;</font>&nbsp;</td></tr>"


def _row(layer: Mapping[str, Any]) -> str:
    name, low, high = (escape(str(layer[key])) for key in ("name", "low", "high"))
    cells = "".join(f"<td bgcolor='{color}'>{CELL}</td>" for color in layer["colors"])
    high = f"{high} {escape(layer['unit'])}".strip()
    return f"<tr><td>{name}&nbsp;&nbsp;</td><td align='right'>{low}&nbsp;</td>{cells}<td>&nbsp;{high}</td></tr>"
