"""Actions: what the page's buttons and keys call, in the words of the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..mrml.views import adjust_windows
from ..session import UNUSED, Session, name_from, shown
from .tools import Tools
from .views import Views

NOT_USED = "not used"
AS_GUESSED = "by its name or tags"  # for images of a folder that could not be opened
LONGEST_SENTENCE = 500
# By the names that page.js sends.
KEY_ACTIONS = {
    **{name: name for name in ("next", "previous", "accept", "skip", "run", "undo", "redo", "save_scene", "stay")},
    **{name: name for name in ("outline_1", "outline_2", "outline_3", "outline_4", "none_of_these", "take")},
    **{name: name for name in ("toggle_before", "toggle_uncertainty", "drag_windows", "lay_down", "help")},
    "tour": "start_tour",
    "apply": "apply_tool",
}


class Actions:
    """files: the page's uploads and downloads (files.py); download: lets the page fetch an address."""

    def __init__(
        self, state: Any, session: Session, views: Views, tools: Tools, files: Any, download: Callable[[str], None]
    ) -> None:
        self._state, self._session, self._views, self._tools, self._files = state, session, views, tools, files
        self._download = download
        self._case: Any = None  # the one that was read from self._folder
        self._folder: Path | None = None
        self._listed: Path | None = None  # whose images state.role_rows names
        # the preview of a threshold is of the picture below
        state.change("tool")(lambda tool, **_: session.display.show_reference(tool == "threshold"))
        state.change("windowing")(lambda windowing, **_: self._drag_windows(bool(windowing)))

    # Case

    def open_folder(self, path: str) -> None:
        if not path.strip():
            self._session.say("info", "Type the path of a folder first.")
            return
        self._session.open(Path(path.strip()).expanduser())

    def uploaded(self, upload_id: str, purpose: str) -> None:
        folder = self._files.folder(upload_id)
        self._files.keep_only(folder, self._session.folder)
        if purpose == "scene":
            scenes = sorted(folder.rglob("*.mrb"))
            if scenes:
                self.open_scene(str(scenes[0]))
            else:
                self._session.say("error", "No saved scene arrived: send one .mrb file.")
        else:
            self._session.open(folder)

    def upload_failed(self, sentence: str) -> None:
        self._session.say("error", str(sentence)[:LONGEST_SENTENCE])

    def seen_doubts(self) -> None:
        self._session.seen_doubts()

    def register(self, modality: str) -> None:
        self._session.placement.register(modality)

    def stop_registering(self) -> None:
        self._session.placement.stop_registering()

    def reset_place(self, modality: str) -> None:
        self._session.placement.reset(modality)

    def nudge(self, modality: str, number: int, value: str) -> None:
        """value: as it was typed; an emptied field is none."""
        if str(value).strip():
            self._session.placement.nudge(modality, int(number), float(value))

    def role(self, name: str, role: str) -> None:
        """What the reader says an image is, until it is read again."""
        rows = [{**row, "role": role} if row["name"] == name else row for row in self._state.role_rows]
        self._state.role_rows = rows

    def read_again(self) -> None:
        self._open_again("auto")

    def register_again(self) -> None:
        self._open_again("always")

    def _open_again(self, register: str) -> None:
        rows = self._state.role_rows
        told = {row["name"]: UNUSED if row["role"] == NOT_USED else row["role"] for row in rows}
        told = {name: role for name, role in told.items() if role != AS_GUESSED}
        if folder := self._session.folder:
            self._session.open(folder, told, register)

    def show_roles(self) -> None:
        """The images of the folder and what each is taken for."""
        view_state, folder, case = self._session.view_state, self._session.folder, self._session.case
        if case is not self._case:
            self._case, self._folder = case, folder
        is_open = folder == self._folder  # else it could not be opened
        rows = [{"name": source, "role": key} for key, source in view_state.sources.items() if is_open]
        # what the reader chose stays where reading failed: it is mended, not made again
        before = self._state.role_rows if not is_open and folder == self._listed else []
        chosen = {row["name"]: row["role"] for row in before}
        otherwise = NOT_USED if is_open else AS_GUESSED
        rows += [{"name": name, "role": chosen.get(name, otherwise)} for name in view_state.unread]
        self._state.role_rows, self._listed = rows, folder
        self._state.role_choices = [*shown(), NOT_USED] if is_open else [*shown(), AS_GUESSED, NOT_USED]

    # Look and fuse

    def window(self, modality: str, name: str) -> None:
        self._session.choose_windows({modality: name})

    def drag_windows(self) -> None:
        """The mouse changes windows, or does not any more."""
        self._state.windowing = not self._state.windowing

    def _drag_windows(self, on: bool) -> None:
        if on:
            self._tools.lay_down()
        adjust_windows(self._session.scene, on)

    def show_healthy(self, on: bool) -> None:
        self._session.healthy.show(bool(on))

    def place_at_crosshair(self) -> None:
        self._session.probing.place_at_crosshair()

    def place_at_random(self) -> None:
        self._session.probing.place_at_random()

    def back_to_patient(self) -> None:
        self._session.probing.back()

    def preset(self, name: str) -> None:
        self._session.use_preset(name)

    def save_preset(self, title: str, reason: str) -> None:
        self._session.save_preset(name_from(title), title, reason)
        self._state.preset_dialog = False

    def accept_lesion(self) -> None:
        self._session.accept_lesion()

    def reset_fusion(self) -> None:
        self._session.reset_fusion()

    def undo(self) -> None:
        self._session.undo()

    def redo(self) -> None:
        self._session.redo()

    def before(self) -> None:
        self._state.showing_before = True
        self._session.display.show_before(True)

    def after(self) -> None:
        if self._state.showing_before:
            self._state.showing_before = False
            self._session.display.show_before(False)

    def toggle_before(self) -> None:
        self.after() if self._state.showing_before else self.before()

    def toggle_uncertainty(self) -> None:
        self._session.set(show_uncertainty=not self._session.parameters.show_uncertainty)

    # Lesion and review

    def switch(self, modality: str, on: bool) -> None:
        self._session.switch(modality, bool(on))

    def run(self) -> None:
        self._session.run()

    def cancel(self) -> None:
        self._session.cancel()

    def choose(self, region_id: int) -> None:
        self._session.review.choose(int(region_id))

    def next(self) -> None:
        self._session.review.next()

    def previous(self) -> None:
        self._session.review.previous()

    def accept(self) -> None:
        self._session.review.decide()

    def skip(self) -> None:
        self._session.review.decide(skip=True)

    def preview(self, key: str) -> None:
        self._session.choices.preview(int(key))

    def outline_1(self) -> None:
        self.preview("1")

    def outline_2(self) -> None:
        self.preview("2")

    def outline_3(self) -> None:
        self.preview("3")

    def outline_4(self) -> None:
        self.preview("4")

    def none_of_these(self) -> None:
        """What is in focus stays as it is."""
        self._session.choices.none()

    def take(self) -> None:
        """The outline that is shown as a ghost."""
        self._session.choices.take()

    def tool(self, name: str) -> None:
        if why := self._session.view_state.no_edit:
            self._session.say("info", why)
            return
        self._state.windowing = False
        self._tools.choose(name)
        self._session.display.refresh()

    def lay_down(self) -> None:
        """The mouse only looks, and no outline is shown as a ghost."""
        self._session.choices.drop()
        self._state.windowing = False
        self._tools.lay_down()

    def apply_tool(self) -> None:
        if edit := self._tools.edit_of_all():
            self._session.edit(*edit)

    def restore_previous(self) -> None:
        self._session.restore_previous()

    # Keep

    def save_scene(self) -> None:
        self._offer("mrb", self._session.persistence.save_scene_behind)

    def open_scene(self, path: str) -> None:
        if not path.strip():
            self._session.say("info", "Type the path of a saved scene first.")
            return
        self._session.open_scene_behind(Path(path.strip()).expanduser(), self._undrawn)
        self._state.scene_dialog = False

    def stop_opening(self) -> None:
        self._session.stop_opening()

    def _undrawn(self, call: Callable[[], object]) -> None:
        """What may replace the scene, with no view drawn meanwhile."""
        self._views.blocked(True)
        try:
            call()
        finally:
            self._views.blocked(False)

    # Corrections that are not saved

    def save_and_go_on(self) -> None:
        """What waits for the answer is done once the scene is saved."""
        self._offer("mrb", self._session.persistence.save_scene_behind, lambda: self._undrawn(self._session.go_on))

    def discard_and_go_on(self) -> None:
        self._undrawn(lambda: self._session.go_on(discard=True))

    def stay(self) -> None:
        self._session.stay()

    def bring_back(self) -> None:
        self._session.bring_back()

    def refuse_recovered(self) -> None:
        self._session.refuse_recovered()

    def export(self, kind: str = "") -> None:
        if not kind:  # the page's call has lost its argument
            self._session.say("info", "Choose under Keep which file to export.")
            return
        self._offer(kind, lambda path, done: self._session.persistence.export_behind(kind, path, done))

    def _offer(
        self,
        kind: str,
        write: Callable[[Path, Callable[[], None]], bool],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Let the page fetch the file once it is written; then(): called after that."""
        name = f"{self._session.view_state.case_name or 'case'}.{kind}"
        path = self._files.place(name)

        def written() -> None:
            self._download(self._files.offer(path, name))
            then()

        write(path, written)

    # Help

    def help(self) -> None:
        self._state.help_dialog = not self._state.help_dialog

    def end_tour(self) -> None:
        self._state.tour_open = False

    def start_tour(self) -> None:
        self._state.update({"tour_step": 0, "tour_open": True})
