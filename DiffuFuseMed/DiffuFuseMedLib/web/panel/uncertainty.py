"""DOUBT: where it may be wrong, as an overlay and as a band of contours."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from .parts import row, section, select, slider, switch

MAPS = [
    {"title": "all (predictive entropy)", "value": "predictive_entropy"},
    {"title": "images (expected entropy)", "value": "expected_entropy"},
    {"title": "model (mutual information)", "value": "mutual_information"},
    {"title": "fusion (gray value off)", "value": "fusion"},
]
MAP_WORDS = {
    "predictive_entropy": "How open it is whether a voxel is lesion, whatever the reason.",
    "expected_entropy": "The part that comes from the images: no further sample would settle it.",
    "mutual_information": "The part that comes from the model: its samples disagree, more data could settle it.",
    "fusion": "Probability that the fused gray value is off by more than a tenth of its range.",
}


def uncertainty_section(actions: Any) -> None:
    with section("doubt", "Doubt", v_if="s_modalities.length"):
        with row():
            switch("p_show_uncertainty", "uncertainty", "Show the map over the images")
            switch(
                "p_show_band",
                "95 % band",
                "Inner and outer contour: the border lies between them with 95 % probability",
            )
        select("p_uncertainty_map", ("map_choices", MAPS), "map")
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
