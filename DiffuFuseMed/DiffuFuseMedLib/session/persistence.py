"""PersistenceLogic: the scene and what leaves it; every file whole or not at all, with its provenance."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..core.errors import InputError, input_error
from ..core.maps import of_prediction, role_of
from ..core.prediction import Prediction
from ..core.staging import staged
from ..core.volume import Volume
from ..engine.client.engine import EngineError
from ..io.export.fusion import flat
from ..io.nrrd import PREFIX, provenance_header, write_nrrd
from ..io.seg_nrrd import LESION, write_segments
from ..mrml import parameters, scenes, segmentations, tables, volumes
from ..mrml.nodes import provenance, set_provenance
from ..preprocessing.quality import quality_report
from ..review import Review
from . import saved_case
from .context import SessionContext
from .events import Topic
from .lesion import SEGMENT, Lesion
from .loading import LoadingLogic
from .numbers import quantified
from .parameters import Parameters
from .review import ReviewLogic

Write = Callable[[], None]  # touches neither scene nor view state, so any thread may call it


class PersistenceLogic:
    """adopted(): called when a scene was opened and its case is in the session."""

    def __init__(
        self,
        context: SessionContext,
        lesion: Lesion,
        review: ReviewLogic,
        loading: LoadingLogic,
        adopted: Callable[[], None],
    ) -> None:
        self._context, self._lesion, self._review = context, lesion, review
        self._loading, self._adopted = loading, adopted
        self._waiting: deque[tuple[str, Write, Callable[[], None]]] = deque()  # the first is being written

    def save_scene(self, path: Path) -> bool:
        """Write everything into one .mrb; True when it is there."""
        return self._at_once(lambda: self._scene(path))

    def export(self, kind: str, path: Path) -> bool:
        """Write one file of a kind: seg.nrrd, nii.gz, fused.nrrd or report.html; True when it is there."""
        return self._at_once(lambda: self._file(kind, path))

    def save_scene_behind(self, path: Path, done: Callable[[], None]) -> bool:
        """save_scene() as everything is now, written behind the reader's back; done(): called when it is there. True
        when it has begun or waits for its turn."""
        return self._behind(path, lambda: self._scene(path), done)

    def export_behind(self, kind: str, path: Path, done: Callable[[], None]) -> bool:
        """export() in the same way."""
        return self._behind(path, lambda: self._file(kind, path), done)

    def open_scene(self, path: Path) -> bool:
        """Replace what is open by a saved scene; True when it is open. A file that is no scene, or one of another
        program, changes nothing; one of this program whose record is damaged leaves an empty session."""
        context = self._context
        try:
            saved_case.check_ours(path)
            scenes.load_scene(context.scene, path)
        except InputError as error:
            if context.case is not None and not context.scene.IsNodePresent(context.nodes[context.case.reference]):
                self._leave_empty()  # only a part of it could be read
            context.complain(error)
            return False
        if not self._taken_up():
            self._leave_empty()
            return False
        return True

    def adopt_scene(self) -> bool:
        """Take up the case of a scene that the host has loaded itself; False, without a word, when it holds none."""
        return saved_case.holds_case(self._context.scene) and self._taken_up()

    def record(self, at_once: bool = True) -> None:
        """Write what is not in nodes yet (parameters, case, prediction, review), for whoever saves the scene. at_once:
        also a worklist that is still being made, for which the host's thread waits."""
        if self._context.case is None:
            return
        if at_once:
            self._review.finish()
        self._write_record()

    def _taken_up(self) -> bool:
        context = self._context
        self._loading.abandon()
        self._loading.forget(keep_records=True)
        try:
            self._adopt()
        except (InputError, EngineError, ValueError, KeyError, TypeError) as error:
            context.complain(error if isinstance(error, (InputError, EngineError)) else InputError(_DAMAGED))
            return False
        self._adopted()
        return True

    def _leave_empty(self) -> None:
        self._loading.forget()
        self._context.scene.Clear(False)
        self._loading.describe_none()

    def _adopt(self) -> None:
        """What the scene holds, into the session."""
        context = self._context
        case, nodes = saved_case.read_case(context.scene)
        prediction = saved_case.read_prediction(context.scene, case, nodes)
        review = saved_case.read_review(context.scene, prediction)
        kept = saved_case.read_kept(nodes, nodes[case.reference])
        chosen = parameters.load(Parameters, context.scene) or Parameters()
        lesion = segmentations.mask_of(nodes["lesion"], SEGMENT, nodes[case.reference]) if prediction else None
        handle = context.engine.start_open(case, lesion=lesion if chosen.protect_border else None)
        context.nodes, context.parameters, context.prediction = nodes, chosen, prediction
        self._loading.hand_over(case, handle)
        if review is not None:
            self._review.adopt(review, kept)
        self._loading.describe(case)

    def _at_once(self, take: Callable[[], Write]) -> bool:
        write = self._taken(take)
        if write is None:
            return False
        try:
            write()
        except InputError as error:
            self._context.complain(error)
            return False
        return True

    def _behind(self, path: Path, take: Callable[[], Write], done: Callable[[], None]) -> bool:
        write = self._taken(take)
        if write is not None:
            self._waiting.append((path.name, write, done))
            self._write_next() if len(self._waiting) == 1 else self._say_saving()
        return write is not None

    def _taken(self, take: Callable[[], Write]) -> Write | None:
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

        context.then(context.host.work(write), written, failed)

    def _say_saving(self) -> None:
        names = [name for name, *_ in self._waiting]
        after = f", then {', '.join(names[1:])}" if names[1:] else ""
        self._context.view_state.saving = f"saving {names[0]}{after}" if names else ""
        self._context.tell(Topic.SAVING)

    def _file(self, kind: str, path: Path) -> Write:
        """What writes one file, with all that it needs of scene and view state."""
        takers = {
            "seg.nrrd": self._seg_nrrd,
            "nii.gz": self._nifti,
            "fused.nrrd": self._fused,
            "report.html": self._report_page,
        }
        return takers[kind](path)

    def _scene(self, path: Path) -> Write:
        self.record()
        context = self._context
        roles = (*context.case.modalities, *map(role_of, of_prediction()), "probability", saved_case.VALID)
        with self._review.unlimited():  # what limits the editor is as large as the image, and of no use in a file
            return scenes.saving(context.scene, path, [context.nodes[role] for role in roles if role in context.nodes])

    def _write_record(self) -> None:
        context = self._context
        parameters.save(context.parameters, context.scene)
        saved_case.write_case(context.scene, context.case, context.nodes)
        if context.prediction is None:
            saved_case.forget_prediction(context.scene)
        else:
            saved_case.write_prediction(context.scene, context.prediction)
        if self._review.current is None:
            saved_case.forget_review(context.scene)
        elif not context.view_state.listing:
            tables.set_text(context.scene, saved_case.REVIEW, self._review.current.to_json())
            tables.set_rows(context.scene, self._review.rows())
            saved_case.write_kept(self._review.kept, context.nodes, context.nodes[context.case.reference])
        if "lesion" in context.nodes and context.prediction is not None:
            set_provenance(context.nodes["lesion"], self._lesion.provenance())

    def _lesion_mask(self) -> np.ndarray:
        mask = self._lesion.mask()
        if mask is None:
            raise input_error("a case without a segmentation", "a lesion to export", "run the segmentation first")
        return mask

    def _seg_nrrd(self, path: Path) -> Write:
        context, lesion = self._context, self._lesion_mask()
        header = {**provenance_header(flat(self._lesion.provenance())), PREFIX + "source": context.case.reference}
        grid = context.case.grid
        return _staged(path, lambda there: write_segments({LESION: lesion}, grid, there, header))

    def _nifti(self, path: Path) -> Write:
        lesion, grid = self._lesion_mask(), self._context.case.grid

        def write(there: Path) -> None:
            try:
                image = Volume(lesion.astype(np.uint8), grid).to_sitk()
                sitk.WriteImage(image, str(there), useCompression=True)
            except RuntimeError as cause:
                raise OSError("the disk refused the file") from cause

        return _staged(path, write)

    def _fused(self, path: Path) -> Write:
        context = self._context
        if "fused" not in context.nodes or context.view_state.fusion != "ready":
            raise input_error("a fused volume that is not finished", "one of the present settings", "wait a moment")
        node, grid = context.nodes["fused"], context.case.grid
        header, array = provenance_header(flat(provenance(node))), volumes.array_of(node).copy()
        return _staged(path, lambda there: write_nrrd(array, grid, there, header))

    def _report_page(self, path: Path) -> Write:
        context, lesion, report = self._context, self._lesion_mask(), _report()
        case, shown, reviewed = context.case, self._as_drawn(lesion), self._reviewed(report, lesion)

        def write() -> None:
            numbers = quantified(lesion, case)
            report.write_report(shown, case, path, quality_report(case), numbers, review=reviewed)

        return write

    def _reviewed(self, report: Any, lesion: np.ndarray) -> Any:
        """The report's ReviewSection, None without a worklist."""
        self._review.finish()
        context, review = self._context, self._review.current
        if review is None:
            return None
        fused = volumes.array_of(context.nodes["fused"]).copy() if context.view_state.fusion == "ready" else None
        review = Review(review.worklist, review.decisions)  # which are others while it is being written
        return report.ReviewSection(review, lesion, context.prediction.labels == 1, fused)

    def _as_drawn(self, lesion: np.ndarray) -> Prediction:
        """The prediction with the lesion as the reader left it."""
        prediction = self._context.prediction
        notes = [*prediction.provenance.get("notes", ())]
        if self._lesion.origin == "corrected":
            notes.append("The lesion was corrected by hand after the prediction; its interval is the prediction's.")
        return replace(prediction, labels=lesion.astype(np.uint8), provenance={**prediction.provenance, "notes": notes})


def _staged(path: Path, write: Callable[[Path], None]) -> Write:
    """write(there) to a place beside the path, and from there into it."""

    def whole() -> None:
        with staged(path.parent) as folder:
            write(folder / path.name)

    return whole


def _report() -> Any:
    """Asked for only when a report is: Slicer's own Python has neither jinja2 nor matplotlib."""
    try:
        from .. import report
    except ImportError as error:
        given = f"a Python without the package {error.name or 'jinja2'}"
        remedy = "install both, or export the other files"
        raise input_error(given, "jinja2 and matplotlib for a report", remedy) from error
    return report


_DAMAGED = (
    "The scene's record of its case could not be read, a record as DiffuFuseMed writes it is wanted: open the images "
    "as a case instead."
)
