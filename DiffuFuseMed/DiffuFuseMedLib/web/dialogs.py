"""Dialogs: open, save a preset, keys, tour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .panel.parts import icon_button, labeled

KEYS = (
    ("N, P", "next and previous region of the worklist"),
    ("A, S", "accept or skip the region"),
    ("1 to 4", "show another outline of the region as a ghost; the same key puts it away"),
    ("Enter", "take the outline that is shown: blended in, noted, and one step to undo; then the region's next part"),
    ("0", "none of these outlines: on to the region's next part; A settles the region at any time"),
    ("R", "run the segmentation"),
    ("B", "before / after the fusion"),
    ("U", "uncertainty on or off"),
    ("W", "change windows by dragging in a slice view"),
    ("Ctrl+Z, Ctrl+Y or Ctrl+Shift+Z", "undo and redo the last step: a slider, an edit of the lesion, a decision"),
    ("Ctrl+S", "save the scene"),
    ("Esc", "lay down the tool, put the ghost away"),
    ("mouse wheel", "scroll through the slices"),
    ("right button", "drag to zoom"),
    ("middle button", "drag to move the picture"),
    ("Shift + move", "bring all views to the point under the cursor"),
    ("H or ?", "these keys"),
)
# Which section of the panel, what it is, what to do there.
TOUR = (
    (
        "case",
        "One patient, one grid",
        "What is open, and how well PET and MR lie on the CT. Judge it by swipe or checkerboard.",
    ),
    (
        "fusion",
        "One picture under your hand",
        "Drag alpha for soft tissue like the MR, beta for bone like the CT, gamma for the lesion's border.",
    ),
    (
        "lesion",
        "The lesion",
        "Run segments it. Switch a modality off and it runs again: the gray contour is what was there before.",
    ),
    (
        "doubt",
        "Where it may be wrong",
        "Bright is uncertain. The true border lies between the two thin contours with 95 % probability.",
    ),
    (
        "review",
        "Only what needs you",
        "After a run: regions ranked by the volume expected to be wrong. N jumps to the next, 1 to 4 show other "
        "outlines of it and Enter takes one, tools work inside it alone, A accepts.",
    ),
    (
        "keep",
        "Keep it",
        "A saved scene holds everything, with who decided what; desktop Slicer opens it too. Research use only.",
    ),
)


def dialogs(actions: Any) -> None:
    _open(actions)
    _scene(actions)
    _preset(actions)
    _unsaved(actions)
    _keys()
    _tour(actions)


@contextmanager
def _dialog(state: str, title: str, width: int, **kwargs: Any) -> Iterator[None]:
    """A titled dialog with a button that closes it, as Esc does."""
    with v3.VDialog(v_model=(state, False), max_width=width, scrollable=True, **labeled(title)), v3.VCard():
        with html.Div(classes="dialog-title"):
            html.H2(title)
            icon_button("mdi-close", f"{state} = false", "Close (Esc)")
        with v3.VCardText(**kwargs):
            yield


def _open(actions: Any) -> None:
    with _dialog("open_dialog", "Open a case", 640):
        html.P("A folder on the machine that runs this workspace:")
        with html.Div(classes="panel-row"):
            _path("open_path", "folder", "open-path", (actions.open_folder, "[open_path]"))
            v3.VBtn("Open", click=(actions.open_folder, "[open_path]"), color="primary", id="open-folder")
        v3.VDivider(classes="my-4")
        with html.Div(classes="drop"):
            html.P("or drop NIfTI, NRRD, MHA, zipped or loose DICOM files of one patient anywhere on this page")
            _chooser("choose files", "case", "upload-files")
            _chooser("choose a folder", "case", "upload-folder", folder=True)
            html.P("{{ uploading || s_loading }}", raw_attrs=['role="status"'], id="sending")
        with html.Div(v_if="role_rows.length", classes="mt-4"):
            _roles(actions)


def _roles(actions: Any) -> None:
    html.P("What is what? Correct what was guessed wrong, and read again:")
    with html.Div(v_for="r in role_rows", key="r.name", classes="panel-row role-row"):
        html.Span("{{ r.name }}", classes="role-name")
        v3.VSelect(
            model_value=("r.role",),
            update_modelValue=(actions.role, "[r.name, $event]"),
            items=("role_choices",),
            density="compact",
            hide_details=True,
            variant="outlined",
            classes="role-choice",
            raw_attrs=[":aria-label=\"'role of ' + r.name\""],
        )
    v3.VBtn("Read again", click=actions.read_again, color="primary", id="read-again")
    v3.VBtn("Register again", click=actions.register_again, variant="text")


def _path(state: str, label: str, name: str, entered: Any) -> None:
    v3.VTextField(
        v_model=(state, ""),
        label=label,
        density="compact",
        hide_details=True,
        variant="outlined",
        id=name,
        keydown_enter=entered,
        __events=[("keydown_enter", "keydown.enter")],  # which the widget does not have by itself
    )


def _chooser(text: str, purpose: str, name: str, folder: bool = False) -> None:
    """A button, which a keyboard reaches, in front of the browser's own input for files, which cannot be styled."""
    v3.VBtn(text, click="$event.currentTarget.nextElementSibling.click()", variant="tonal", classes="ma-1 chooser")
    html.Input(
        type="file",
        multiple=True,
        id=name,
        style="display: none",
        raw_attrs=[*labeled(text)["raw_attrs"], *(["webkitdirectory"] if folder else [])],
        change=f"window.diffufusemed.upload($event.target.files, '{purpose}'); $event.target.value = ''",
    )


def _scene(actions: Any) -> None:
    with _dialog("scene_dialog", "Open a saved scene", 560):
        html.P("The case on screen gives way to the one in the scene.")
        with html.Div(classes="panel-row"):
            _path("scene_path", ".mrb file on this machine", "scene-path", (actions.open_scene, "[scene_path]"))
            v3.VBtn("Open", click=(actions.open_scene, "[scene_path]"), color="primary", id="open-scene-path")
        _chooser("choose a .mrb file", "scene", "upload-scene")
        html.P("{{ uploading }}", v_if=("uploading", ""), raw_attrs=['role="status"'])


def _preset(actions: Any) -> None:
    with _dialog("preset_dialog", "Save the sliders as a preset", 520):
        v3.VTextField(
            v_model=("preset_title", ""), label="title", density="compact", variant="outlined", id="preset-title"
        )
        v3.VTextarea(
            v_model=("preset_why", ""), label="why these values", rows=2, density="compact", variant="outlined"
        )
        v3.VBtn(
            "Save",
            click=(actions.save_preset, "[preset_title, preset_why]"),
            color="primary",
            disabled=("!preset_title || !preset_why",),
        )


def _unsaved(actions: Any) -> None:
    """Asked by the session, so it is answered, not closed."""
    shown = {"model_value": ("!!s_question",), "update_modelValue": "$event || trigger('key', ['stay'])"}
    with v3.VDialog(**shown, persistent=True, max_width=480, **labeled("Unsaved corrections")), v3.VCard(id="unsaved"):
        html.H2("Unsaved corrections", classes="dialog-title")
        v3.VCardText("{{ s_question }}")
        with v3.VCardActions():
            v3.VSpacer()
            v3.VBtn("Stay", click=actions.stay, variant="text")
            v3.VBtn("Discard", click=actions.discard_and_go_on, variant="text")
            v3.VBtn("Save scene", click=actions.save_and_go_on, color="primary", disabled=("!!s_saving",))


def _keys() -> None:
    with _dialog("help_dialog", "Keys", 560, classes="keys"):
        for keys, what in KEYS:
            html.Div(f"<kbd>{keys}</kbd>")
            html.Div(what)


def _tour(actions: Any) -> None:
    """A card beside the panel that marks one section after the other and never stands in the way of the work."""
    with v3.VCard(v_if=("tour_open", False), id="tour", classes="tour", elevation=12):
        v3.VCardTitle("{{ tour[tour_step].title }}")
        v3.VCardText("{{ tour[tour_step].text }}")
        with v3.VCardActions():
            html.Span("{{ tour_step + 1 }} of {{ tour.length }}", classes="small ml-3")
            v3.VSpacer()
            v3.VBtn("Leave", click=actions.end_tour, variant="text")
            v3.VBtn("Back", click="tour_step--", disabled=("tour_step === 0",), variant="text")
            v3.VBtn("Next", click="tour_step++", v_if="tour_step < tour.length - 1", color="primary")
            v3.VBtn("Start reading", click=actions.end_tour, v_else=True, color="primary")
