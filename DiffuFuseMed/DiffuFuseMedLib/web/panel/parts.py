"""Parts that the sections of the panel share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

HELD = {"start": "holding = true", "end": "holding = false"}  # of a slider: what a drag changes is one step to undo


@contextmanager
def section(name: str, title: str, **kwargs: Any) -> Iterator[None]:
    """A titled part of the panel; name: for styles, tests and the tour."""
    marked = f"['panel-section', tour_open && tour[tour_step].section === '{name}' ? 'marked' : '']"
    with html.Section(classes=(marked,), id=f"section-{name}", **labeled(title), **kwargs):
        html.H2(title, classes="panel-title")
        yield


def labeled(text: str) -> dict[str, list[str]]:
    """What a screen reader says of an element; trame drops attributes that it does not know."""
    return {"raw_attrs": [f'aria-label="{text}"']}


def row(**kwargs: Any) -> Any:
    return html.Div(classes="panel-row " + kwargs.pop("classes", ""), **kwargs)


def slider(
    state: str, label: str, tip: str, low: float = 0.0, high: float | str = 1.0, step: float = 0.01, **kwargs: Any
) -> None:
    """A labelled slider of one state with its value beside it; the value can be typed too.

    high: a number, or an expression of the page's state."""
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    with html.Div(classes="panel-slider", id=f"slider-{state}"):
        with html.Label(label, classes="slider-label"):
            tooltip(tip)
        v3.VSlider(
            v_model=(state,),
            min=low,
            max=high if isinstance(high, float | int) else (high,),
            step=step,
            hide_details=True,
            density="compact",
            color="primary",
            **HELD,
            **labeled(label),
            **kwargs,
        )
        number_field(
            f"{state}.toFixed({digits})",
            f"{state} = Math.min({high}, Math.max({low}, Number($event.target.value)))",
            f"{label}, number",
            memo=str(high),
            min=low,
            step=step,
        )


def number_field(shown: str, change: str, label: str, memo: str, **kwargs: Any) -> None:
    """A number that can be typed. shown: an expression of the page's state; change: what sets it to what was typed.

    memo: what else the field depends on, as an expression. Only with one of these is the field written to: otherwise
    any change of the page, such as the progress of a run, would take away what is being typed.
    """
    html.Input(
        classes="slider-number",
        type="number",
        v_bind_value=shown,
        # an emptied field changes nothing; what is shown is the value again, also where it is as before
        change=f"$event.target.value && ({change}); $event.target.value = {shown}",
        raw_attrs=[*labeled(label)["raw_attrs"], f'v-memo="[{shown}, {memo}]"'],
        **kwargs,
    )


def tooltip(text: str, location: str = "end") -> None:
    """A sentence on the element that it stands in."""
    v3.VTooltip(text, activator="parent", location=location, max_width=340, open_delay=350)


def button(text: str, click: Any, tip: str, **kwargs: Any) -> None:
    with v3.VBtn(click=click, size="small", variant=kwargs.pop("variant", "tonal"), **kwargs):
        html.Span(text)
        tooltip(tip)


def icon_button(icon: str, click: Any, tip: str, **kwargs: Any) -> None:
    with v3.VBtn(icon=True, click=click, size="small", variant="text", **labeled(tip), **kwargs):
        v3.VIcon(icon)
        tooltip(tip)


def undo_and_redo(actions: Any) -> None:
    """The same two buttons wherever something is changed: there is one history."""
    for name, key in (("undo", "Ctrl+Z"), ("redo", "Ctrl+Y")):
        what = f"{name.capitalize()} ({key})"
        with v3.VBtn(
            icon=True,
            size="small",
            variant="text",
            click=getattr(actions, name),
            classes=name,
            disabled=(f"!s_can_{name}",),
            **labeled(what),
        ):
            v3.VIcon(f"mdi-{name}")
            tooltip(f"{what}{{{{ s_{name}_words && ': ' + s_{name}_words }}}}")


def switch(state: str, label: str, tip: str, **kwargs: Any) -> None:
    with v3.VCheckbox(v_model=(state,), label=label, density="compact", hide_details=True, color="primary", **kwargs):
        tooltip(tip)


def select(state: str, items: list[Any] | tuple[Any, ...], label: str, **kwargs: Any) -> None:
    """items: choices that never change, or (name of a state,) of those that do."""
    if isinstance(items, list):  # trame would take its first entry for a state
        items = (f"{state}_choices", items)
    v3.VSelect(
        v_model=(state,), items=items, label=label, density="compact", hide_details=True, variant="outlined", **kwargs
    )
