"""REVIEW: the worklist and the tools that correct one region."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from ..tools import SMOOTHING_MM, TOOLS
from .parts import button, icon_button, labeled, number_field, row, section, slider, switch, tooltip, undo_and_redo

ICONS = (
    "{open: 'mdi-circle-outline', accepted: 'mdi-check-circle', corrected: 'mdi-pencil-circle', "
    "skipped: 'mdi-skip-next-circle'}"
)
NEW_END = "Number($event.target.value)"
THRESHOLD_ENDS = (
    ("lowest value", f"threshold = [Math.max(threshold_ends[0], Math.min({NEW_END}, threshold[1])), threshold[1]]"),
    ("highest value", f"threshold = [threshold[0], Math.min(threshold_ends[1], Math.max({NEW_END}, threshold[0]))]"),
)
# A row is chosen like a button, by Enter or the space bar too.
REACHED_BY_KEYS = [
    'tabindex="0"',
    ':aria-current="r.id === s_region"',
    '@keydown.enter="$event.currentTarget.click()"',
    '@keydown.space.prevent="$event.currentTarget.click()"',
]


def review_section(actions: Any) -> None:
    with section("review", "Review", v_if="s_modalities.length"):
        html.P(
            "{{ s_listing ? 'looking for the regions in doubt' : 'after a run: where to look first' }}",
            classes="small",
            v_if="!s_regions.length",
        )
        with html.Div(v_else=True):
            _review(actions)


def _review(actions: Any) -> None:
    html.P("{{ s_progress }}{{ s_explaining ? ', finding the reasons' : '' }}", classes="small", id="progress")
    _worklist(actions)
    _choices(actions)
    _decisions(actions)
    _tools(actions)


def _decisions(actions: Any) -> None:
    with row():
        button("Next (N)", actions.next, "The next open region")
        button("Previous (P)", actions.previous, "The region before")
        button(
            "Accept (A)",
            actions.accept,
            "The region is right as it is now; noted as corrected if you changed it",
            id="accept",
        )
        button("Skip (S)", actions.skip, "Leave it open for later")


def _choices(actions: Any) -> None:
    """The outlines of the region in focus: shown as a ghost by a click or a key, and taken."""
    with html.Div(
        v_if="s_region !== null",
        id="choices",
        classes="choices",
        raw_attrs=['role="group"', 'aria-label="outlines of this region"'],
    ):
        html.P("{{ s_choosing }}", v_if="s_choosing", classes="small", id="choosing", raw_attrs=['role="status"'])
        html.P("{{ s_no_choice }}", v_if="s_no_choice", classes="small", id="no-choice", raw_attrs=['role="status"'])
        with html.Button(
            v_for="c in s_choices",
            key="c.key",
            click=(actions.preview, "[c.key]"),
            classes=("['choice', String(s_choice) === c.key ? 'shown' : '']",),
            id=("'choice-' + c.key",),
            raw_attrs=['type="button"', ':aria-pressed="String(s_choice) === c.key"'],
        ):
            html.Span("{{ c.key }}", classes="choice-key")
            html.Span("{{ c.source }}", classes="choice-source")
            html.Span("{{ c.share }}", classes="value")
            html.Span("{{ c.change }}", classes="value")
        with row():
            button(
                "Take it (Enter)",
                actions.take,
                "The outline that is shown becomes the lesion's in this region or part of it, led over into it at the "
                "rim; noted as your decision",
                disabled=("s_choice === null",),
                id="take",
                v_if="s_choices.length",
            )
            button(
                "None of these (0)",
                actions.none_of_these,
                "The lesion stays there as it is; on to the next part of the region, after the last it is decided",
                id="none-of-these",
            )


def _worklist(actions: Any) -> None:
    with html.Div(classes="worklist", id="worklist"), html.Table():
        with html.Thead(), html.Tr():
            for title, tip in (
                ("", "state"),
                (
                    "question",
                    "“too much?”: a part of the lesion that may be none; “missing?”: what may be lesion beside it; and "
                    "where that is",
                ),
                ("expected error", "volume that is expected to be wrong there: where to look first"),
                (
                    "why",
                    "which modality disagrees; “T1 alone (51 %, 40 % without T1)”: the mean probability of lesion "
                    "there, with all modalities and with T1 switched off, where it falls below one half",
                ),
            ):
                with html.Th(title):
                    tooltip(tip)
        with (
            html.Tbody(),
            html.Tr(
                v_for="r in s_regions",
                key="r.id",
                click=(actions.choose, "[r.id]"),
                classes=("['region', r.state, r.id === s_region ? 'chosen' : '']",),
                id=("'region-' + r.id",),
                raw_attrs=REACHED_BY_KEYS,
            ),
        ):
            with html.Td():
                v3.VIcon(icon=(f"{ICONS}[r.state]",), size="small", title=("r.status",))
            html.Td("{{ r.place }}")
            html.Td("{{ r.error_ml }}", classes="value")
            html.Td("{{ [r.why, r.status === 'open' ? '' : r.status].filter(Boolean).join(' · ') }}")


def _tools(actions: Any) -> None:
    with html.Div(classes="tools", id="tools"):
        for name, (icon, tip, _) in TOOLS.items():
            with v3.VBtn(
                icon=True,
                size="small",
                click=(actions.tool, f"['{name}']"),
                **labeled(name),
                id=f"tool-{name}",
                variant=(f"tool === '{name}' ? 'flat' : 'text'",),
                color=(f"tool === '{name}' ? 'primary' : undefined",),
                disabled=("!!s_no_edit",),
            ):
                v3.VIcon(icon)
                tooltip(tip, "top")
        undo_and_redo(actions)
        icon_button("mdi-history", actions.restore_previous, "Bring back the contour before the last run")
    html.P("{{ s_no_edit }}", v_if="s_no_edit", classes="small", id="no-edit", raw_attrs=['role="status"'])
    with html.Div(v_if="tool === 'paint' || tool === 'erase'"):
        slider("brush_mm", "brush in mm", "Diameter of the brush", 1, 60, 1)
        switch("brush_ball", "ball", "Paint a ball over slices instead of a disk")
    with html.Div(v_if="tool === 'threshold'"):
        _threshold()
    with row(v_if="tool === 'islands' || tool === 'smooth'"):
        html.Span(
            f"{{{{ tool === 'islands' ? 'keep the largest piece' : 'median over {SMOOTHING_MM:g} mm' }}}}",
            classes="small",
        )
        _apply("Do it now, inside the region")
    switch("p_inside_region_only", "inside this region only", "Tools change nothing outside the chosen region")


def _threshold() -> None:
    """Both ends by a slider and by numbers, in the unit of the image that they are of."""
    v3.VRangeSlider(
        v_model=("threshold",),
        min=("threshold_ends[0]",),
        max=("threshold_ends[1]",),
        step=("threshold_step",),
        hide_details=True,
        density="compact",
        color="primary",
        **labeled("threshold: lowest and highest value"),
    )
    with row():
        for end, (label, change) in enumerate(THRESHOLD_ENDS):
            number_field(
                f"threshold[{end}].toFixed(threshold_step < 0.1 ? 2 : 0)",
                change,
                label,
                memo="threshold_step",
                step=("threshold_step",),
                id=f"threshold-{end}",
            )
        html.Span("{{ threshold_unit }}", classes="small")
        _apply("Everything within the range becomes lesion, inside the region")


def _apply(tip: str) -> None:
    """Nothing is applied twice, nor while something is: the button says so."""
    busy = "asked_to_apply || s_applying"
    button(
        f"{{{{ {busy} ? 'Applying' : 'Apply' }}}}",
        "window.diffufusemed.apply()",
        tip,
        disabled=(f"!!({busy} || s_no_edit)",),
        id=("'apply-' + tool",),
    )
