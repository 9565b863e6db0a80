"""FUSION: preset and sliders; the slices follow the hand."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import HELD, button, icon_button, labeled, row, section, slider, switch, tooltip, undo_and_redo

ALPHA = "alpha: how much soft tissue looks like the MR. At 0 it is the neutral average, at 1 the MR."
BETA = "beta: how much bone looks like the CT. At 0 it is the neutral average, at 1 the CT."
GAMMA = "gamma: how firmly the border of the lesion, once accepted, stands out in the fused picture."
ACCEPT = (
    "You stand for the lesion as it is: from now on gamma may draw its border into the picture (Ctrl+Z takes it back)"
)
BORDER = "Off: the picture is exactly the one without the lesion"


def fusion_section(actions: Any) -> None:
    with section("fusion", "Fusion", v_if="s_modalities.length"):
        with html.Div(v_if="s_fusion === 'none'", classes="small"):
            html.Span("{{ s_fusion_words }}")
        with html.Div(v_else=True):
            _presets(actions)
            slider("p_alpha", "alpha: soft like MRI", ALPHA)
            slider("p_beta", "beta: bone like CT", BETA)
            slider("p_gamma", "gamma: lesion border", GAMMA, disabled=("!!s_gamma_hint",))
            html.Div("{{ s_gamma_hint }}", v_if=("s_gamma_hint",), classes="small hint", id="gamma-hint")
            with row():
                switch("p_protect_border", "lesion's border in the picture", BORDER, id="border-drawn")
                button("Accept lesion", actions.accept_lesion, ACCEPT, v_if=("s_acceptable",), id="accept-lesion")
            with html.Div(classes=("'state ' + s_fusion",), id="fusion-state"):
                html.Span("{{ s_fusion_words }}")
                v3.VProgressLinear(
                    v_if="s_fusion === 'working'", model_value=("100 * s_fusion_share",), color="primary"
                )
            html.Div("{{ words }}", v_for="words in s_fusion_limits", key="words", classes="small limit")
            _advanced(actions)


def _presets(actions: Any) -> None:
    with row():
        with v3.VSelect(
            model_value=("p_preset",),
            update_modelValue=(actions.preset, "[$event]"),
            items=("preset_choices",),
            item_title="title",
            item_value="name",
            label="preset",
            density="compact",
            hide_details=True,
            variant="outlined",
            id="preset",
        ):
            v3.VTooltip("{{ preset_reason }}", activator="parent", location="end", max_width=340, open_delay=350)
        icon_button("mdi-content-save-outline", "preset_dialog = true", "Save the sliders as a preset of your own")
    with row():
        with v3.VBtn(
            size="small",
            variant="tonal",
            id="before-after",
            mousedown=actions.before,
            mouseup=actions.after,
            mouseleave=actions.after,
        ):
            html.Span("{{ showing_before ? 'before' : 'after' }}")
            tooltip("Hold to see the unfused reference image instead (key B switches)")
        button("Reset", actions.reset_fusion, "The sliders as the preset has them")
        undo_and_redo(actions)


def _advanced(actions: Any) -> None:
    with html.Details(classes="small", id="advanced"):
        html.Summary("advanced")
        for n, what in enumerate(("Dice", "NSD", "HD95")):
            _lambda(n, what)
        slider("p_tau_mm", "tau in mm", "Tolerance of the surface agreement NSD", 0.1, 20.0, 0.1)
        slider("p_steps", "steps", "Steps of the few-step network: more are slower", 1, 4, 1)
        switch(
            "p_guided", "guided diffusion", "The full guided teacher instead of the fast student: minutes for a volume"
        )


def _lambda(n: int, what: str) -> None:
    with html.Div(classes="panel-slider"):
        with html.Label(f"lambda {n + 1}: {what}", classes="slider-label"):
            tooltip(f"Weight of {what} in the lesion's part of the guidance (guided diffusion)")
        v3.VSlider(
            model_value=(f"p_lambdas[{n}]",),
            update_modelValue=f"p_lambdas = p_lambdas.map((v, n) => n === {n} ? $event : v)",
            min=0,
            max=10,
            step=0.05,
            hide_details=True,
            density="compact",
            color="primary",
            **HELD,
            **labeled(f"lambda {n + 1}"),
        )
        html.Span(f"{{{{ p_lambdas[{n}].toFixed(2) }}}}", classes="slider-value")
