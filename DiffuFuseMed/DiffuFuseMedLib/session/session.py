"""Session: one reader at one case. The typed parameters, what happens when one changes, and every action of the panel.

Host-neutral: widgets call these methods and draw `screen` and `parameters` when a listener is told a topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError, input_error
from ..core.presets import VALUES, Preset
from ..core.volume import Volume
from ..engine.client.engine import Engine, EngineError
from ..models.registry import models
from ..mrml import segmentations
from ..mrml.views import watch_slices
from .context import Desk
from .display import Looking
from .engine_restart import Reviving
from .fusion import Fusing
from .history import History
from .host import Host
from .loading import Opening
from .measurement import Measuring
from .parameters import FUSION, NAMES, Parameters, changed
from .persistence import Keeping
from .preset_library import CUSTOM, OwnPresets
from .review import Reviewing
from .segmentation import Segmenting
from .view_state import Screen
from .window_level import shipped

RERUN_S = 0.4  # after a modality switch, so that two switches are one run
OF_A_RUN = frozenset(("modalities", "model", "samples", "seed"))
LOOK = frozenset(NAMES) - frozenset(FUSION) - OF_A_RUN - {"device", "inside_region_only", "protect_border"}


class Session:
    """scene: a vtkMRMLScene; presets: folder of the reader's own presets; engine: made when none is given."""

    def __init__(self, scene: Any, host: Host, engine: Engine | None = None, presets: Path | None = None) -> None:
        self.desk = Desk(scene, host, engine or Engine(on_exit=self.engine_died))
        self._presets = OwnPresets(self.desk, presets)
        self._reviving = Reviving(self.desk)
        self._history = History()
        self._rerun: Any = None
        self._watches: list[Callable[[], None]] = []
        self.looking = Looking(self.desk, self.choose_windows)
        self.fusing = Fusing(self.desk)
        self.segmenting = Segmenting(self.desk, lambda: self.reviewing.settle(), self._found)
        self.reviewing = Reviewing(self.desk, self.segmenting.mask, self.looking.jump)
        self.measuring = Measuring(self.desk, self.segmenting.mask, self._lesion_changed)
        self.opening = Opening(self.desk, self._before_forgetting, self._opened, self.protect_border)
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

    def open_volumes(
        self, given: Mapping[str, Volume], name: str, reference: str | None = None, register: str = "auto"
    ) -> None:
        """Open volumes that are in the host already, by modality key."""
        self.opening.volumes(given, name, reference, register)

    def forget(self) -> None:
        """Take the case off the desk, such as before the host closes its scene."""
        self.opening.forget()
        self.opening.describe_none()
        self.desk.tell("case", "parameters", "scene", "numbers", "run", "review", "fusion", "layers")

    def lost(self, node: Any) -> None:
        """A node is about to be deleted by someone else: without an image of the case there is no case; a result can be
        made again."""
        desk = self.desk
        role = next((role for role, held in desk.nodes.items() if held is node), None)
        if role is None:
            return
        del desk.nodes[role]
        if desk.case is not None and role in desk.case.volumes:
            self.forget()
            desk.say("warning", "An image of the case was deleted, so the case was closed: open it again.")
        elif role == "lesion":
            self._lesion_lost()
        elif role in ("fused", "fusion_uncertainty"):
            self.fusing.restart()

    def _lesion_lost(self) -> None:
        self.segmenting.stop()
        self.measuring.forget()
        self.reviewing.clear()
        desk = self.desk
        desk.prediction, desk.screen.numbers, desk.screen.gates = None, (), {}
        self.segmenting.judge()
        self.protect_border()
        desk.tell("numbers", "scene")

    def use_engine(self, engine: Engine) -> None:
        """Go on with another engine; the case is sent to it."""
        desk = self.desk
        self.segmenting.stop()
        self.fusing.stop()
        desk.engine.close()
        desk.engine = engine
        if desk.case is None:
            return
        try:
            handle = engine.start_open(desk.case)
        except EngineError as error:
            desk.complain(error)
            return
        self.opening.on_desk(desk.case, handle)
        self.protect_border()
        self.segmenting.judge()

    def close(self) -> None:
        """End of the session: the engine's process and its folder go."""
        self.desk.closed = True
        self.measuring.forget()
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
        if values.keys() & set(VALUES) and "preset" not in values:
            values["preset"] = CUSTOM
        try:
            self._check_mri(values.get("mri"))
            new = changed(before, **values)
        except InputError as error:
            self.desk.complain(error)
            self.desk.tell("parameters")
            return
        self._history.note(before, frozenset(values) - {"preset"})
        self._apply(new)

    def hold(self, held: bool = True) -> None:
        """For a host: the hand is on a slider, or has let go of it (held=False). A drag is one step to undo, however
        slow; a host that does not say leaves it to the time between two values."""
        self._history.hold(held)

    def undo(self) -> None:
        self._step(self._history.undo(self.parameters))

    def redo(self) -> None:
        self._step(self._history.redo(self.parameters))

    def presets(self) -> dict[str, Preset]:
        """The shipped presets and the reader's own, by name."""
        return self._presets.known()

    def use_preset(self, name: str) -> None:
        try:
            values = self._presets.values_of(name)
        except InputError as error:
            self.desk.complain(error)
            self.desk.tell("parameters")
            return
        self.set(**values)

    def save_preset(self, name: str, title: str, reason: str) -> None:
        """Keep the present sliders as the reader's own preset."""
        try:
            self._presets.save(name, title, reason)
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

    def choose_windows(self, names: Mapping[str, str]) -> None:
        """names: of windows (session/windows.py), by modality or windows.FUSED."""
        self.set(windows={**self.parameters.windows, **names})

    # Lesion

    def run(self) -> None:
        self._forget_rerun()
        self.segmenting.run()

    def cancel(self) -> None:
        """Stop the run, or the one that a modality switch is about to start; the scene keeps its last result."""
        self._forget_rerun()
        self.segmenting.cancel()
        self.segmenting.judge()

    def switch(self, modality: str, on: bool) -> None:
        """A modality off or on; the segmentation is run again when there is one."""
        self.set(modalities={**self.parameters.modalities, modality: on})

    # Review

    def protect_border(self) -> None:
        """Let the lesion as it stands hold its border in the fusion, or not, as the parameter says."""
        self._protect(self.segmenting.mask())

    def _protect(self, lesion: np.ndarray | None) -> None:
        self.fusing.protect(lesion if self.parameters.protect_border else None)

    def restore_previous(self) -> None:
        """The contour before the last run, the ghost, becomes the lesion again."""
        nodes, case = self.desk.nodes, self.desk.case
        if case is None or "previous" not in nodes or "lesion" not in nodes:
            self.desk.say("info", "There is no previous contour.")
            return
        mask = segmentations.mask_of(nodes["previous"], "previous", nodes[case.reference])
        segmentations.set_mask(nodes["lesion"], "lesion", mask, nodes[case.reference])
        self.measuring.look()

    # Scene

    def open_scene(self, path: Path) -> bool:
        """Bring back a saved scene; the host blocks its rendering meanwhile."""
        return self.keeping.open_scene(path)

    def adopt_scene(self) -> bool:
        """Take up the case of a scene that the host has loaded itself; False when it holds none."""
        return self.keeping.adopt_scene()

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
        if "protect_border" in names and self.desk.prediction is not None:
            self.protect_border()
        if "inside_region_only" in names:
            self.reviewing.limit()
        if names & OF_A_RUN:
            self._judge_run("modalities" in names)

    def _judge_run(self, switched: bool) -> None:
        """The result in the scene may be of other settings by now; a modality switch asks for another one at once."""
        pending = self._forget_rerun()
        if self.segmenting.is_current():
            self.segmenting.stop_run()
        elif switched and (pending or self.desk.prediction is not None or self.segmenting.running):
            self._run_again()
        self.segmenting.judge()

    def _step(self, parameters: Parameters | None) -> None:
        if parameters is not None:
            self._apply(parameters)

    def _run_again(self) -> None:
        self.segmenting.stop_run()
        self._rerun = self.desk.later(RERUN_S, self.run)

    def _forget_rerun(self) -> bool:
        """Whether there was one to come."""
        pending, self._rerun = self._rerun, None
        if pending:
            pending.cancel()
        return pending is not None

    def _check_mri(self, mri: str | None) -> None:
        there = self.fusing.mris()
        if mri and mri not in there:
            raise input_error(f"the MR {mri[:40]!r}", f"one of the case ({', '.join(there)})", "choose one of these")

    def _before_forgetting(self) -> None:
        self._forget_rerun()
        self.segmenting.stop()
        self.fusing.stop()
        self.looking.forget()
        self.reviewing.clear()
        self.measuring.forget()
        self._history = History()
        screen = self.screen
        screen.run, screen.run_words, screen.run_share, screen.run_seconds_left = "none", "", 0.0, None
        screen.fusion, screen.fusion_words, screen.legend = "none", "", {}
        screen.gates, screen.numbers, screen.change, screen.edited = {}, (), "", False
        screen.can_undo = screen.can_redo = False

    def _opened(self) -> None:
        case = self.desk.case
        moving = [key for key in case.modalities if key != case.reference]
        foreground = "PET" if "PET" in case.modalities else ""
        background = "fused" if not self.fusing.why_not() else case.reference
        self.desk.parameters = changed(
            self.parameters,
            modalities={},
            windows=shipped(self.parameters.windows),
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
        desk = self.desk
        if "fused" in desk.nodes and not self.fusing.why_not():
            self.fusing.adopt()
        else:
            self.fusing.restart()
        if desk.prediction is not None:
            desk.screen.gates = dict(desk.prediction.gates)
            self.segmenting.judge("as saved" if self.segmenting.is_current() else "")
            self.measuring.watch()
            self.measuring.adopt(self.segmenting.mask())
        self.looking.refresh()
        desk.tell("case", "parameters", "scene", "numbers", "run", "review", "fusion")

    def _found(self, new: bool) -> None:
        """A result came (new), or the reasons of its doubts."""
        if not new:
            self.reviewing.explain(self.segmenting.without)
        else:
            self.reviewing.renew()
            self.measuring.watch()
            self.measuring.renew()
            self.looking.refresh()
            self.desk.tell("scene")

    def _lesion_changed(self, lesion: np.ndarray) -> None:
        """The lesion in the scene is another than before: its border is what is protected from now on."""
        if self.parameters.protect_border:
            self._protect(lesion)

    def engine_died(self, error: EngineError) -> None:
        """For Engine(on_exit=...): on the engine's own thread."""
        self.desk.post(lambda: self._reviving.start_again(error))
