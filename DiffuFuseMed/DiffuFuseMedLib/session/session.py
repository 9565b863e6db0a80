"""Session: one reader at one case. The typed parameters, what happens when one changes, and every action of the panel.

Host-neutral: widgets call these methods, or those of its parts (facade.py), and draw `view_state` and `parameters` when
a listener is told a topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.errors import InputError, input_error
from ..core.mask_edits import Edit
from ..core.modalities import spec_of
from ..core.prediction import Prediction
from ..core.presets import VALUES, Preset
from ..core.suv_units import DEFAULT as DEFAULT_SUV
from ..core.suv_units import SUV_UNITS, suv_scale, why_not
from ..core.volume import Volume
from ..engine.client.engine import Engine, EngineError
from ..models.registry import models
from ..mrml.views import Forget, watch_slices
from . import export_reasons, outlines
from .acceptance import Acceptance
from .alarm import Alarm
from .annotators import Annotators
from .autosave import Autosave
from .choices import GHOST, ChoiceLogic
from .context import SessionContext
from .cursor_probe import CursorProbe, Place
from .display import DIFFERENCE, MADE_UP, OUTLINES, SYNTHETIC, DisplayLogic
from .domain import DomainGuard
from .engine_restart import EngineRestart
from .events import Topic
from .exports import Exports
from .facade import (
    ChoicesFacade,
    DisplayFacade,
    FusionFacade,
    HealthyFacade,
    LesionFacade,
    PersistenceFacade,
    PlacementFacade,
    ProbingFacade,
    ReviewFacade,
)
from .fusion import FusionLogic
from .healthy import HealthyLogic
from .host import Host
from .lesion import Lesion
from .loading import LoadingLogic
from .numbers import change_words
from .parameters import FUSION, NAMES, PROBE, Parameters, changed
from .persistence import PersistenceLogic
from .placement import POSE, PlacementLogic
from .preset_library import CUSTOM, PresetLibrary
from .probing import ProbingLogic
from .reading import Reading
from .region_outline import RegionOutline
from .result_nodes import write_result
from .review import ReviewLogic
from .roots import Roots
from .segmentation import PLACED, REQUESTED, SegmentationLogic
from .steps import DECISIONS, LESION, OF_A_RESULT, PARAMETERS, PLACE, Steps
from .tool_edits import ToolEdits
from .unsaved import Unsaved
from .view_state import Message, ViewState
from .window_level import rescaled, shipped

GONE = ("died", "closed", "cancelled")  # codes of replies that no engine gave
RERUN_S = 0.4  # after a modality switch, so that two switches are one run
PLACES = frozenset(("registered", "moved"))
OF_A_RUN = frozenset(("modalities", "model", "samples", "seed")) | PLACES
LOOK = frozenset(NAMES) - frozenset(FUSION) - OF_A_RUN - frozenset(PROBE)
LOOK -= {"device", "inside_region_only", "protect_border"}
IN_WORDS = {  # of parameters whose names say little by themselves
    "registered": "an image's place",
    "moved": "an image's place",
    "suv": "the SUV",
    "windows": "gray windows",
    "modalities": "the modalities used",
    "inside_region_only": "where tools may edit",
    "protect_border": "whether gamma draws the lesion's border",
    "probe_diameter_mm": "the synthetic tumor's size",
    "probe_contrast": "the synthetic tumor's contrast",
}
ANOTHER_CASE = "another case is opened"
EXPORTED = (
    Topic.CASE,
    Topic.FUSION,
    Topic.RUN,
    Topic.NUMBERS,
    Topic.REVIEW,
    Topic.PROBING,
)  # on which it depends what can leave
OF_A_CASE = (Topic.CASE, Topic.PARAMETERS, Topic.SCENE, Topic.NUMBERS, Topic.RUN, Topic.REVIEW, Topic.FUSION)


class Session:
    """scene: a vtkMRMLScene; presets: folder of the reader's own presets; engine: made when none is given; corrections:
    folder in which unsaved corrections are kept, None for nowhere; reading: how files are read, in this process by
    default; roots: what may be opened, everything by default.

    All of it is for the host's thread only, but for engine_died().
    """

    def __init__(
        self,
        scene: Any,
        host: Host,
        engine: Engine | None = None,
        presets: Path | None = None,
        corrections: Path | None = None,
        reading: Reading | None = None,
        roots: Roots | None = None,
    ) -> None:
        context = SessionContext(scene, host, engine or self._an_engine(), reading)
        self._context, self._roots = context, roots
        self._presets = PresetLibrary(context, presets)
        self._engine_restart = EngineRestart(context)
        self._steps = Steps(context)
        self._rerun = Alarm(context)
        self._watches: list[Forget] = []
        self._display = DisplayLogic(context, self.choose_windows)
        self._fusion = FusionLogic(context)
        self._lesion = Lesion(context, self._steps, self._lesion_changed)
        self._review = ReviewLogic(context, self._lesion, self._steps, self._display.jump)
        self._healthy = HealthyLogic(context, self._lesion, self._display)
        self._choices = ChoiceLogic(context, self._lesion, self._review, self._steps)
        self._tool_edits = ToolEdits(context, self._lesion, self._review)
        self._probing = ProbingLogic(context, self._lesion, self._display, self._healthy, self._review)
        self._say_what_goes_back()
        self._acceptance = Acceptance(context, self._review, self._steps, self._protect_border)
        self.listen(lambda _: self._decisions_changed(), Topic.REVIEW)
        outline = RegionOutline(context, lambda: self._review.current, self._review.part_mask)
        self.listen(lambda _: outline.draw(), Topic.REVIEW, Topic.CASE)
        self.listen(lambda _: outlines.note(context, outline.node), *outlines.TOLD_WITH)
        self._autosave = Autosave(context, self._lesion, self._review, self._steps, corrections, self._run_as)
        self._unsaved = Unsaved(context, self._lesion, self._review, self._steps, self._autosave.changed)
        self._segmentation = SegmentationLogic(context, self._result_came, self._reasons_came)
        self._loading = LoadingLogic(context, self._before_forgetting, self._opened, self._protect_border)
        self._placement = PlacementLogic(context, self._image_moves, self._image_landed, self.set, self._press)
        self._domain = DomainGuard(context)
        self._annotators = Annotators(context, self._lesion)
        of_a_report = self._preset, self._annotators, self._probing.record_for
        exports = Exports(context, self._lesion, self._review, *of_a_report)
        parts = (self._lesion, self._review, self._acceptance)
        self._persistence = PersistenceLogic(
            context,
            *parts,
            self._choices,
            self._loading,
            exports,
            self._placement,
            self._unsaved,
            self._probing,
            self._adopted,
        )
        context.events.listen(lambda _: export_reasons.judge(self.view_state), *EXPORTED)

    # What there is

    @property
    def parameters(self) -> Parameters:
        return self._context.parameters

    @property
    def view_state(self) -> ViewState:
        return self._context.view_state

    @property
    def case(self) -> Case | None:
        return self._context.case

    @property
    def case_id(self) -> str | None:
        """Another one for each case that was opened."""
        return self._context.case_id

    @property
    def folder(self) -> Path | None:
        """Where the images were read from last, also where they could not be opened."""
        return self._loading.folder

    @property
    def prediction(self) -> Prediction | None:
        """The last result, without what the reader corrected."""
        return self._context.prediction

    @property
    def scene(self) -> Any:
        return self._context.scene

    @property
    def nodes(self) -> Mapping[str, Any]:
        """The case's nodes by role: a modality key, "fused", "lesion", "previous" ..."""
        return MappingProxyType(self._context.nodes)

    @property
    def reference_node(self) -> Any:
        """The volume whose grid everything of the case has; None without a case."""
        return self._context.reference_node

    @property
    def engine(self) -> Engine:
        return self._context.engine

    # Its parts

    @property
    def display(self) -> DisplayFacade:
        return self._display

    @property
    def healthy(self) -> HealthyFacade:
        return self._healthy

    @property
    def probing(self) -> ProbingFacade:
        return self._probing

    @property
    def fusion(self) -> FusionFacade:
        return self._fusion

    @property
    def lesion(self) -> LesionFacade:
        return self._lesion

    @property
    def review(self) -> ReviewFacade:
        return self._review

    @property
    def choices(self) -> ChoicesFacade:
        return self._choices

    @property
    def persistence(self) -> PersistenceFacade:
        return self._persistence

    @property
    def placement(self) -> PlacementFacade:
        return self._placement

    def _say_what_goes_back(self) -> None:
        steps, lesion, review = self._steps, self._lesion, self._review
        steps.unnoted = lesion.note
        steps.add(PARAMETERS, lambda: self.parameters, self._apply)
        steps.add(LESION, lesion.voxels, lesion.put_back)
        steps.add(DECISIONS, review.decisions, review.put_back)
        steps.add(PLACE, review.place, review.return_to)

    # Corrections that are not saved

    def go_on(self, discard: bool = False) -> None:
        """What view_state.question asks about is done: the reader has saved the scene, or lets the corrections go."""
        self._unsaved.go_on(discard)

    def stay(self) -> None:
        """What view_state.question asks about is not done."""
        self._unsaved.stay()

    def bring_back(self) -> None:
        """The corrections that view_state.recovered offers: their run is made again, and they come with its result."""
        self._unsaved.before("earlier ones are brought back", self._autosave.bring_back)

    def refuse_recovered(self) -> None:
        """What view_state.recovered offers is deleted."""
        self._autosave.refuse()

    def _run_as(self, made: Mapping[str, Any]) -> None:
        on = {key: key in made["modalities"] for key in self._context.opened.modalities}
        lay = {key: [tuple(numbers) for numbers in poses] for key, poses in made.get(PLACED, {}).items()}
        places = {
            "registered": {key: by for key, (by, _) in lay.items()},
            "moved": {k: by for k, (_, by) in lay.items()},
        }
        self.set(model=made["model"], samples=made["samples"], seed=made["seed"], modalities=on, **places)
        self.run()

    # What is told

    def listen(self, listener: Callable[[Topic], None], *topics: Topic) -> None:
        """listener(topic): called for each of these topics, for every one where none is named."""
        self._context.events.listen(listener, *topics)

    def say(self, level: str, sentence: str, detail: str = "") -> Message:
        """Show a message. level: info, warning or error; detail: below it, for a bug report."""
        return self._context.say(level, sentence, detail)

    def unsay(self, message: Message) -> None:
        """Take a message off the screen, unless another one took its place."""
        self._context.unsay(message)

    def complain(self, error: BaseException) -> None:
        """Show an error as one sentence for the reader."""
        self._context.complain(error)

    # The host's views and tools

    def use_editor(self, editor_node: Any) -> None:
        """The host's vtkMRMLSegmentEditorNode, which the worklist limits to its regions."""
        self._review.editor_node = editor_node
        self._review.limit()

    def views_made(self) -> None:
        """The host's slice views exist: follow their scrolling."""
        self._watches.append(watch_slices(self.scene, lambda _: self._fusion.draw_shown()))
        self._display.refresh()

    def follow_cursor(self, show: Callable[[Place | None, dict[str, str]], None]) -> CursorProbe:
        """show(place, values): the values under the mouse; the place is RAS mm, None where it left the views."""
        return CursorProbe(self._context, self._display.probe, show)

    # Case

    def open(self, folder: str | Path, told: Mapping[str, str] | None = None, register: str = "auto") -> None:
        """Open a folder of one patient's images. told: modality by file name or series description."""
        if self._may_open(Path(folder)):
            self._unsaved.before(ANOTHER_CASE, lambda: self._loading.folder_of_files(Path(folder), told, register))

    def _may_open(self, path: Path) -> bool:
        """Whether the path lies below the roots; says so where it does not."""
        try:
            if self._roots is not None:
                self._roots.check(path)
        except InputError as error:
            self._context.complain(error)
            return False
        return True

    def open_case(self, case: Case) -> None:
        """Open a case that is in memory already."""
        self._unsaved.before(ANOTHER_CASE, lambda: self._loading.adopt(case, ()))

    def open_volumes(
        self, given: Mapping[str, Volume], name: str, reference: str | None = None, register: str = "auto"
    ) -> None:
        """Open volumes that are in the host already, by modality key."""
        self._unsaved.before(ANOTHER_CASE, lambda: self._loading.volumes(given, name, reference, register))

    def seen_doubts(self) -> None:
        """The reader has seen what may be wrong with the images; the report says it all the same."""
        self.view_state.doubts = ()
        self._context.tell(Topic.CASE)

    def forget(self) -> None:
        """Take the case out of the session, such as before the host closes its scene."""
        self._loading.forget()
        self._loading.describe_none()
        self._context.tell(*OF_A_CASE, Topic.LAYERS)

    def lost(self, node: Any) -> None:
        """A node is about to be deleted by someone else: without an image of the case there is no case; a result can be
        made again."""
        context = self._context
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
            self._fusion.restart()
        elif role == GHOST:
            self._choices.drop()
        elif role.startswith((MADE_UP, DIFFERENCE)):
            self._healthy.forget()
        elif role == OUTLINES or role.startswith(SYNTHETIC):
            self._probing.back()
        elif role.startswith(POSE) and context.case is not None:
            self._placement.show()

    def _lesion_lost(self) -> None:
        self._segmentation.stop()
        self._autosave.leave(discard=False)
        self._unsaved.forget()
        self._lesion.forget()
        self._review.clear()
        self._choices.forget()
        self._healthy.forget()
        self._probing.back()
        self._steps.forget(*OF_A_RESULT)
        self._acceptance.reset()
        context = self._context
        context.prediction, context.view_state.numbers, context.view_state.gates = None, (), {}
        self._segmentation.judge()
        self._protect_border()
        context.tell(Topic.NUMBERS, Topic.SCENE)

    def use_engine(self, engine: Engine) -> None:
        """Go on with another engine; the case is sent to it."""
        context = self._context
        self._segmentation.stop()
        self._fusion.stop()
        self._healthy.forget()
        self._probing.back()
        context.engine.close()
        context.engine = engine
        if context.case is None:
            return
        try:
            handle = engine.start_open(context.case)
        except EngineError as error:
            context.complain(error)
            return
        self._loading.hand_over(context.case, handle)
        self._protect_border()
        self._segmentation.judge()

    def close(self) -> None:
        """End of the session: the engine's process and its folder go."""
        self._context.closed = True
        self._autosave.leave(discard=False)
        self._lesion.forget()
        for forget in self._watches:
            forget()
        self._context.engine.close()

    # Parameters

    def set(self, **values: Any) -> None:
        """Change parameters, as one step that can be undone; what depends on them follows. Changes of the same ones in
        quick succession are one drag. A value that cannot be is refused with a message and changes nothing."""
        self._set(values, drags=True)

    def _press(self, **values: Any) -> None:
        """set() by a button: a step of its own, however soon after a drag of the same parameters."""
        self._set(values, drags=False)

    def _set(self, values: dict[str, Any], drags: bool) -> None:
        before = self.parameters
        values = {name: value for name, value in values.items() if getattr(before, name, None) != value}
        if not values:
            return
        if values.keys() & set(VALUES) and "preset" not in values:
            values["preset"] = CUSTOM
        try:
            self._check_mri(values.get("mri"))
            values = self._in_unit(values)
            new = changed(before, **values)
        except InputError as error:
            self._context.complain(error)
            self._context.tell(Topic.PARAMETERS)
            return
        names = frozenset(values) - {"preset"} or frozenset(values)
        self._steps.unnoted()
        changes = f"a change of {_words(names)}", {PARAMETERS: before}, {PARAMETERS: new}
        self._steps.note(*changes, dragged=names if drags else frozenset())
        self._apply(new)

    def hold(self, held: bool = True) -> None:
        """For a host: the hand is on a slider, or has let go of it (held=False). A drag is one step to undo, however
        slow; a host that does not say leaves it to the time between two values."""
        self._steps.hold(held)

    def undo(self) -> None:
        """Take back the last step, whatever it was: of a parameter, of the lesion, or a decision with its region."""
        self._probing.back()
        self._steps.undo()

    def redo(self) -> None:
        """Do what was taken back last again."""
        self._probing.back()
        self._steps.redo()

    def presets(self) -> dict[str, Preset]:
        """The shipped presets and the reader's own, by name."""
        return self._presets.known()

    def use_preset(self, name: str) -> None:
        try:
            values = self._presets.values_of(name)
        except InputError as error:
            self._context.complain(error)
            self._context.tell(Topic.PARAMETERS)
            return
        self.set(**values)

    def save_preset(self, name: str, title: str, reason: str) -> None:
        """Keep the present sliders as the reader's own preset."""
        try:
            self._presets.save(name, title, reason)
        except InputError as error:
            self._context.complain(error)
            return
        self.set(preset=name)
        self._context.say("info", f"The preset {title} was saved.")
        self._context.tell(Topic.PARAMETERS)

    def _preset(self) -> Preset | None:
        """The one that the sliders are at."""
        return self.presets().get(self.parameters.preset)

    def reset_fusion(self) -> None:
        """The sliders as the preset has them, the shipped default where they left it."""
        known = self.presets()
        self.use_preset(self.parameters.preset if self.parameters.preset in known else Parameters().preset)

    def segmenters(self) -> list[Any]:
        """Records of the installed models that segment."""
        return [record for record in models() if record.task == "segment"]

    def choose_windows(self, names: Mapping[str, str]) -> None:
        """names: of windows (session/window_level.py), by modality or FUSED."""
        self.set(windows={**self.parameters.windows, **names})

    # Lesion

    def run(self) -> None:
        self._probing.back()
        self._rerun.cancel()
        self._placement.when_at_rest(self._segmentation.run)

    def cancel(self) -> None:
        """Stop the run, or the one that a modality switch is about to start; the scene keeps its last result."""
        self._rerun.cancel()
        self._segmentation.cancel()
        self._segmentation.judge()

    def switch(self, modality: str, on: bool) -> None:
        """A modality off or on; the segmentation is run again when there is one."""
        self.set(modalities={**self.parameters.modalities, modality: on})

    def accept_lesion(self) -> None:
        """The reader stands for the lesion as it is: from now on gamma may draw its border."""
        self._probing.back()
        self._acceptance.accept()

    def restore_previous(self) -> None:
        """The contour before the last run, the ghost, becomes the lesion again."""
        self._probing.back()
        if not self._lesion.restore_previous():
            self.say("info", "There is no previous contour.")

    def edit(self, name: str, edit: Edit) -> None:
        """Let a rule (core/mask_edits.py) change the lesion where it may be edited, behind the reader's back.
        name: of what is applied, in a sentence, such as "the threshold"."""
        self._tool_edits.apply(name, edit)

    # Scene

    def open_scene(self, path: Path) -> bool:
        """Bring back a saved scene; the host blocks its rendering meanwhile."""
        if not self._may_open(path):
            return False
        opened = []
        self._unsaved.before("a scene is opened", lambda: opened.append(self._persistence.open_scene(path)))
        return opened == [True]

    def open_scene_behind(self, path: Path, undrawn: Callable[[Callable[[], object]], None]) -> None:
        """open_scene(), with its file read while the host goes on; undrawn(call): runs what replaces the scene with no
        view drawn. stop_opening() ends it."""
        if self._may_open(path):
            before = self._unsaved.before
            self._persistence.read_scene(path, lambda go: before("a scene is opened", lambda: undrawn(go)))

    def stop_opening(self) -> None:
        """Nothing that is being read is opened; what is open stays."""
        self._loading.stop()

    def adopt_scene(self) -> bool:
        """Take up the case of a scene that the host has loaded itself; False when it holds none."""
        return self._persistence.adopt_scene()

    # What follows what

    def _apply(self, new: Parameters) -> None:
        before, self._context.parameters = self.parameters, new
        names = {name for name in NAMES if getattr(before, name) != getattr(new, name)}
        self._context.tell(Topic.PARAMETERS)
        if names & set(FUSION) - {"preset"}:
            self._fusion.follow()
        if names & LOOK:
            self._display.refresh()
        if "suv" in names:
            self._lesion.recount()
        if "protect_border" in names and self._context.prediction is not None:
            self._protect_border()
        if "inside_region_only" in names:
            self._review.limit()
        if names & PLACES:
            self._placement.follow()
        if names & OF_A_RUN:
            self._judge_run("modalities" in names)

    def _judge_run(self, switched: bool) -> None:
        """The result in the scene may be of other settings by now; a modality switch asks for another one at once."""
        pending = self._rerun.cancel()
        if self._segmentation.is_current():
            self._segmentation.stop_run()
        elif switched and (pending or self._context.prediction is not None or self._segmentation.running):
            self._run_again()
        self._segmentation.judge()

    def _run_again(self) -> None:
        self._segmentation.stop_run()
        self._rerun.set(RERUN_S, self.run)

    def _check_mri(self, mri: str | None) -> None:
        there = self._fusion.mris()
        if mri and mri not in there:
            raise input_error(f"the MR {mri[:40]!r}", f"one of the case ({', '.join(there)})", "choose one of these")

    def _in_unit(self, values: dict[str, Any]) -> dict[str, Any]:
        """With the windows that the reader made of a PET, where another SUV is chosen: the picture stays as it is."""
        case, key = self.case, values.get("suv")
        if case is None or key not in SUV_UNITS:
            return values
        factor = suv_scale(case, key).factor / self._context.suv.factor
        windows = {**self.parameters.windows, **values.get("windows", {})}
        in_suv = {role: rescaled(name, factor) for role, name in windows.items() if spec_of(role).scale == "SUV"}
        return {**values, "windows": {**windows, **in_suv}}

    def _before_forgetting(self) -> None:
        self._rerun.cancel()
        self._autosave.leave(self._unsaved.discarding)
        self._unsaved.forget()
        self._acceptance.forget()
        self._placement.forget()
        self._annotators.forget()
        self._segmentation.stop()
        self._fusion.stop()
        self._healthy.leave()
        self._probing.leave()
        self._display.forget()
        self._review.clear()
        self._choices.forget()
        self._lesion.forget()
        self._steps.clear()
        self.view_state.clear_results()

    def _opened(self) -> None:
        case = self._context.opened
        moving = [key for key in case.modalities if key != case.reference]
        foreground = "PET" if "PET" in case.modalities else ""
        background = "fused" if not self._fusion.why_not() else case.reference
        self._context.parameters = changed(
            self.parameters,
            modalities={},
            windows=shipped(self.parameters.windows),
            mri="",
            registered={},
            moved={},
            compare="off",
            compare_with=moving[0] if moving else "",
            foreground=foreground,
            background=background,
            suv=self._suv_of(case),
        )
        self._unsay_error()
        self._placement.adopt(case)
        self._probing.opened()
        self._annotators.opened()
        self._fusion.restart()
        self._display.refresh()
        self._autosave.opened()
        self._context.tell(Topic.PARAMETERS, Topic.SCENE, Topic.NUMBERS, Topic.RUN)

    def _unsay_error(self) -> None:
        """A case is there: an error from before, such as of a folder that could not be read, is over."""
        message = self.view_state.message
        if message is not None and message.level == "error":
            self._context.unsay(message)

    def _suv_of(self, case: Case) -> str:
        """As chosen before, where the case allows it."""
        chosen = self.parameters.suv
        if "PET" in case.modalities and (why := why_not(case, chosen)):
            self.say("warning", f"SUVbw is shown, {SUV_UNITS[chosen].name} cannot be worked out: {why}.")
        return DEFAULT_SUV if why_not(case, chosen) else chosen

    def _adopted(self) -> None:
        """A scene was opened: everything is as it was saved."""
        self._unsay_error()
        context = self._context
        context.parameters = changed(context.parameters, suv=self._suv_of(context.opened))
        self._probing.opened()
        self._annotators.opened()
        if "fused" in context.nodes and not self._fusion.why_not():
            self._fusion.adopt()
        else:
            self._fusion.restart()
        if context.prediction is not None:
            context.view_state.gates = dict(context.prediction.gates)
            self._segmentation.judge("as saved" if self._segmentation.is_current() else "")
            self._lesion.adopt()
            self._acceptance.look()
            self._review.limit()
        self._unsaved.saved(self._unsaved.now())
        self._autosave.opened()
        self._display.refresh()
        context.tell(*OF_A_CASE)

    # From a run's result to the picture

    def _result_came(self, prediction: Prediction) -> None:
        """What the reader decided on stays; the rest is the result's, and everything that was said of the lesion before
        is said anew."""
        context, unsaved = self._context, self.view_state.unsaved
        before, decided = self._lesion.mask(), self._review.settle()
        lesion = _keeping(decided, before, prediction.labels == 1)
        if kept := self._autosave.awaited(prediction):
            lesion = kept.lesion.mask()
            self._review.restore(kept.review, None if kept.decided is None else kept.decided.mask())
        context.prediction = prediction
        self._choices.forget()
        write_result(context, prediction, lesion, before)
        context.view_state.gates = dict(prediction.gates)
        context.view_state.change = change_words(context.opened, lesion, before, prediction.provenance[REQUESTED])
        self._steps.forget(*OF_A_RESULT)
        self._review.renew()
        self._acceptance.reset(kept is not None and kept.accepted)
        self._lesion.renew(lesion)
        self._segmentation.say_done()  # not before it is there to be exported
        self._display.refresh()
        if kept:
            self._autosave.brought_back()
        if kept or (unsaved and decided is not None):
            self._unsaved.owe()
        else:
            self._unsaved.saved(self._unsaved.now())
        context.tell(Topic.SCENE)

    # An image of the case elsewhere

    def _image_moves(self) -> None:
        self._probing.back()
        self._segmentation.stop_explaining()
        self._fusion.hold()

    def _image_landed(self, before: Case, case: Case) -> None:
        """Session and engine have it where it is: what was drawn and measured of it is so anew."""
        self._loading.say_moved(before, case)
        self._healthy.forget()
        self._probing.forget()
        self._fusion.release()
        self._protect_border()
        self._lesion.recount()
        self._segmentation.judge()
        self._display.refresh()

    def _reasons_came(self) -> None:
        self._review.explain(self._segmentation.without)
        self._choices.take_without(self._segmentation.lesions_without)

    # From a stroke to the decision. A tool changes voxels in the scene; Lesion notices it, waits until the brush is
    # lifted, counts off the host's thread, puts the numbers on the view state, and tells it here. A decision on the
    # region (ReviewLogic.decide) asks the Lesion for its voxels as they are then.

    def _lesion_changed(self, lesion: np.ndarray) -> None:
        """The lesion in the scene is another than before: its border is what gamma draws from now on."""
        self._choices.follow(lesion)
        self._healthy.follow(lesion)
        self._probing.follow(lesion)
        if self.parameters.protect_border and self.view_state.accepted:
            self._fusion.protect(lesion)
            self._acceptance.say_followed()

    def _decisions_changed(self) -> None:
        """A lesion whose every region is accepted is accepted; gamma says what it waits for."""
        self._acceptance.look()
        self._fusion.say_gamma()

    def _protect_border(self) -> None:
        """Let gamma draw the border of the lesion as it stands, or of none, as parameter and acceptance say."""
        self._fusion.protect(self._lesion.protected())

    # The engine

    def _an_engine(self) -> Engine:
        return Engine(on_exit=self.engine_died, on_reply=self.engine_answered)

    def engine_died(self, error: EngineError) -> None:
        """For Engine(on_exit=...): on the engine's own thread."""
        self._context.post(lambda: self._engine_restart.start_again(error))

    def engine_answered(self, _handle: Any, reply: Any) -> None:
        """For Engine(on_reply=...): on the engine's own thread."""
        if self._engine_restart.is_told and getattr(reply, "code", "") not in GONE:
            self._context.post(self._engine_restart.works)

    def engine_given_up(self, sentence: str, detail: str = "") -> None:
        """The host does not start its engine again by itself: an error that stays until the engine works. From any
        thread."""
        self._context.post(lambda: self._engine_restart.give_up(sentence, detail))


def _words(names: frozenset[str]) -> str:
    """Parameters as a reader reads them."""
    words = dict.fromkeys(IN_WORDS.get(name, name.replace("_", " ")) for name in sorted(names))
    return ", ".join(words) if len(words) < 4 else "several parameters"


def _keeping(decided: np.ndarray | None, before: np.ndarray | None, labels: np.ndarray) -> np.ndarray:
    """bool [k, j, i]: the labels, but where a reader decided as it was before."""
    if before is None or decided is None or not decided.any():
        return labels
    return np.where(decided, before, labels)
