"""LOOK: layout, layers and windows."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from ...session import tracers
from ..views import LAYOUT_ICONS
from .parts import labeled, row, section, select, slider, switch, tooltip

PET_COLORS = [
    {"title": "heat", "value": "PET heat"},
    {"title": "hot iron (DICOM)", "value": "PET hot iron"},
    {"title": "rainbow", "value": "PET rainbow"},
    {"title": "inferno", "value": "Inferno"},
    {"title": "inverse gray", "value": "PET inverse gray"},
    {"title": "gray", "value": "Grey"},
]

DRAG = (
    "In a slice view, the left button held: up and down for the level, left and right for the width, of what lies "
    "under the mouse"
)


def display_section(actions: Any) -> None:
    with section("look", "Look", v_if="s_modalities.length"):
        _layouts(actions)
        with row():
            select("p_background", ("layer_choices",), "background", style="min-width: 120px")
            select("p_foreground", ("foreground_choices",), "over it", style="min-width: 120px")
        slider("p_foreground_opacity", "opacity", "How much of the upper layer is seen")
        with row():
            select("p_pet_colors", PET_COLORS, "PET colors", v_if=_any_tracer())
            _crosshair()
        with row(v_if="suv_choices.length"):
            select("p_suv", ("suv_choices",), "PET values in", item_props=("true",), id="suv")
        switch("windowing", "change windows by dragging (W)", DRAG, id="windowing")
        with (
            html.Div(classes="windows"),
            html.Div(v_for="(_, m) in window_choices", key="m"),
            v3.VSelect(
                model_value=("p_windows[m] || window_choices[m][0]",),
                update_modelValue=(actions.window, "[m, $event]"),
                items=("window_choices[m]",),
                label=("m + ' window'",),
                density="compact",
                hide_details=True,
                variant="outlined",
            ),
        ):
            tooltip("Which values are black and which white, in the modality's unit")
        with row():
            switch("p_show_lesion", "lesion", "The lesion's fill and outline")
            slider("p_lesion_opacity", "fill", "Opacity of the lesion's fill")
        tip = "The outline of each annotator's mask, in the color that the table under Lesion shows"
        switch("p_show_annotators", "annotators", tip, v_if="s_annotator_words", id="show-annotators")


def _any_tracer() -> str:
    return f"s_modalities.some((m) => /^({'|'.join(tracers())})$/.test(m))"


def _crosshair() -> None:
    tip = "Lines through all views at the point they were brought to: by the worklist, or with Shift and the mouse"
    switch("p_crosshair", "crosshair", tip)


def _layouts(actions: Any) -> None:
    with row(), v3.VBtnToggle(v_model=("layout",), mandatory=True, density="compact", variant="outlined", divided=True):
        for name, icon in LAYOUT_ICONS.items():
            with v3.VBtn(value=name, size="small", icon=True, **labeled(f"{name} layout")):
                v3.VIcon(icon)
                tooltip(f"{name} layout", "bottom")
