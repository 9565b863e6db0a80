"""PersistenceLogic: the scene and what leaves it; every file whole or not at all, one after the other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.case import Case
from ..core.errors import InputError
from ..core.maps import of_prediction, role_of
from ..core.prediction import Prediction
from ..engine.client.engine import EngineError
from ..mrml import parameters, scenes, segmentations, tables
from ..mrml.nodes import set_provenance
from ..review import Review
from . import export_reasons, saved_case
from .acceptance import Acceptance
from .choices import ChoiceLogic
from .context import SessionContext
from .events import Topic
from .exports import Exports, Write
from .lesion import SEGMENT, Lesion
from .loading import LoadingLogic
from .parameters import Parameters
from .placement import PlacementLogic
from .probing import ProbingLogic
from .review import ReviewLogic
from .unsaved import NOTHING, Unsaved

log = logging.getLogger(__name__)


class PersistenceLogic:
    """adopted(): called when a scene was opened and its case is in the session."""

    def __init__(
        self,
        context: SessionContext,
        lesion: Lesion,
        review: ReviewLogic,
        acceptance: Acceptance,
        choices: ChoiceLogic,
        loading: LoadingLogic,
        exports: Exports,
        placement: PlacementLogic,
        unsaved: Unsaved,
        probing: ProbingLogic,
        adopted: Callable[[], None],
    ) -> None:
        self._context, self._lesion, self._review, self._exports = context, lesion, review, exports
        self._loading, self._placement, self._unsaved, self._adopted = loading, placement, unsaved, adopted
        self._corrections = NOTHING  # the corrections as they were when the scene was taken down
        self._acceptance, self._choices, self._probing = acceptance, choices, probing
        self._waiting: deque[tuple[str, Write, Callable[[], None]]] = deque()  # the first is being written

    def save_scene(self, path: Path) -> bool:
        """Write everything into one .mrb; True when it is there."""
        there = self._at_once(lambda: self._scene(path))
        if there:
            self._unsaved.saved(self._corrections)
        return there

    def save_scene_behind(self, path: Path, done: Callable[[], None]) -> bool:
        """save_scene() as everything is now, written behind the reader's back; done(): called when it is there. True
        when it has begun or waits for its turn."""
        taken = []

        def take() -> Write:
            write = self._scene(path)
            taken.append(self._corrections)
            return write

        def there() -> None:
            self._unsaved.saved(taken[0])
            done()

        return self._behind(path, take, there)

    def saved_by_host(self) -> None:
        """The host has saved the whole scene by itself."""
        self._unsaved.saved(self._unsaved.now())

    def export_behind(self, kind: str, path: Path, done: Callable[[], None]) -> bool:
        """One file of a kind (exports.py): seg.nrrd, nii.gz, seg.dcm, rtstruct.dcm, fused.nrrd or report.html."""
        if self._context.view_state.run == "working" and kind != export_reasons.FUSED:
            self._context.say("info", export_reasons.RUNNING)
            return False
        if self._context.view_state.synthetic:
            self._context.say("info", export_reasons.SYNTHETIC)
            return False
        return self._behind(path, lambda: self._exports.writer(kind, path), done)

    def open_scene(self, path: Path) -> bool:
        """Replace what is open by a saved scene; True when it is open. What is refused changes nothing: a file that is
        no scene, one of another program, or one of this program whose record is damaged."""
        try:
            read = self._read(path)
        except InputError as error:
            self._context.complain(error)
            return False
        return self._take_over(read)

    def read_scene(self, path: Path, take: Callable[[Callable[[], bool]], object]) -> None:
        """Read it on a thread of its own; take(take_over): called with what puts it in the place of what is open,
        unless the reading was stopped or something else is being opened by then."""
        context, wanted = self._context, self._loading.begin("reading the scene")

        def done(read: scenes.SceneFile) -> None:
            if wanted():
                self._loading.stop()
                take(lambda: self._take_over(read))

        def failed(error: BaseException) -> None:
            if wanted():
                self._loading.stop()
                context.complain(error)

        context.then(context.host.work(lambda: self._read(path)), done, failed)

    def _read(self, path: Path) -> scenes.SceneFile:
        """On any thread."""
        saved_case.check_ours(path)
        return scenes.SceneFile(path, prepare=self._context.reading.scene)

    def _take_over(self, read: scenes.SceneFile) -> bool:
        context = self._context
        try:
            with read:
                read.replace(context.scene, self._check_record)
        except Exception as error:  # a record can be damaged in as many ways as there are to write one
            if context.case is not None and not context.scene.IsNodePresent(context.nodes[context.case.reference]):
                self._leave_empty()  # it could be read apart, and then not in its place
            context.complain(_damaged(error))
            return False
        if not self._taken_up():
            self._leave_empty()
            return False
        if read.left_out:
            context.say("info", read.left_out)
        return True

    def adopt_scene(self) -> bool:
        """Take up the case of a scene that the host has loaded itself; False, without a word, when it holds none."""
        return saved_case.holds_case(self._context.scene) and self._taken_up()

    def record(self, at_once: bool = True) -> None:
        """Write what is not in nodes yet (parameters, case, prediction, review), for whoever saves the scene. at_once:
        also a worklist that is still being made, for which the host's thread waits, and with the patient's images in
        the views."""
        if self._context.case is None:
            return
        if at_once:
            self._context.patient_first()
            self._review.finish()
        self._write_record()

    def _taken_up(self) -> bool:
        context = self._context
        self._loading.abandon()
        self._loading.forget(keep_records=True)
        try:
            self._adopt()
        except Exception as error:
            context.complain(_damaged(error))
            return False
        self._adopted()
        return True

    def _check_record(self, scene: Any) -> None:
        """All that _adopt() asks of a scene, of one that is still apart."""
        case, nodes, prediction, _ = _record_of(scene)
        saved_case.read_kept(nodes, nodes[case.reference])
        saved_case.read_probes(scene)
        if prediction is not None:
            segmentations.mask_of(nodes["lesion"], SEGMENT, nodes[case.reference])
        self._placement.placed(case, parameters.load(Parameters, scene) or Parameters())

    def _leave_empty(self) -> None:
        self._loading.forget()
        self._context.scene.Clear(False)
        self._loading.describe_none()

    def _adopt(self) -> None:
        """What the scene holds, into the session."""
        context = self._context
        opened, nodes, prediction, review = _record_of(context.scene)
        chosen = parameters.load(Parameters, context.scene) or Parameters()
        case = self._placement.placed(opened, chosen)
        kept = saved_case.read_kept(nodes, nodes[case.reference])
        lesion = segmentations.mask_of(nodes["lesion"], SEGMENT, nodes[case.reference]) if prediction else None
        drawn = self._acceptance.adopt(nodes["lesion"] if prediction else None, review) and chosen.protect_border
        handle = context.engine.start_open(case, lesion=lesion if drawn else None)
        context.nodes, context.parameters, context.prediction = nodes, chosen, prediction
        self._loading.hand_over(case, handle)
        self._placement.adopt(opened)
        if prediction is not None:
            self._choices.take_without(saved_case.read_outlines(context.scene, case.grid)[1])
        if review is not None:
            self._review.adopt(review, kept)
        self._probing.adopt(saved_case.read_probes(context.scene))
        self._loading.describe(case)

    def _at_once(self, take: Callable[[], Write]) -> bool:
        write = self._took(take)
        if write is None:
            return False
        try:
            write()
        except InputError as error:
            self._context.complain(error)
            return False
        return True

    def _behind(self, path: Path, take: Callable[[], Write], done: Callable[[], None]) -> bool:
        write = self._took(take)
        if write is not None:
            self._waiting.append((path.name, write, done))
            self._write_next() if len(self._waiting) == 1 else self._say_saving()
        return write is not None

    def _took(self, take: Callable[[], Write]) -> Write | None:
        """What is to be written, taken off scene and view state; None, with a message, when there is nothing."""
        if self._context.case is None:
            self._context.say("info", "There is nothing to save: open a case first.")
            return None
        try:
            return take()
        except InputError as error:
            self._context.complain(error)
            return None

    def _write_next(self) -> None:
        """The first that waits, on a thread of its own; the others after it."""
        context, (name, write, done) = self._context, self._waiting[0]
        self._say_saving()

        def ended() -> None:
            self._waiting.popleft()
            self._write_next() if self._waiting else self._say_saving()

        def written(_: Any) -> None:
            ended()
            context.say("info", f"{name} was saved.")
            done()

        def failed(error: BaseException) -> None:
            ended()
            context.complain(error)

        context.then(context.host.write(write), written, failed)

    def _say_saving(self) -> None:
        names = [name for name, *_ in self._waiting]
        after = f", then {', '.join(names[1:])}" if names[1:] else ""
        self._context.view_state.saving = f"saving {names[0]}{after}" if names else ""
        self._context.tell(Topic.SAVING)

    def _scene(self, path: Path) -> Write:
        self.record()
        context = self._context
        roles = (*context.opened.modalities, *map(role_of, of_prediction()), "probability", saved_case.VALID)
        self._corrections = self._unsaved.now()
        with self._review.unlimited():  # what limits the editor is as large as the image, and of no use in a file
            return scenes.saving(context.scene, path, [context.nodes[role] for role in roles if role in context.nodes])

    def _write_record(self) -> None:
        context = self._context
        parameters.save(context.parameters, context.scene)
        saved_case.write_case(context.scene, self._placement.opened, context.nodes)
        saved_case.write_probes(context.scene, self._probing.tries())
        if context.prediction is None:
            saved_case.forget_prediction(context.scene)
        else:
            saved_case.write_prediction(context.scene, context.prediction)
            saved_case.write_outlines(context.scene, context.prediction.samples, self._choices.without)
        if self._review.current is None:
            saved_case.forget_review(context.scene)
        elif not context.view_state.listing:
            tables.set_text(context.scene, saved_case.REVIEW, self._review.current.to_json())
            tables.set_rows(context.scene, self._review.rows())
            saved_case.write_kept(self._review.kept, context.nodes, context.nodes[context.opened.reference])
        if "lesion" in context.nodes and context.prediction is not None:
            set_provenance(context.nodes["lesion"], self._lesion.provenance())


def _record_of(scene: Any) -> tuple[Case, dict[str, Any], Prediction | None, Review | None]:
    """Case, nodes by role, prediction and review of a scene. Raises whatever is wrong with them."""
    case, nodes = saved_case.read_case(scene)
    prediction = saved_case.read_prediction(scene, case, nodes)
    return case, nodes, prediction, saved_case.read_review(scene, prediction)


def _damaged(error: Exception) -> Exception:
    if isinstance(error, (InputError, EngineError, MemoryError)):
        return error
    log.info("A scene's record could not be read.", exc_info=error)
    return InputError(_DAMAGED)


_DAMAGED = (
    "The scene's record of its case could not be read, a record as DiffuFuseMed writes it is wanted: open the images "
    "as a case instead."
)
