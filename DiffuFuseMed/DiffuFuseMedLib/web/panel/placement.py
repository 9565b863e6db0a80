"""Where each image lies beside the reference: registered, or moved by hand in mm and degrees."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from .parts import button, row

AXES = (
    ("left, mm", "Millimeters to the patient's left; negative: to the right"),
    ("back, mm", "Millimeters to the patient's back; negative: to the front"),
    ("head, mm", "Millimeters to the patient's head; negative: to the feet"),
    ("about left, °", "Degrees about the axis to the patient's left, through the middle of the case"),
    ("about back, °", "Degrees about the axis to the patient's back, through the middle of the case"),
    ("about head, °", "Degrees about the axis to the patient's head, through the middle of the case"),
)
REGISTER = "Bring the image rigidly onto the reference by mutual information; what the hand moved begins anew (Ctrl+Z)"
RESET = "The image back to where it was opened (Ctrl+Z brings it here again)"


def placement(actions: Any) -> None:
    with html.Details(v_if="s_movable.length", classes="small", id="placement"):
        html.Summary("move an image")
        html.P("Arrow keys in a number move the image by 1 mm or 1 degree; the views follow at once.")
        with html.Div(v_if="s_placing", classes="working", raw_attrs=['role="status"']), row():
            html.Span("{{ s_placing }}")
            button("Stop", actions.stop_registering, "The image stays where it is")
        with html.Div(v_for="m in s_movable", key="m", classes="placement"):
            with row():
                html.Strong("{{ m }}")
                html.Span("registered", v_if="p_registered[m]")
                dead, moved = "!!s_placing", "(p_registered[m] || p_moved[m])"
                button("Register", (actions.register, "[m]"), REGISTER, disabled=(dead,), id=("'register-' + m",))
                button("Reset", (actions.reset_place, "[m]"), RESET, disabled=(f"!{moved}",), id=("'reset-' + m",))
            with html.Div(classes="placement-numbers"):
                for number, (label, tip) in enumerate(AXES):
                    _number(actions, number, label, tip)


def _number(actions: Any, number: int, label: str, tip: str) -> None:
    with html.Label(title=tip):
        html.Span(label)
        html.Input(
            classes="slider-number",
            type="number",
            step=1,
            v_bind_value=f"+((p_moved[m] || [])[{number}] || 0).toFixed(2)",
            change=(actions.nudge, f"[m, {number}, $event.target.value]"),
            raw_attrs=[f":aria-label=\"m + ', {label}'\""],
        )
