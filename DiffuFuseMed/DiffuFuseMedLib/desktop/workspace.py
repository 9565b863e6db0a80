"""Workspace: session, engine and panel put together, and what Slicer tells of its scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..mrml import parameters
from ..session import Engine, EngineError, Message, Session, Topic, state_folder
from . import environment
from .banner import Banner
from .context import Panel
from .doubts import Doubts
from .editor import Editor
from .imports import Imports
from .qt_host import QtHost
from .qt_process import QtProcess
from .qt_views import QtViews
from .sections import SECTIONS
from .wire import Wire

PRESETS = "DiffuFuseMed/presets"
RECORD_S = 0.5
RECORDED = (Topic.CASE, Topic.SCENE, Topic.REVIEW, Topic.NUMBERS)  # what a saved scene has to hold
DEATHS = 3  # of the engine without one answer in between: it is not started again

_open: list[Workspace] = []


def is_open() -> bool:
    """Whether there is a workspace on Slicer's scene: two would take each other's case, parameters and layers apart."""
    return bool(_open)


class Workspace:
    """ui: the .ui's widgets by name; resource(path): where a file of Resources lies; engine: made when none is given,
    from (python, on_exit, later)."""

    def __init__(self, ui: Any, resource: Callable[[str], str], engine: Callable[..., Engine] | None = None) -> None:
        self._ui = ui
        self._make_engine = engine or _engine
        self.host = QtHost(self._complain)
        self._deaths = 0
        self._python = environment.chosen_python()
        self.session = Session(slicer.mrmlScene, self.host, self._new_engine(), _presets_folder(), state_folder())
        self.views = QtViews()
        self.editor = Editor(ui.editorFrame)
        self.session.use_editor(self.editor.node)
        wire = Wire(self._complain)
        self.panel = Panel(
            ui, self.session, wire, self.editor, resource, self.when_ready, self.choose_python, self._python
        )
        self.sections: dict[str, Any] = {section.__name__.lower(): section(self.panel) for section in SECTIONS}
        self.doubts = Doubts(self.panel)
        self.banner = Banner(self.panel, self.check)
        self._imports = Imports(slicer.mrmlScene)
        self._waiting: list[Callable[[], None]] = []
        self._wait_said: Message | None = None  # that they wait
        self._check: environment.Check | None = None
        self._topics: set[Topic] = set()
        self._fitted: str | None = None
        self._entered = False
        self._record: Any = None
        self.session.listen(self._told)
        self.session.listen(self._record_later, *RECORDED)
        self.session.views_made()
        self._draw(set(Topic))
        self.check()
        _open.append(self)

    # The module is shown, or not

    def enter(self) -> None:
        if self._entered:
            return
        self._entered = True
        self.views.remember()
        self.editor.enter()
        self._each("enter")
        if self.session.case is None:
            self.sections["inputs"].guess()
        self.session.display.refresh()

    def exit(self) -> None:
        if not self._entered:
            return
        self._entered = False
        self._each("exit")
        self.editor.exit()
        self.views.bring_back()

    def close(self) -> None:
        """The module goes: engine, timers and observers with it."""
        self.exit()
        if self._check is not None:
            self._check.stop()
        self.session.close()
        self.host.close()
        _open.remove(self)

    # The scene

    def scene_closing(self) -> None:
        self.editor.leave_segmentation()
        self.views.forget()
        self.session.forget()

    def scene_closed(self) -> None:
        self.session.use_editor(self.editor.renew_node())
        if self._entered:
            self.views.remember()

    def scene_loading(self) -> None:
        self._imports.begin()

    def scene_loaded(self) -> None:
        """Take up the case of a saved scene, whichever host saved it, unless one is open."""
        self.session.use_editor(self.editor.renew_node())
        if self.session.case is not None:
            self._keep_the_case()
            return
        self._imports.keep_theirs()
        self.sections["inputs"].restore()
        if not self.session.adopt_scene() and self._entered:
            self.sections["inputs"].guess()
        elif not self._entered:
            self.views.forget()

    def _keep_the_case(self) -> None:
        if self._imports.keep_mine():
            sentence = _(
                "The scene holds another case: its images came as plain volumes, close this scene to read on it."
            )
            self.session.say("warning", sentence)
        if self._entered:  # the scene brought its own layers and editor's settings
            self.session.display.refresh()
            self.session.review.limit()

    def scene_saving(self) -> None:
        """What Slicer's own Save writes holds the case too."""
        self.session.persistence.record()

    def scene_saved(self) -> None:
        self.session.persistence.saved_by_host()

    def node_removed(self, node: Any) -> None:
        self.session.lost(node)

    # The engine and its Python

    def when_ready(self, call: Callable[[], None]) -> None:
        """Call when the engine's Python has what it needs, which is said as long as it is asked; explain when it lacks
        something. What is asked for twice meanwhile is done once."""
        found = self.panel.found
        if found is None:
            self._waiting = [waiting for waiting in self._waiting if waiting != call] + [call]
            sentence = _("The engine's Python is still being checked: what you asked for begins when that is finished.")
            self._wait_said = self.session.say("info", sentence)
        elif found.ready:
            call()
        else:
            self.session.say("error", self.banner.sentence(found))

    def check(self) -> None:
        """Ask the engine's Python what it has."""
        if self._check is not None:
            self._check.stop()
        self.panel.found, self.panel.python = None, self._python
        self._draw_environment()
        self._check = environment.Check(self._python, lambda found: self.host.post(lambda: self._checked(found)))

    def choose_python(self, python: str) -> None:
        """Run the engine with another Python; empty for Slicer's own."""
        environment.choose_python(python)
        self._python = environment.chosen_python()
        self._deaths = 0
        self.session.use_engine(self._new_engine())
        self.check()

    def _checked(self, found: environment.Found) -> None:
        self.panel.found = found
        waiting, self._waiting = self._waiting, []
        if self._wait_said is not None:
            self.session.unsay(self._wait_said)
            self._wait_said = None
        self._draw_environment()
        for call in waiting:
            try:
                self.when_ready(call)
            except Exception as error:
                self._complain(error)

    def _new_engine(self) -> Engine:
        return self._make_engine(self._python, self._engine_ended, self.host.later, self._answered)

    def _answered(self, handle: Any, reply: Any) -> None:
        if getattr(reply, "code", "") != "died":
            self._deaths = 0
        self.session.engine_answered(handle, reply)

    def _engine_ended(self, error: EngineError) -> None:
        """Start it again, but not for ever: one that cannot start would be started without end."""
        self._deaths += 1
        if self._python == environment.RUNNING:  # nothing here could start it again
            words = (error.detail or str(error)).splitlines()[-1]
            self.session.engine_given_up(words)
            return
        if self._deaths < DEATHS:
            self.session.engine_died(error)
        else:
            sentence = _("The engine ended {count} times in a row: see About for the Python that runs it.")
            self.session.engine_given_up(sentence.format(count=self._deaths), error.detail or str(error))

    # Drawing

    def _told(self, topic: Topic) -> None:
        """Draw once for all that is told in one go."""
        if not self._topics:
            self.host.post(self._draw_told)
        self._topics.add(topic)

    def _record_later(self, _: Topic) -> None:
        """The scene holds the case at any time: Slicer's own Save writes volumes before it tells that it saves."""
        if self._record is None:
            self._record = self.host.later(RECORD_S, self._keep)

    def _keep(self) -> None:
        self._record = None
        self.session.persistence.record(at_once=False)

    def _draw_told(self) -> None:
        topics, self._topics = self._topics, set()
        self._draw(topics)

    def _draw(self, topics: set[Topic]) -> None:
        for topic in Topic:
            if topic in topics:
                self._draw_one(topic)
        if Topic.SCENE in topics:
            self._fit()

    def _draw_one(self, topic: Topic) -> None:
        if topic is Topic.MESSAGE:
            self._show_message()
        elif topic is Topic.QUESTION:
            self._ask()
        elif topic is Topic.PARAMETERS:
            parameters.save(self.session.parameters, slicer.mrmlScene)
        self.doubts.draw(topic)
        for section in self.sections.values():
            section.draw(topic)

    def _draw_environment(self) -> None:
        """What the engine's Python has is known, or is being asked."""
        self.banner.draw()
        self._each("draw_environment")

    def _fit(self) -> None:
        """A new case fills the views once."""
        session = self.session
        if session.case is not None and self._entered and self._fitted != session.case_id:
            self._fitted = session.case_id
            self.views.show_case()
            self.session.display.refresh()
            self.session.fusion.draw_shown()

    def _show_message(self) -> None:
        message = self.session.view_state.message
        self._ui.messageLabel.text = message.sentence if message else ""
        self._ui.messageLabel.visible = message is not None
        if message is not None and message.level == "error" and not slicer.app.testingEnabled():
            if message.detail:
                slicer.util.errorDisplay(message.sentence, detailedText=message.detail)
            else:
                slicer.util.errorDisplay(message.sentence)

    def _ask(self) -> None:
        """What the session asks before unsaved corrections would go."""
        if not self.session.view_state.question:
            return
        box = qt.QMessageBox
        title, buttons = _("Unsaved corrections"), box.Save | box.Discard | box.Cancel
        answer = box.question(slicer.util.mainWindow(), title, self.session.view_state.question, buttons)
        if answer == box.Save:
            self.sections["results"].ask_scene()
        self.session.go_on(discard=answer == box.Discard)
        self.session.stay()  # where the saving came to nothing too

    def _complain(self, error: BaseException) -> None:
        self.session.complain(error)

    def _each(self, call: str) -> None:
        for section in self.sections.values():
            if hasattr(section, call):
                getattr(section, call)()


def _engine(python: str, on_exit: Callable, later: Callable, on_reply: Callable) -> Engine:
    """All on Qt's event loop: a thread of Python stands still while Slicer waits for events."""
    options: dict[str, Any] = {"on_exit": on_exit, "on_reply": on_reply, "spawn": QtProcess, "later": later}
    if python == environment.RUNNING:
        return Engine(environment.own_python(), module=environment.ATTACH, **options)
    return Engine(python, **options)


def _presets_folder() -> Path:
    """Where this user's presets lie, beside Slicer's settings."""
    folder = Path(qt.QSettings().fileName()).parent / PRESETS
    folder.mkdir(parents=True, exist_ok=True)
    return folder
