"""MODALITIES: switches that run the segmentation again, bars of how far each was trusted."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import section, tooltip

TIP = (
    "Off: the segmentation is run again without it and the change is shown. The bar is the reliability gate: the "
    "weight that the model gave it."
)
HAS_GATES = "Object.keys(s_gates).length > 0"  # not those of a model without gates, nor before a run


def modalities_section(actions: Any) -> None:
    with section("modalities", "Modalities", v_if="s_modalities.length"):
        with html.Div(v_for="m in s_modalities", key="m", classes="gate"):
            with v3.VSwitch(
                model_value=("p_modalities[m] !== false",),
                update_modelValue=(actions.switch, "[m, $event]"),
                label=("m",),
                density="compact",
                hide_details=True,
                color="primary",
                id=("'switch-' + m",),
            ):
                tooltip(TIP)
            v3.VProgressLinear(
                model_value=("100 * (s_gates[m] || 0)",),
                height=8,
                color="primary",
                rounded=True,
                v_if=HAS_GATES,
                raw_attrs=[":aria-label=\"m + ' gate'\""],
            )
            html.Span(
                "{{ s_gates[m] === undefined ? 'none' : s_gates[m].toFixed(2) }}", classes="gate-value", v_if=HAS_GATES
            )
        html.P("{{ s_change }}", classes="small", v_if="s_change", id="change")
