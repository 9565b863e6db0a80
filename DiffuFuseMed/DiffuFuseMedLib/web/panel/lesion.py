"""LESION: run, cancel, and what came out, in numbers with units and ranges."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import button, row, section, select, tooltip


def lesion_section(actions: Any) -> None:
    with section("lesion", "Lesion", v_if="s_modalities.length"):
        with row():
            select("p_model", ("model_choices",), "model", style="min-width: 170px")
            with v3.VTextField(
                v_model_number=("p_samples",),
                type="number",
                raw_attrs=['min="1"', 'max="64"'],
                label="samples",
                density="compact",
                hide_details=True,
                variant="outlined",
                style="max-width: 90px",
            ):
                tooltip("Diffusion samples behind the probability: more are slower and smoother")
            select("p_device", ["auto", "cpu", "cuda"], "device", style="max-width: 100px")
        with row():
            button(
                "Run",
                actions.run,
                "Segment the lesion with the modalities that are on (R)",
                color="primary",
                variant="flat",
                disabled=("s_run === 'working'",),
                id="run",
            )
            button(
                "Cancel", actions.cancel, "Stop; the last result stays", disabled=("s_run !== 'working'",), id="cancel"
            )
            html.Span(
                "{{ s_run_words }}{{ s_run === 'working' && s_run_seconds_left !== null ? ', ' + "
                "Math.ceil(s_run_seconds_left) + ' s left' : '' }}",
                classes="small",
                id="run-state",
            )
        with html.Div(v_if="s_domain.length", id="domain", classes="small"):
            html.Strong("Before it is run on this case")
            html.P("{{ line }}", v_for="line in s_domain", key="line")
        v3.VProgressLinear(v_if="s_run === 'working'", model_value=("100 * s_run_share",), color="primary", height=6)
        _numbers(actions)


def _numbers(actions: Any) -> None:
    with html.Table(classes=("'numbers ' + (s_counting ? 'stale' : s_run)",), v_if="s_numbers.length", id="numbers"):
        with html.Thead(), html.Tr():
            html.Th("")
            html.Th("lesion as drawn")
            with html.Th("range"):
                tooltip(
                    "Volume, SUVmean, MTV and TLG: the calibrated 95 % interval, where there is one. SUVmax and "
                    "SUVpeak: inside the inner and outer contour, where that is lower and higher than the value."
                )
        with html.Tbody(), html.Tr(v_for="n in s_numbers", key="n.label"):
            html.Td("{{ n.label }}")
            html.Td("{{ n.value }}", classes="value")
            html.Td("{{ n.range }}")
    with html.Div(v_if="s_withheld.length", id="withheld", classes="small"):
        html.P("{{ line }}", v_for="line in s_withheld", key="line")
    html.P("corrected by hand: not as the model drew it", classes="small", v_if="s_edited")
    _healthy(actions)
    _annotators()


def _healthy(actions: Any) -> None:
    """What would be there without the lesion, where a model that makes such images up is installed."""
    tip = "All images as they may look without the lesion, made up by a network; in color how much they differ"
    with row(v_if="s_numbers.length && !no_healthy"):
        button(
            "{{ s_healthy === 'none' ? 'Without the lesion' : s_healthy === 'ready' ? 'As imaged' : 'Stop' }}",
            (actions.show_healthy, "[s_healthy === 'none']"),
            tip,
            id="healthy",
        )
        html.Span("{{ s_healthy_words }}", classes="small", id="healthy-words", raw_attrs=['role="status"'])


def _annotators() -> None:
    with html.Div(v_if="s_annotator_words", id="annotators"):
        html.P("{{ s_annotator_words }}", classes="small", raw_attrs=['role="status"'])
        with html.Table(classes="numbers", v_if="s_annotators.length"):
            with html.Thead(), html.Tr():
                html.Th("drawn by")
                html.Th("volume")
                with html.Th("Dice"):
                    tooltip("With the masks of the others, a mean over them")
                with html.Th("lesion Dice", v_if="s_annotators[0].lesion_dice"):
                    tooltip("Of the lesion as it stands with this mask")
                with html.Th("surface", v_if="s_annotators[0].lesion_dice"):
                    tooltip("Surface Dice at 2 mm of the lesion as it stands with this mask")
            with html.Tbody(), html.Tr(v_for="a in s_annotators", key="a.name"):
                with html.Td():
                    html.Span(classes="swatch", v_if="a.color", style=("{background: a.color}",))
                    html.Span("{{ a.name }}")
                html.Td("{{ a.volume }}", classes="value")
                html.Td("{{ a.dice }}")
                html.Td("{{ a.lesion_dice }}", v_if="s_annotators[0].lesion_dice")
                html.Td("{{ a.lesion_nsd }}", v_if="s_annotators[0].lesion_dice")
