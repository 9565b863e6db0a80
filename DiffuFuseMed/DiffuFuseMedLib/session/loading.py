"""LoadingLogic: from files or nodes to a Case in the scene and in the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..core.case import Alignment, Case
from ..core.errors import InputError, input_error
from ..core.suv_units import suv_choices
from ..core.volume import Volume
from ..engine.client.engine import EngineError, Handle
from ..io.dicom.source_series import why_no_series
from ..io.study import UNUSED as UNUSED
from ..mrml.volumes import add_volume
from ..preprocessing.align import Progress, align
from ..preprocessing.misfit import with_misfits
from ..preprocessing.quality import doubts, quality_report
from . import saved_case
from .context import SessionContext
from .events import Topic
from .reading import Reading

ALIGNED = (0.2, 0.8)  # of the whole: reading takes what is before, the engine's copy what is after


class LoadingLogic:
    """opened(): called when a case is in the scene; before(): when the one that was there goes; sent_anew(): the engine
    has the case under another id."""

    def __init__(
        self,
        context: SessionContext,
        before: Callable[[], None],
        opened: Callable[[], None],
        sent_anew: Callable[[], None],
    ) -> None:
        self._context, self._before, self._opened, self._sent_anew = context, before, opened, sent_anew
        self.folder: Path | None = None
        self._turn = 0
        self._sent_again = False
        self._listed: tuple[str, ...] = ()  # the images of the folder that is being read

    def folder_of_files(self, folder: Path, told: Mapping[str, str] | None = None, register: str = "auto") -> None:
        """Read a folder on a thread of its own. told: modality by file name or series description. What was open stays
        until the new case is there."""
        folder = Path(folder)
        self._listed = ()

        def found(progress: Progress) -> tuple[Case, tuple[str, ...]]:
            turn = self._turn
            try:
                return read(self._context.reading, folder, told, register, _between(*ALIGNED, progress))
            except InputError:
                if turn == self._turn:  # else it was stopped, and nobody asks what is in the folder
                    self._listed = self._images(folder)
                raise

        self._work("reading the images", folder, found)

    def volumes(self, given: Mapping[str, Volume], name: str, reference: str | None, register: str = "auto") -> None:
        """Align volumes that a host has already, such as nodes of the scene, on a thread of its own."""

        def aligned(progress: Progress) -> tuple[Case, tuple[str, ...]]:
            case = align(given, reference, register, name, progress=_between(0.0, ALIGNED[1], progress))
            return with_misfits(case), ()

        self._work("aligning the images", None, aligned)

    def _work(self, words: str, folder: Path | None, find: Callable[[Progress], tuple[Case, tuple[str, ...]]]) -> None:
        """Find a case and write it for the engine on a thread of its own, then take it up; only the last asked for."""
        context = self._context
        turn, engine = self._next_turn(), context.engine
        self._advance(turn, 0.0, words)

        def progress(share: float, words: str) -> None:
            context.post(lambda: self._advance(turn, share, words))

        def found() -> tuple[Case, tuple[str, ...], dict]:
            case, unread = find(progress)
            progress(ALIGNED[1], "handing the case to the engine")
            return case, unread, engine.stage(case)

        def done(case: Case, unread: tuple[str, ...], staged: dict) -> None:
            if turn != self._turn or engine is not context.engine:
                engine.unstage(staged)
            if turn == self._turn:
                self.folder = folder
                self.adopt(case, unread, staged if engine is context.engine else None)

        context.then(
            context.host.work(found), lambda parts: done(*parts), lambda error: self._failed(turn, error, folder)
        )

    def _next_turn(self) -> int:
        """What is being read is no longer wanted, and holds no thread that others wait for."""
        self._turn += 1
        self._context.reading.stop()
        return self._turn

    def _advance(self, turn: int, share: float, words: str) -> None:
        if turn == self._turn:
            self._context.view_state.loading, self._context.view_state.loading_share = words, share
            self._context.tell(Topic.CASE)

    def begin(self, words: str) -> Callable[[], bool]:
        """Something else is being read, in the place of what was; returns what says whether it is still wanted."""
        turn = self._next_turn()
        self._advance(turn, 0.0, words)
        return lambda: turn == self._turn

    def stop(self) -> None:
        """The reader does not want what is being read; what is open stays."""
        self._next_turn()
        self._context.view_state.loading = ""
        self._context.tell(Topic.CASE)

    def abandon(self) -> None:
        """What is being read is not wanted any more."""
        self._next_turn()
        self.folder = None
        self._context.view_state.loading = ""

    def adopt(self, case: Case, unread: tuple[str, ...], staged: dict | None = None) -> None:
        """Put a case in the session: its volumes into the scene, itself into the engine; staged: by Engine.stage()."""
        context = self._context
        try:
            handle = context.engine.start_open(case, staged=staged)
        except EngineError as error:
            self._failed(self._turn, error, None)
            return
        self.forget()
        self.hand_over(case, handle)
        for key, volume in case.volumes.items():
            name = f"{case.name} {key}"
            context.nodes[key] = add_volume(context.scene, volume.array, case.grid, name, role=key, share=True)
        self.describe(case, unread)
        self._opened()

    def hand_over(self, case: Case, handle: Handle) -> None:
        """handle: of the request by which the engine gets the case."""
        self._sent_again = False
        self._sent(case, handle)

    def _sent(self, case: Case, handle: Handle) -> None:
        self._context.case, self._context.case_id = case, handle.case_id
        self._context.then(handle.future, lambda _: None, lambda error: self._not_taken(case, error))

    def _not_taken(self, case: Case, error: BaseException) -> None:
        """The engine forgets a case that it died of, or with, before it had it: one more time."""
        context = self._context
        if context.case is not case:
            return
        if getattr(error, "code", "") != "died" or self._sent_again:
            context.complain(error)
            return
        self._sent_again = True
        try:
            self._sent(case, context.engine.start_open(case))
        except EngineError as failure:
            context.complain(failure)
            return
        self._sent_anew()

    def say_moved(self, before: Case, case: Case) -> None:
        """Images of the case lie elsewhere: what is said of it, less what the reader has seen already."""
        view_state = self._context.view_state
        seen = set(doubts(before)) - set(view_state.doubts)
        view_state.doubts = tuple(sentence for sentence in doubts(case) if sentence not in seen)
        view_state.alignment, view_state.quality = alignment_line(case), tuple(quality_report(case))
        self._context.tell(Topic.CASE)

    def describe(self, case: Case, unread: tuple[str, ...] = ()) -> None:
        view_state = self._context.view_state
        view_state.movable = tuple(key for key in case.modalities if key != case.reference)
        view_state.loading, view_state.case_name = "", case.name
        view_state.modalities, view_state.unread = case.modalities, unread
        view_state.sources = {key: source_of(volume) for key, volume in case.volumes.items()}
        view_state.doubts = tuple(doubts(case))
        view_state.alignment, view_state.quality = alignment_line(case), tuple(quality_report(case))
        view_state.no_dicom, view_state.suv_units = why_no_series(case), suv_choices(case)
        self._context.tell(Topic.CASE)

    def describe_none(self) -> None:
        """There is no case."""
        view_state = self._context.view_state
        self._next_turn()
        view_state.loading = view_state.case_name = view_state.alignment = view_state.no_dicom = ""
        view_state.modalities, view_state.unread, view_state.sources, view_state.quality = (), (), {}, ()
        view_state.suv_units, view_state.doubts, view_state.movable = (), (), ()
        self._context.tell(Topic.CASE)

    def forget(self, keep_records: bool = False) -> None:
        """Take the present case out of session, scene and engine. keep_records: the scene is another one already,
        whose own records of its case stay."""
        context = self._context
        self._before()
        if context.case_id is not None:
            with suppress(EngineError):  # an engine that is gone has forgotten it
                context.engine.close_case(context.case_id).future.add_done_callback(lambda future: future.exception())
        nodes = list(context.nodes.values())
        context.nodes.clear()  # first: a host that watches the scene is told of each node that goes
        context.case = context.case_id = context.prediction = None
        for node in nodes:
            if context.scene.IsNodePresent(node):
                context.scene.RemoveNode(node)
        if not keep_records:
            saved_case.forget(context.scene)

    def _images(self, folder: Path) -> tuple[str, ...]:
        try:
            return tuple(self._context.reading.images(folder))
        except (InputError, OSError):
            return ()

    def _failed(self, turn: int, error: BaseException, folder: Path | None) -> None:
        if turn != self._turn:
            return
        self._context.view_state.loading = ""
        if folder is not None and isinstance(error, InputError):
            self._context.view_state.unread = self._listed
            self.folder = folder
        self._context.tell(Topic.CASE)
        self._context.complain(error)


def read(
    reading: Reading,
    folder: Path,
    told: Mapping[str, str] | None,
    register: str,
    progress: Progress = lambda *_: None,
) -> tuple[Case, tuple[str, ...]]:
    """The folder's case, and the images in it that are not part of it. progress(share, words): of aligning them."""
    there, study = reading.folder(folder, told or {})
    if pictures := [volume.name for volume in study.volumes.values() if volume.in_color]:
        remedy = "use `diffufusemed run` for it"
        raise input_error(f"{pictures[0]}, a picture in color", "gray images, which alone are shown", remedy)
    mask, notes, several = study.reference_mask, study.notes, study.references
    case = align(study.volumes, None, register, study.name, mask, notes, progress, references=several)
    case = with_misfits(case)
    used = {source_of(volume) for volume in case.volumes.values()}
    return case, tuple(name for name in there if name not in used)


def _between(low: float, high: float, progress: Progress) -> Progress:
    """Progress of a part as that of the whole, of which it takes the shares from low to high."""
    return lambda share, words: progress(low + (high - low) * share, words)


def source_of(volume: Volume) -> str:
    """The file name or series description that a volume was read from, which is what load_case() is told by."""
    described = volume.meta.get("series_description")
    return str(described) if described else Path(str(volume.meta.get("source", volume.name))).name


def alignment_line(case: Case) -> str:
    """Mutual information and overlap of what was brought onto the reference's grid, on one line."""
    moving = [(key, case.alignment[key]) for key in case.modalities if key != case.reference and key in case.alignment]
    return f"on the grid of {case.reference}" + "".join(f"; {key} {_fit(found)}" for key, found in moving)


def _fit(found: Alignment) -> str:
    moved = not np.allclose(found.moving_to_reference, np.eye(4))
    how = "registered" if found.registered else "moved" if moved else "as placed"
    return f"{how}, MI {found.mutual_information:.2f}, overlap {100 * found.overlap:.0f} %"
