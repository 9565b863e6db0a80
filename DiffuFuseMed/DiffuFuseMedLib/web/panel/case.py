"""CASE: what is open, whose role is what, how well it is aligned."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import button, icon_button, row, section, select, slider
from .placement import placement


def case_section(actions: Any) -> None:
    with section("case", "Case"):
        with row():
            html.Strong("{{ s_case_name || 'no case is open' }}", classes="case-name")
            button(
                "Open",
                "open_dialog = true",
                "Open a folder on this machine or files of yours",
                prepend_icon="mdi-folder-open",
            )
        html.P("{{ uploading }}", v_if="uploading", classes="small", raw_attrs=['role="status"'])
        with html.Div(v_if="s_loading", classes="working"):
            v3.VProgressLinear(model_value=("100 * s_loading_share",), color="primary", id="opening-bar")
            html.Span("{{ s_loading }}, {{ Math.round(100 * s_loading_share) }} %")
            icon_button("mdi-close", actions.stop_opening, "Stop reading; what is open stays", id="stop-opening")
        with html.Div(v_if="s_recovered", classes="working", id="recovered", raw_attrs=['role="status"']):
            html.P("{{ s_recovered }}")
            with row():
                tip = "The segmentation is run again as it was then, and the corrections are put on it"
                button("Bring back", actions.bring_back, tip, id="bring-back")
                button("Discard", actions.refuse_recovered, "They are deleted", id="refuse-recovered")
        with html.Div(classes="chips"), html.Span(v_for="m in s_modalities", key="m", classes="chip"):
            html.Span("{{ m }} · {{ s_sources[m] }}")
        html.P("{{ s_alignment }}", classes="small", v_if="s_modalities.length")
        with html.Details(v_if="s_quality.length", classes="small"):
            html.Summary("alignment report")
            html.P("{{ line }}", v_for="line in s_quality", key="line")
        _comparison()
        placement(actions)


def _comparison() -> None:
    with html.Details(v_if="s_modalities.length > 1", classes="small", id="comparison"):
        html.Summary("judge the alignment by eye")
        with row():
            select("p_compare", ["off", "swipe", "checkerboard"], "compare", style="max-width: 150px")
            select("p_compare_with", ("s_modalities",), "with", style="max-width: 130px")
        with html.Div(v_if="p_compare === 'swipe'"):
            slider("p_compare_position", "border", "Where the reference ends and the other image begins")
