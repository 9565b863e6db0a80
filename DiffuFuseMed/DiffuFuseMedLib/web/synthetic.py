"""Synthetic: a frame and a banner over the views for as long as they show what is not the patient's."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

NOTE = "SYNTHETIC tumor"  # in each slice view


def synthetic(actions: Any) -> None:
    html.Div(v_if="s_synthetic", classes="synthetic-frame")
    with html.Div(v_if="s_synthetic", id="synthetic", classes="synthetic", raw_attrs=['role="alert"']):
        with html.Div():
            html.Strong("{{ s_synthetic }}")
            html.P("{{ s_probing_words }}")
        with v3.VBtn(click=actions.back_to_patient, size="small", variant="outlined", id="to-patient"):
            html.Span("Back to the patient's images")
