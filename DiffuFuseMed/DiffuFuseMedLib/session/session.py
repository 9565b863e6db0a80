"""Session: one reader at one case. The typed parameters, what happens when one changes, and every action of the panel.

Host-neutral: widgets call these methods and draw `screen` and `parameters` when a listener is told a topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..catalog import models
from ..data.errors import InputError
from ..data.presets import PRESETS, Preset, find_preset, save_preset, user_presets
from ..data.volume import Volume
from ..engine.client import Engine, EngineError
from ..mrml import segmentations
from ..mrml.views import watch_segmentation, watch_slices
from .desk import Desk
from .fusing import Fusing
from .history import History
from .host import Host
from .keeping import Keeping
from .looking import Looking
from .numbers import number_rows
from .opening import Opening
from .parameters import FUSION, NAMES, Parameters, changed
from .reviewing import Reviewing
from .screen import Screen
from .segmenting import Segmenting

RERUN_S = 0.4  # after a modality switch, so that two switches are one run
EDITED_S = 0.2
LOOK = frozenset(NAMES) - frozenset(FUSION) - {"modalities", "model", "samples", "seed", "device", "inside_region_only"}
CUSTOM = "custom"  # the preset's name once a slider left it


class Session:
    """scene: a vtkMRMLScene; presets: folder of the reader's own presets; engine: made when none is given."""

    def __init__(self, scene: Any, host: Host, engine: Engine | None = None, presets: Path | None = None) -> None:
        self.desk = Desk(scene, host, engine or Engine(on_exit=self._engine_died))
        self._presets = presets
        self._history = History()
        self._rerun: Any = None
        self._edit: Any = None
        self._watches: list[Callable[[], None]] = []
        self._unwatch_lesion: Callable[[], None] | None = None
        self.looking = Looking(self.desk)
        self.fusing = Fusing(self.desk)
        self.segmenting = Segmenting(self.desk, lambda: self.reviewing.decided(), self._found)
        self.reviewing = Reviewing(self.desk, self.segmenting.mask, self.looking.jump)
        self.opening = Opening(self.desk, self._before_forgetting, self._opened)
        self.keeping = Keeping(self.desk, self.segmenting, self.reviewing, self.opening, self._adopted)

    @property
    def parameters(self) -> Parameters:
        return self.desk.parameters

    @property
    def screen(self) -> Screen:
        return self.desk.screen

    def listen(self, listener: Callable[[str], None]) -> None:
        self.desk.listeners.append(listener)

    def use_editor(self, editor_node: Any) -> None:
        """The host's vtkMRMLSegmentEditorNode, which the worklist limits to its regions."""
        self.reviewing.editor_node = editor_node

    def views_made(self) -> None:
        """The host's slice views exist: follow their scrolling."""
        self._watches.append(watch_slices(self.desk.scene, lambda _: self.fusing.draw_shown()))
        self.looking.refresh()

    # Case

    def open(self, folder: str | Path, told: Mapping[str, str] | None = None, register: str = "auto") -> None:
        """Open a folder of one patient's images. told: modality by file name or series description."""
        self.opening.folder_of_files(Path(folder), told, register)

    def open_volumes(self, given: Mapping[str, Volume], name: str, reference: str | None = None) -> None:
        """Open volumes that are in the host already, by modality key."""
        self.opening.volumes(given, name, reference)

    def close(self) -> None:
        """End of the session: the engine's process and its folder go."""
        self.desk.closed = True
        self._forget_lesion_watch()
        for forget in self._watches:
            forget()
        self.desk.engine.close()

    # Parameters

    def set(self, **values: Any) -> None:
        """Change parameters, as one step that can be undone; what depends on them follows. A value that cannot be is
        refused with a message and changes nothing."""
        before = self.parameters
        values = {name: value for name, value in values.items() if getattr(before, name, None) != value}
        if not values:
            return
        if any(name in values for name in ("alpha", "beta", "gamma", "lambdas", "tau_mm")) and "preset" not in values:
            values["preset"] = CUSTOM
        try:
            new = changed(before, **values)
        except InputError as error:
            self.desk.complain(error)
            self.desk.tell("parameters")
            return
        self._history.note(before, frozenset(values) - {"preset"})
        self._apply(new)

    def undo(self) -> None:
        self._step(self._history.undo(self.parameters))

    def redo(self) -> None:
        self._step(self._history.redo(self.parameters))

    def presets(self) -> dict[str, Preset]:
        """The shipped presets and the reader's own, by name."""
        own, complaints = user_presets(self._presets) if self._presets and self._presets.is_dir() else ({}, [])
        for sentence in complaints:
            self.desk.say("warning", sentence)
        return {**PRESETS, **own}

    def use_preset(self, name: str) -> None:
        try:
            preset = self.presets().get(name) or find_preset(name)
        except InputError as error:
            self.desk.complain(error)
            return
        new = self.parameters.with_preset(preset)
        self.set(**{entry: getattr(new, entry) for entry in FUSION})

    def save_preset(self, name: str, title: str, reason: str) -> None:
        """Keep the present sliders as the reader's own preset."""
        chosen = self.parameters
        try:
            if self._presets is None:
                raise InputError("There is no folder for your own presets; start the workspace with one.")
            values = {
                key: getattr(chosen, key) for key in ("alpha", "beta", "gamma", "lambdas", "tau_mm", "ct_window_hu")
            }
            save_preset(Preset(name, title, reason, **values), self._presets / f"{name}.json")
        except InputError as error:
            self.desk.complain(error)
            return
        self.set(preset=name)
        self.desk.say("info", f"The preset {title} was saved.")
        self.desk.tell("parameters")

    def reset_fusion(self) -> None:
        """The sliders as the preset has them, the shipped default where they left it."""
        known = self.presets()
        self.use_preset(self.parameters.preset if self.parameters.preset in known else Parameters().preset)

    def segmenters(self) -> list[Any]:
        """Records of the installed models that segment."""
        return [record for record in models() if record.task == "segment"]

    # Lesion

    def run(self) -> None:
        self.segmenting.run()

    def cancel(self) -> None:
        self.segmenting.cancel()

    def switch(self, modality: str, on: bool) -> None:
        """A modality off or on; the segmentation is run again when there is one."""
        self.set(modalities={**self.parameters.modalities, modality: on})

    # Review

    def protect_border(self) -> None:
        """Let the lesion as it stands hold its border in the fusion, or not, as the parameter says."""
        self.fusing.protect(self.segmenting.mask() if self.parameters.protect_border else None)

    def restore_previous(self) -> None:
        """The contour before the last run, the ghost, becomes the lesion again."""
        nodes, case = self.desk.nodes, self.desk.case
        if case is None or "previous" not in nodes or "lesion" not in nodes:
            self.desk.say("info", "There is no previous contour.")
            return
        mask = segmentations.mask_of(nodes["previous"], "previous", nodes[case.reference])
        segmentations.set_mask(nodes["lesion"], "lesion", mask, nodes[case.reference])
        self._edited()

    # Scene

    def open_scene(self, path: Path) -> bool:
        """Bring back a saved scene; the host blocks its rendering meanwhile."""
        return self.keeping.open_scene(path)

    # What follows what

    def _apply(self, new: Parameters) -> None:
        before, self.desk.parameters = self.parameters, new
        names = {name for name in NAMES if getattr(before, name) != getattr(new, name)}
        self.desk.screen.can_undo, self.desk.screen.can_redo = self._history.can_undo, self._history.can_redo
        self.desk.tell("parameters")
        if names & set(FUSION) - {"preset"}:
            self.fusing.follow()
        if names & LOOK:
            self.looking.refresh()
        if "protect_border" in names:
            self.protect_border()
        if "inside_region_only" in names:
            self.reviewing.limit()
        if "modalities" in names and (self.desk.prediction is not None or self.segmenting.running):
            self._run_again()

    def _step(self, parameters: Parameters | None) -> None:
        if parameters is not None:
            self._apply(parameters)

    def _run_again(self) -> None:
        if self._rerun:
            self._rerun.cancel()
        self.desk.screen.run = "stale"
        self.desk.tell("run")
        self._rerun = self.desk.host.later(RERUN_S, self.run)

    def _before_forgetting(self) -> None:
        self.segmenting.stop()
        self.fusing.stop()
        self.reviewing.clear()
        self._forget_lesion_watch()
        screen = self.screen
        screen.run, screen.gates, screen.numbers, screen.change, screen.edited = "none", {}, (), "", False

    def _opened(self) -> None:
        case = self.desk.case
        moving = [key for key in case.modalities if key != case.reference]
        foreground = "PET" if "PET" in case.modalities else ""
        background = "fused" if not self.fusing.why_not() else case.reference
        self.desk.parameters = changed(
            self.parameters,
            modalities={},
            mri="",
            compare="off",
            compare_with=moving[0] if moving else "",
            foreground=foreground,
            background=background,
        )
        self.fusing.restart()
        self.looking.refresh()
        self.desk.tell("parameters", "scene", "numbers", "run")

    def _adopted(self) -> None:
        """A scene was opened: everything is as it was saved."""
        desk, screen = self.desk, self.screen
        self._history = History()
        if "fused" in desk.nodes:
            self.fusing.adopt()
        else:
            self.fusing.restart()
        if desk.prediction is not None:
            screen.run, screen.run_words, screen.gates = "ready", "as saved", dict(desk.prediction.gates)
            self._watch_lesion()
            self._edited()
        self.looking.refresh()
        self.desk.tell("case", "parameters", "scene", "numbers", "run", "review", "fusion")

    def _found(self, new: bool) -> None:
        """A result came (new), or the reasons of its doubts."""
        self.reviewing.renew(self.segmenting.without, keep=not new)
        if new:
            self._watch_lesion()
            self.count()
            self.looking.refresh()
            self.protect_border()
            self.desk.tell("scene")

    def _watch_lesion(self) -> None:
        if self._unwatch_lesion is None:
            self._unwatch_lesion = watch_segmentation(self.desk.nodes["lesion"], self._lesion_modified)

    def _forget_lesion_watch(self) -> None:
        if self._unwatch_lesion:
            self._unwatch_lesion()
        self._unwatch_lesion = None

    def _lesion_modified(self) -> None:
        if self._edit:
            self._edit.cancel()
        self._edit = self.desk.host.later(EDITED_S, self._edited)

    def _edited(self) -> None:
        """The lesion in the scene is another than before: count it again, and let its border be protected."""
        self._edit = None
        mask, prediction = self.segmenting.mask(), self.desk.prediction
        if mask is None:
            return
        self.screen.edited = prediction is None or bool((mask != (prediction.labels == 1)).any())
        self.count(mask)
        if self.parameters.protect_border:
            self.protect_border()

    def count(self, mask: Any = None) -> None:
        """The lesion's numbers as it stands."""
        mask = self.segmenting.mask() if mask is None else mask
        if mask is not None and self.desk.case is not None:
            self.screen.numbers = number_rows(mask, self.desk.case, self.desk.prediction)
            self.desk.tell("numbers")

    def _engine_died(self, error: EngineError) -> None:
        """On the engine's own thread."""
        self.desk.host.post(lambda: self._start_again(error))

    def _start_again(self, error: EngineError) -> None:
        if self.desk.closed:
            return
        self.desk.say("warning", "The engine stopped and was started again; nothing on screen was lost.", error.detail)
        try:
            self.desk.engine.start().future.add_done_callback(lambda future: future.exception())
        except EngineError as failure:
            self.desk.complain(failure)
            return
        self.fusing.again()
