"""Unsaved: whether the reader's corrections are on the disk, and the question before something would drop them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..core.voxels import Voxels
from ..review import Decision
from .context import SessionContext
from .events import Topic
from .lesion import Lesion
from .review import ReviewLogic
from .steps import ACCEPTANCE, Steps


@dataclass(frozen=True)
class Corrections:
    """What a reader made of a result: its voxels, what was decided, by region, and whether it was accepted as a whole.
    lesion: None before a result."""

    lesion: Voxels | None
    decisions: Mapping[int, Decision]
    accepted: bool


NOTHING = Corrections(None, {}, False)


class Unsaved:
    """changed(): called when corrections that are not saved are others than before, or are saved now."""

    def __init__(
        self, context: SessionContext, lesion: Lesion, review: ReviewLogic, steps: Steps, changed: Callable[[], None]
    ) -> None:
        self._context, self._lesion, self._review, self._steps = context, lesion, review, steps
        self._changed = changed
        self._saved: Corrections | None = NOTHING  # None: none that are on the screen now are on the disk
        self._relisting = False
        self._go: Callable[[], object] | None = None
        self.discarding = False  # the reader said that they may go
        context.events.listen(lambda _: self._stepped(), Topic.STEPS)
        context.events.listen(lambda _: self._listed(), Topic.REVIEW)

    # What is unsaved

    def now(self) -> Corrections:
        accepted = self._steps.taken(ACCEPTANCE)[ACCEPTANCE]
        return Corrections(self._lesion.voxels(), self._review.decisions(), accepted)

    def saved(self, corrections: Corrections) -> None:
        """These are on the disk, or are as the model made them."""
        self._saved = corrections
        self._look()

    def owe(self) -> None:
        """What is on the screen is on no disk, such as what was kept over a new result."""
        self._saved = None
        self._look()

    def forget(self) -> None:
        """The case goes, and its corrections with it."""
        self._saved, self._relisting, self.discarding = NOTHING, False, False
        self._context.view_state.unsaved = False

    def _stepped(self) -> None:
        self.discarding = False  # what is done after the word was given was not meant
        self._look()

    def _look(self) -> None:
        view_state = self._context.view_state
        if view_state.listing:  # the decisions are still those of the list before
            self._relisting = True
            differs = self._saved is None or replace(self.now(), decisions=self._saved.decisions) != self._saved
        else:
            differs = self.now() != self._saved
        told, view_state.unsaved = view_state.unsaved, differs
        if told or differs:
            self._changed()
        if told != differs:
            self._context.tell(Topic.SAVING)

    def _listed(self) -> None:
        """Decisions that were carried over to a new list are no news."""
        if self._relisting and not self._context.view_state.listing:
            self._relisting = False
            if not self._context.view_state.unsaved:
                self._saved = self.now()

    # What would drop them

    def before(self, what: str, go: Callable[[], object]) -> bool:
        """go(), at once where nothing is unsaved, else once the reader said so. what: of it in words, such as "another
        case is opened". True where it is done."""
        self._put_off()
        if not self._context.view_state.unsaved:
            go()
            return True
        self._go = go
        self._ask(f"Your corrections are not saved. Save them before {what}, discard them, or stay?")
        return False

    def go_on(self, discard: bool = False) -> None:
        """The reader saved, or discards: what was asked about is done. Without either, nothing is."""
        go = self._go
        if go is not None and (discard or not self._context.view_state.unsaved):
            self._put_off()
            self.discarding = discard
            go()

    def stay(self) -> None:
        """What was asked about is not done."""
        self._put_off()

    def _put_off(self) -> None:
        self._go, self.discarding = None, False
        if self._context.view_state.question:
            self._ask("")

    def _ask(self, question: str) -> None:
        self._context.view_state.question = question
        self._context.tell(Topic.QUESTION)
