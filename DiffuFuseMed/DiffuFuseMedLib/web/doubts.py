"""Doubts: what may be wrong with the images, over the views until the reader has seen it."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def doubts(actions: Any) -> None:
    with html.Div(v_if="s_doubts.length", id="doubts", classes="doubts", raw_attrs=['role="alert"']):
        with html.Div(classes="doubts-words"):
            html.Strong("Before these values are believed")
            html.P("{{ line }}", v_for="line in s_doubts", key="line")
        with v3.VBtn(click=actions.seen_doubts, size="small", variant="outlined", id="seen-doubts"):
            html.Span("I have seen this")
