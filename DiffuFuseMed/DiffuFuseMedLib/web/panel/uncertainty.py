"""DOUBT: where it may be wrong, as an overlay and as a band of contours."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from ...session import MAPS
from .parts import row, section, select, slider, switch


def map_choices() -> list[dict[str, str]]:
    return [{"title": spec.choice, "value": key} for key, spec in MAPS.items()]


def map_words() -> dict[str, str]:
    """By map, what it says, in a sentence."""
    return {key: spec.words for key, spec in MAPS.items()}


def uncertainty_section(actions: Any) -> None:
    with section("doubt", "Doubt", v_if="s_modalities.length"):
        with row():
            switch("p_show_uncertainty", "uncertainty", "Show the map over the images")
            switch(
                "p_show_band",
                "95 % band",
                "Inner and outer contour: the border lies between them with 95 % probability",
            )
        select("p_uncertainty_map", ("map_choices", map_choices()), "map")
        html.P("{{ map_words[p_uncertainty_map] }}", classes="small")
        slider("p_uncertainty_opacity", "map opacity", "Opacity of the map")
        slider(
            "p_uncertainty_above",
            "show above",
            "Below this value nothing is shown, in the map's unit",
            0.0,
            "s_legend.high || 0.7",
        )
        with html.Div(classes="legend", v_if="s_legend.colors", id="legend"):
            html.Span("{{ s_legend.low.toFixed(2) }}")
            html.Div(
                classes="legend-bar",
                style=("{background: 'linear-gradient(to right,' + s_legend.colors.join(',') + ')'}",),
            )
            html.Span("{{ s_legend.high.toFixed(2) }} {{ s_legend.unit }}")
