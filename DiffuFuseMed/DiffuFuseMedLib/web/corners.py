"""Corners: what a slice view says of itself over its picture, which side is which, and where the slice lies in mm."""

from __future__ import annotations

from typing import Any

import numpy as np
from trame.widgets import html

from ..mrml.geometry import to_numpy

LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))  # ends of the RAS axes, the positive one first


def corners(view: Any, offset: str) -> None:
    """Letters at the four edges and the slice's place at the bottom. offset: the page's state that holds mm along the
    view's normal, which Slicer keeps on an axis of RAS."""
    right, up, normal = (to_numpy(view.get_view_node().GetSliceToRAS())[:3, column] for column in range(3))
    for side, direction in (("right", right), ("left", -right), ("top", up), ("bottom", -up)):
        html.Div(letter(direction), classes=f"view-corner view-{side}")
    positive, negative = letter(normal), letter(-normal)
    words = f"({offset} < 0 ? '{negative}' : '{positive}') + ' ' + Math.abs({offset}).toFixed(1) + ' mm'"
    html.Div(f"{{{{ {words} }}}}", classes="view-corner view-place")


def letter(direction_ras: np.ndarray) -> str:
    """R, L, A, P, S or I: the side of the patient that a direction points to most."""
    axis = int(np.argmax(np.abs(direction_ras)))
    return LETTERS[axis][int(direction_ras[axis] < 0)]


def legends() -> None:
    """The layers on screen with their windows: colors from lowest to highest value, in the volume's unit; then the
    outlines in their colors."""
    with html.Div(classes="legends", id="legends"):
        with html.Div(v_for="l in s_layers", key="l.name", classes="legend-row"):
            html.Span("{{ l.name }}", classes="legend-name")
            html.Span("{{ l.low }}")
            html.Div(
                classes="legend-bar", style=("{background: 'linear-gradient(to right,' + l.colors.join(',') + ')'}",)
            )
            html.Span("{{ l.high }} {{ l.unit }}")
        with html.Div(v_for="o in s_outlines", key="o.name + o.color", classes="legend-row legend-outline"):
            html.Div(classes="legend-line", style=("{background: o.color}",))
            html.Span("{{ o.name }}")
