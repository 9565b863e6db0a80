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
from .context import SessionContext
from .display import DisplayLogic
from .engine_restart import EngineRestart
from .fusion import FusionLogic
from .history import History
from .host import Host
from .loading import LoadingLogic
from .measurement import MeasurementLogic
from .parameters import FUSION, NAMES, Parameters, changed
from .persistence import PersistenceLogic
from .preset_library import CUSTOM, PresetLibrary
from .review import ReviewLogic
from .segmentation import SegmentationLogic
from .view_state import ViewState
from .window_level import shipped

RERUN_S = 0.4  # after a modality switch, so that two switches are one run
OF_A_RUN = frozenset(("modalities", "model", "samples", "seed"))
LOOK = frozenset(NAMES) - frozenset(FUSION) - OF_A_RUN - {"device", "inside_region_only", "protect_border"}


class Session:
    """scene: a vtkMRMLScene; presets: folder of the reader's own presets; engine: made when none is given."""

    def __init__(self, scene: Any, host: Host, engine: Engine | None = None, presets: Path | None = None) -> None:
        self.context = SessionContext(scene, host, engine or Engine(on_exit=self.engine_died))
        self._presets = PresetLibrary(self.context, presets)
        self._engine_restart = EngineRestart(self.context)
        self._history = History()
        self._rerun: Any = None
        self._watches: list[Callable[[], None]] = []
        self.display = DisplayLogic(self.context, self.choose_windows)
        self.fusion_logic = FusionLogic(self.context)
        self.segmentation = SegmentationLogic(self.context, lambda: self.review_logic.settle(), self._found)
        self.review_logic = ReviewLogic(self.context, self.segmentation.mask, self.display.jump)
        self.measurement = MeasurementLogic(self.context, self.segmentation.mask, self._lesion_changed)
        self.loading = LoadingLogic(self.context, self._before_forgetting, self._opened, self.protect_border)
        self.persistence = PersistenceLogic(
            self.context, self.segmentation, self.review_logic, self.loading, self._adopted
        )

    @property
    def parameters(self) -> Parameters:
        return self.context.parameters

    @property
    def view_state(self) -> ViewState:
        return self.context.view_state

    def listen(self, listener: Callable[[str], None]) -> None:
        self.context.listeners.append(listener)

    def use_editor(self, editor_node: Any) -> None:
        """The host's vtkMRMLSegmentEditorNode, which the worklist limits to its regions."""
        self.review_logic.editor_node = editor_node

    def views_made(self) -> None:
        """The host's slice views exist: follow their scrolling."""
        self._watches.append(watch_slices(self.context.scene, lambda _: self.fusion_logic.draw_shown()))
        self.display.refresh()

    # Case

    def open(self, folder: str | Path, told: Mapping[str, str] | None = None, register: str = "auto") -> None:
        """Open a folder of one patient's images. told: modality by file name or series description."""
        self.loading.folder_of_files(Path(folder), told, register)

    def open_volumes(
        self, given: Mapping[str, Volume], name: str, reference: str | None = None, register: str = "auto"
    ) -> None:
        """Open volumes that are in the host already, by modality key."""
        self.loading.volumes(given, name, reference, register)

    def forget(self) -> None:
        """Take the case out of the session, such as before the host closes its scene."""
        self.loading.forget()
        self.loading.describe_none()
        self.context.tell("case", "parameters", "scene", "numbers", "run", "review", "fusion", "layers")

    def lost(self, node: Any) -> None:
        """A node is about to be deleted by someone else: without an image of the case there is no case; a result can be
        made again."""
        context = self.context
        role = next((role for role, held in context.nodes.items() if held is node), None)
        if role is None:
            return
        del context.nodes[role]
        if context.case is not None and role in context.case.volumes:
            self.forget()
            context.say("warning", "An image of the case was deleted, so the case was closed: open it again.")
        elif role == "lesion":
            self._lesion_lost()
        elif role in ("fused", "fusion_uncertainty"):
            self.fusion_logic.restart()

    def _lesion_lost(self) -> None:
        self.segmentation.stop()
        self.measurement.forget()
        self.review_logic.clear()
        context = self.context
        context.prediction, context.view_state.numbers, context.view_state.gates = None, (), {}
        self.segmentation.judge()
        self.protect_border()
        context.tell("numbers", "scene")

    def use_engine(self, engine: Engine) -> None:
        """Go on with another engine; the case is sent to it."""
        context = self.context
        self.segmentation.stop()
        self.fusion_logic.stop()
        context.engine.close()
        context.engine = engine
        if context.case is None:
            return
        try:
            handle = engine.start_open(context.case)
        except EngineError as error:
            context.complain(error)
            return
        self.loading.on_desk(context.case, handle)
        self.protect_border()
        self.segmentation.judge()

    def close(self) -> None:
        """End of the session: the engine's process and its folder go."""
        self.context.closed = True
        self.measurement.forget()
        for forget in self._watches:
            forget()
        self.context.engine.close()

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
            self.context.complain(error)
            self.context.tell("parameters")
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
            self.context.complain(error)
            self.context.tell("parameters")
            return
        self.set(**values)

    def save_preset(self, name: str, title: str, reason: str) -> None:
        """Keep the present sliders as the reader's own preset."""
        try:
            self._presets.save(name, title, reason)
        except InputError as error:
            self.context.complain(error)
            return
        self.set(preset=name)
        self.context.say("info", f"The preset {title} was saved.")
        self.context.tell("parameters")

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
        self.segmentation.run()

    def cancel(self) -> None:
        """Stop the run, or the one that a modality switch is about to start; the scene keeps its last result."""
        self._forget_rerun()
        self.segmentation.cancel()
        self.segmentation.judge()

    def switch(self, modality: str, on: bool) -> None:
        """A modality off or on; the segmentation is run again when there is one."""
        self.set(modalities={**self.parameters.modalities, modality: on})

    # Review

    def protect_border(self) -> None:
        """Let the lesion as it stands hold its border in the fusion, or not, as the parameter says."""
        self._protect(self.segmentation.mask())

    def _protect(self, lesion: np.ndarray | None) -> None:
        self.fusion_logic.protect(lesion if self.parameters.protect_border else None)

    def restore_previous(self) -> None:
        """The contour before the last run, the ghost, becomes the lesion again."""
        nodes, case = self.context.nodes, self.context.case
        if case is None or "previous" not in nodes or "lesion" not in nodes:
            self.context.say("info", "There is no previous contour.")
            return
        mask = segmentations.mask_of(nodes["previous"], "previous", nodes[case.reference])
        segmentations.set_mask(nodes["lesion"], "lesion", mask, nodes[case.reference])
        self.measurement.look()

    # Scene

    def open_scene(self, path: Path) -> bool:
        """Bring back a saved scene; the host blocks its rendering meanwhile."""
        return self.persistence.open_scene(path)

    def adopt_scene(self) -> bool:
        """Take up the case of a scene that the host has loaded itself; False when it holds none."""
        return self.persistence.adopt_scene()

    # What follows what

    def _apply(self, new: Parameters) -> None:
        before, self.context.parameters = self.parameters, new
        names = {name for name in NAMES if getattr(before, name) != getattr(new, name)}
        self.context.view_state.can_undo, self.context.view_state.can_redo = (
            self._history.can_undo,
            self._history.can_redo,
        )
        self.context.tell("parameters")
        if names & set(FUSION) - {"preset"}:
            self.fusion_logic.follow()
        if names & LOOK:
            self.display.refresh()
        if "protect_border" in names and self.context.prediction is not None:
            self.protect_border()
        if "inside_region_only" in names:
            self.review_logic.limit()
        if names & OF_A_RUN:
            self._judge_run("modalities" in names)

    def _judge_run(self, switched: bool) -> None:
        """The result in the scene may be of other settings by now; a modality switch asks for another one at once."""
        pending = self._forget_rerun()
        if self.segmentation.is_current():
            self.segmentation.stop_run()
        elif switched and (pending or self.context.prediction is not None or self.segmentation.running):
            self._run_again()
        self.segmentation.judge()

    def _step(self, parameters: Parameters | None) -> None:
        if parameters is not None:
            self._apply(parameters)

    def _run_again(self) -> None:
        self.segmentation.stop_run()
        self._rerun = self.context.later(RERUN_S, self.run)

    def _forget_rerun(self) -> bool:
        """Whether there was one to come."""
        pending, self._rerun = self._rerun, None
        if pending:
            pending.cancel()
        return pending is not None

    def _check_mri(self, mri: str | None) -> None:
        there = self.fusion_logic.mris()
        if mri and mri not in there:
            raise input_error(f"the MR {mri[:40]!r}", f"one of the case ({', '.join(there)})", "choose one of these")

    def _before_forgetting(self) -> None:
        self._forget_rerun()
        self.segmentation.stop()
        self.fusion_logic.stop()
        self.display.forget()
        self.review_logic.clear()
        self.measurement.forget()
        self._history = History()
        view_state = self.view_state
        view_state.run, view_state.run_words, view_state.run_share, view_state.run_seconds_left = "none", "", 0.0, None
        view_state.fusion, view_state.fusion_words, view_state.legend = "none", "", {}
        view_state.gates, view_state.numbers, view_state.change, view_state.edited = {}, (), "", False
        view_state.can_undo = view_state.can_redo = False

    def _opened(self) -> None:
        case = self.context.case
        moving = [key for key in case.modalities if key != case.reference]
        foreground = "PET" if "PET" in case.modalities else ""
        background = "fused" if not self.fusion_logic.why_not() else case.reference
        self.context.parameters = changed(
            self.parameters,
            modalities={},
            windows=shipped(self.parameters.windows),
            mri="",
            compare="off",
            compare_with=moving[0] if moving else "",
            foreground=foreground,
            background=background,
        )
        self.fusion_logic.restart()
        self.display.refresh()
        self.context.tell("parameters", "scene", "numbers", "run")

    def _adopted(self) -> None:
        """A scene was opened: everything is as it was saved."""
        context = self.context
        if "fused" in context.nodes and not self.fusion_logic.why_not():
            self.fusion_logic.adopt()
        else:
            self.fusion_logic.restart()
        if context.prediction is not None:
            context.view_state.gates = dict(context.prediction.gates)
            self.segmentation.judge("as saved" if self.segmentation.is_current() else "")
            self.measurement.watch()
            self.measurement.adopt(self.segmentation.mask())
        self.display.refresh()
        context.tell("case", "parameters", "scene", "numbers", "run", "review", "fusion")

    def _found(self, new: bool) -> None:
        """A result came (new), or the reasons of its doubts."""
        if not new:
            self.review_logic.explain(self.segmentation.without)
        else:
            self.review_logic.renew()
            self.measurement.watch()
            self.measurement.renew()
            self.display.refresh()
            self.context.tell("scene")

    def _lesion_changed(self, lesion: np.ndarray) -> None:
        """The lesion in the scene is another than before: its border is what is protected from now on."""
        if self.parameters.protect_border:
            self._protect(lesion)

    def engine_died(self, error: EngineError) -> None:
        """For Engine(on_exit=...): on the engine's own thread."""
        self.context.post(lambda: self._engine_restart.start_again(error))
