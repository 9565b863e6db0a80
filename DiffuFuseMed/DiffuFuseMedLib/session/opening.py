"""Opening: from files or nodes to a Case in the scene and in the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ..data.align import align
from ..data.case import Alignment, Case
from ..data.errors import InputError
from ..data.io.study import images_in
from ..data.load import load_case
from ..data.quality import quality_report
from ..data.volume import Volume
from ..engine.client import EngineError
from ..mrml import volumes
from .desk import Desk

UNUSED = ""  # told of an image that shall not be read


class Opening:
    """opened(): called when a case is in the scene; before(): when the one that was there goes."""

    def __init__(self, desk: Desk, before: Callable[[], None], opened: Callable[[], None]) -> None:
        self._desk, self._before, self._opened = desk, before, opened
        self.folder: Path | None = None
        self._turn = 0

    def folder_of_files(self, folder: Path, told: Mapping[str, str] | None = None, register: str = "auto") -> None:
        """Read a folder on a thread of its own. told: modality by file name or series description. What was open stays
        until the new case is there."""
        desk = self._desk
        self._turn += 1
        turn = self._turn
        desk.screen.opening = "reading and aligning the images"
        desk.tell("case")
        future = desk.host.work(lambda: read(Path(folder), told, register))

        def done(found: tuple[Case, tuple[str, ...]]) -> None:
            if turn == self._turn:
                self.folder = Path(folder)
                self.adopt(*found)

        desk.then(future, done, lambda error: self._failed(turn, error, Path(folder)))

    def volumes(self, given: Mapping[str, Volume], name: str, reference: str | None, register: str = "auto") -> None:
        """Align volumes that a host has already, such as nodes of the scene, on a thread of its own."""
        desk = self._desk
        self._turn += 1
        turn = self._turn
        desk.screen.opening = "aligning the images"
        desk.tell("case")
        future = desk.host.work(lambda: align(given, reference, register, name))
        desk.then(
            future,
            lambda case: self.adopt(case, ()) if turn == self._turn else None,
            lambda error: self._failed(turn, error, None),
        )

    def adopt(self, case: Case, unread: tuple[str, ...]) -> None:
        """Put a case on the desk: its volumes into the scene, itself into the engine."""
        desk = self._desk
        try:
            handle = desk.engine.start_open(case)
        except EngineError as error:
            self._failed(self._turn, error, None)
            return
        self.forget()
        desk.case, desk.case_id = case, handle.case_id
        desk.then(handle.future, lambda _: None, desk.complain)
        for key, volume in case.volumes.items():
            desk.nodes[key] = volumes.add_volume(desk.scene, volume.array, case.grid, f"{case.name} {key}", role=key)
        self.describe(case, unread)
        self._opened()

    def describe(self, case: Case, unread: tuple[str, ...] = ()) -> None:
        screen = self._desk.screen
        screen.opening, screen.case_name = "", case.name
        screen.modalities, screen.unread = case.modalities, unread
        screen.sources = {key: source_of(volume) for key, volume in case.volumes.items()}
        screen.alignment, screen.quality = alignment_line(case), tuple(quality_report(case))
        self._desk.tell("case")

    def forget(self) -> None:
        """Take the present case off the desk, out of scene and engine."""
        desk = self._desk
        self._before()
        if desk.case_id is not None:
            with suppress(EngineError):  # an engine that is gone has forgotten it
                desk.engine.close_case(desk.case_id).future.add_done_callback(lambda future: future.exception())
        for node in desk.nodes.values():
            if desk.scene.IsNodePresent(node):
                desk.scene.RemoveNode(node)
        desk.nodes.clear()
        desk.case = desk.case_id = desk.prediction = None

    def _failed(self, turn: int, error: BaseException, folder: Path | None) -> None:
        if turn != self._turn:
            return
        self._desk.screen.opening = ""
        if folder is not None and isinstance(error, InputError):
            self._desk.screen.unread = _images(folder)
            self.folder = folder
        self._desk.tell("case")
        self._desk.complain(error)


def read(folder: Path, told: Mapping[str, str] | None, register: str) -> tuple[Case, tuple[str, ...]]:
    """The folder's case, and the images in it that are not part of it."""
    named = {name: key for name, key in (told or {}).items() if key != UNUSED}
    case = load_case(folder, named or None, register=register)
    used = {source_of(volume) for volume in case.volumes.values()}
    return case, tuple(name for name in _images(folder) if name not in used)


def source_of(volume: Volume) -> str:
    """The file name or series description that a volume was read from, which is what load_case() is told by."""
    described = volume.meta.get("series_description")
    return str(described) if described else Path(str(volume.meta.get("source", volume.name))).name


def alignment_line(case: Case) -> str:
    """Mutual information and overlap of what was brought onto the reference's grid, on one line."""
    moving = [(key, case.alignment[key]) for key in case.modalities if key != case.reference and key in case.alignment]
    return f"on the grid of {case.reference}" + "".join(f"; {key} {_fit(found)}" for key, found in moving)


def _fit(found: Alignment) -> str:
    how = "registered" if found.registered else "as placed"
    return f"{how}, MI {found.mutual_information:.2f}, overlap {100 * found.overlap:.0f} %"


def _images(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(images_in(folder))
    except (InputError, OSError):
        return ()
