"""TEST THE MODEL: a synthetic tumor in this case's own images, and whether the model finds it."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from .parts import button, row, section, slider, switch, tooltip

INTRO = (
    "A tumor that no patient has is drawn into the images of this case, and the model chosen under Lesion looks for "
    "it. A lesion that is there is taken out first, where a model for that is installed."
)
DIAMETER = "Of a ball as large as the tumor"
CONTRAST = "1 is that of the tumors that the drawing model was trained on; 0.5 half of the uptake"
CROSSHAIR = "Its middle is where the lines cross: hold Shift and move the mouse over a view to put them there"


def probing_section(actions: Any) -> None:
    with section("probing", "Test the model", v_if="s_modalities.length"):
        html.P("{{ s_no_probing }}", v_if="s_no_probing", classes="small", id="no-probing")
        with html.Div(v_else=True):
            html.P(INTRO, classes="small")
            slider("p_probe_diameter_mm", "diameter in mm", DIAMETER, 5, 100, 1)
            slider("p_probe_contrast", "contrast", CONTRAST, 0.1, 2, 0.05)
            _place(actions)
            html.P("{{ s_probing_words }}", v_if="s_probing_words", id="probing-words", raw_attrs=['role="status"'])
            _tally()


def _place(actions: Any) -> None:
    busy = ("s_probing === 'working'",)
    with row():
        button("Place at crosshair", actions.place_at_crosshair, CROSSHAIR, disabled=busy, id="place")
        button("Place anywhere", actions.place_at_random, "Where there is room", disabled=busy, id="place-anywhere")
        switch("p_crosshair", "show crosshair", "Lines through all views at the place that they were brought to")
    with row(v_if="s_probing !== 'none'"):
        button(
            "{{ s_probing === 'working' ? 'Stop' : 'Back to the patient\\'s images' }}",
            actions.back_to_patient,
            "The images as they were taken, with everything that lay over them",
            id="back",
        )


def _tally() -> None:
    """Of the tries in this case."""
    with html.Table(classes="numbers", v_if="s_probes.length", id="probes"):
        with html.Thead(), html.Tr():
            html.Th("synthetic tumor")
            html.Th("contrast")
            with html.Th("found"):
                tooltip("By the model that is named, in this case; the report has it with its intervals")
            html.Th("by")
        with html.Tbody(), html.Tr(v_for="p in s_probes", key="p.size + p.contrast"):
            html.Td("{{ p.size }}")
            html.Td("{{ p.contrast }}")
            html.Td("{{ p.found }}")
            html.Td("{{ p.model }}")
