"""Autosave: corrections that are not saved are kept each minute, and offered where their case is opened again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.case import Case
from ..core.errors import InputError
from ..core.prediction import Prediction
from ..core.voxels import Voxels
from ..review import Review
from .alarm import Alarm
from .context import SessionContext
from .events import Topic
from .kept_corrections import MADE_BY, Kept, KeptCorrections, fingerprint, unreadable
from .lesion import Lesion
from .review import ReviewLogic
from .segmentation import PLACED, REQUESTED
from .steps import ACCEPTANCE, Steps

AUTOSAVE_S = 60.0


class Autosave:
    """folder: where to, None for nowhere; run_as(made): segment again as those corrections' run was made."""

    def __init__(
        self,
        context: SessionContext,
        lesion: Lesion,
        review: ReviewLogic,
        steps: Steps,
        folder: Path | None,
        run_as: Callable[[dict[str, Any]], None],
    ) -> None:
        self._context, self._lesion, self._review, self._steps = context, lesion, review, steps
        self._run_as = run_as
        self._store = None if folder is None else KeptCorrections(folder)
        self._alarm = Alarm(context)
        self._known: tuple[Case, str] | None = None  # the case's fingerprint, where it was counted already
        self._name: str | None = None  # of the file of this case's corrections
        self._offered: tuple[str, Kept] | None = None
        self._awaited: tuple[str, Kept] | None = None  # brought back with the next result
        self._refused = False  # the disk refused the last time, which was told

    # Keeping

    def changed(self) -> None:
        """Corrections that are not saved are others than before, or there are none any more."""
        if self._store is None:
            return
        if not self._context.view_state.unsaved:
            self._drop()
        elif not self._alarm.is_set:
            self._alarm.set(AUTOSAVE_S, self._keep)

    def leave(self, discard: bool) -> None:
        """The case goes. What is not saved is kept at once, unless the reader let it go."""
        self._alarm.cancel()
        if discard:
            self._drop()
        elif self._store is not None and self._context.view_state.unsaved:
            self._write_now(self._store)
        self._known = self._name = self._awaited = None
        self._offer(None)

    def _write_now(self, store: KeptCorrections) -> None:
        kept, case = self._taken(), self._context.opened
        if kept is not None:
            self._name = self._name or store.new_name(self._of(case))
            try:
                store.write(self._name, kept)
            except InputError as error:
                self._context.complain(error)

    def _keep(self) -> None:
        """Off the host's thread; what is taken here never changes itself."""
        context, store, kept = self._context, self._store, self._taken()
        if store is None or kept is None or not context.view_state.unsaved:
            return
        case, name = context.opened, self._name

        def write() -> str:
            there = name or store.new_name(self._of(case))
            store.write(there, kept)
            return there

        context.then(context.host.work(write), lambda there: self._written(case, name, there), self._failed)

    def _written(self, case: Case, asked: str | None, there: str) -> None:
        self._refused = False
        if self._context.case is not case or self._name != asked or not self._context.view_state.unsaved:
            self._remove(there)  # saved or left meanwhile
        else:
            self._name = there

    def _failed(self, error: BaseException) -> None:
        """Told once, until it works again; the next minute it is tried again."""
        if not self._refused:
            self._refused = True
            self._context.say("warning", f"Your corrections cannot be kept by themselves: save the scene. {error}")
        self.changed()

    def _taken(self) -> Kept | None:
        context, lesion = self._context, self._lesion.voxels()
        if lesion is None or context.prediction is None:
            return None
        current = None if context.view_state.listing else self._review.current
        review = None if current is None else Review(current.worklist, current.decisions)
        decided = None if self._review.kept is None else Voxels.of(self._review.kept)
        accepted = self._steps.taken(ACCEPTANCE)[ACCEPTANCE]
        return Kept(datetime.now(UTC), lesion, decided, review, accepted, _made(context.prediction))

    def _of(self, case: Case) -> str:
        """On any thread."""
        if self._known is None or self._known[0] is not case:
            self._known = case, fingerprint(case)
        return self._known[1]

    def _drop(self) -> None:
        self._alarm.cancel()
        if self._name is not None:
            self._remove(self._name)
        self._name = None

    def _remove(self, name: str) -> None:
        if self._store is not None:
            self._store.remove(name)

    # Offering

    def opened(self) -> None:
        """A case is there: look, off the host's thread, whether corrections of it were kept."""
        context, store = self._context, self._store
        if store is None:
            return
        case = context.opened

        def look() -> tuple[str, Kept] | None:
            found = store.newest(self._of(case))
            return found if found is None or _fits(found[1], case) else None

        def found(offered: tuple[str, Kept] | None) -> None:
            if context.case is case:
                self._offer(offered)

        context.then(context.host.work(look), found, context.complain)

    def bring_back(self) -> None:
        """What is offered, on the result of the same run, which is made again."""
        if self._offered is not None:
            self._awaited = self._offered
            self._run_as(self._offered[1].made)

    def refuse(self) -> None:
        """What is offered is not wanted, now or later; what was kept before it is offered next."""
        if self._offered is not None:
            self._remove(self._offered[0])
            self._offer(None)
            self.opened()

    def awaited(self, prediction: Prediction) -> Kept | None:
        """The corrections that are to be brought back on this result, None for those of another run."""
        kept = None if self._awaited is None else self._awaited[1]
        return kept if kept is not None and kept.made == _made(prediction) else None

    def brought_back(self) -> None:
        """They are on the screen: from now on the file is theirs, until they are saved."""
        if self._awaited is not None:
            self._name, self._awaited = self._awaited[0], None
            self._offer(None)

    def _offer(self, offered: tuple[str, Kept] | None) -> None:
        before, self._offered = self._context.view_state.recovered, offered
        at = "" if offered is None else f"{offered[1].at.astimezone():%Y-%m-%d %H:%M}"
        words = f"Corrections of this case of {at} were never saved: bring them back, or discard them?" if at else ""
        self._context.view_state.recovered = words
        if words != before:
            self._context.tell(Topic.QUESTION)


def _made(prediction: Prediction) -> dict[str, Any]:
    """Model, samples, seed and modalities of a run, and where its images lay that were not where they were opened."""
    made = prediction.provenance
    asked = {"modalities": [*made.get(REQUESTED, ())], PLACED: made.get(PLACED, {})}
    return {**{name: made.get(name) for name in MADE_BY}, **asked}


def _fits(kept: Kept, case: Case) -> bool:
    """Whether they are of this case's grid. Raises InputError for voxels that are damaged."""
    masks = [voxels for voxels in (kept.lesion, kept.decided) if voxels is not None]
    try:
        if all(voxels.shape == case.grid.shape and voxels.mask().shape == case.grid.shape for voxels in masks):
            return kept.review is None or kept.review.worklist.grid.same_as(case.grid)
    except ValueError as error:
        raise unreadable() from error
    return False
