"""Legends: what colors say, as the rich text of a label: a table whose cells are the colors, no picture to keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

CELL = "&nbsp;"


def legends(layers: Iterable[Mapping[str, Any]]) -> str:
    """layers: as on the view state, each with name, low, high, unit and colors ('#rrggbb') from low to high."""
    rows = "".join(_row(layer) for layer in layers)
    return f"<table cellspacing='0' cellpadding='0'>{rows}</table>" if rows else ""


def _row(layer: Mapping[str, Any]) -> str:
    name, low, high = (escape(str(layer[key])) for key in ("name", "low", "high"))
    cells = "".join(f"<td bgcolor='{color}'>{CELL}</td>" for color in layer["colors"])
    high = f"{high} {escape(layer['unit'])}".strip()
    return f"<tr><td>{name}&nbsp;&nbsp;</td><td align='right'>{low}&nbsp;</td>{cells}<td>&nbsp;{high}</td></tr>"
