"""Acceptance: whether a reader stands for the lesion, without which its border is not drawn into gray values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..mrml.nodes import provenance
from ..review import Review
from .context import SessionContext
from .review import ReviewLogic
from .steps import ACCEPTANCE, Steps

BY_READER = "accepted_by_reader"  # of the lesion's provenance
TAKEN = ("accepted", "corrected")


class Acceptance:
    """A reader accepts the lesion as a whole, or each region of its worklist. A new result is nobody's yet.

    changed(): called when the lesion was accepted, or is not any more.
    """

    def __init__(self, context: SessionContext, review: ReviewLogic, steps: Steps, changed: Callable[[], None]) -> None:
        self._context, self._review, self._steps, self._changed = context, review, steps, changed
        self._as_a_whole = self._told = False
        steps.add(ACCEPTANCE, lambda: self._as_a_whole, self._put)

    def accept(self) -> None:
        """The whole lesion, as it is and as the reader goes on correcting it."""
        if "lesion" not in self._context.nodes:
            self._context.say("info", "There is no lesion to accept: run the segmentation first.")
            return
        with self._steps.one("the lesion's acceptance", ACCEPTANCE):
            self._put(True)

    def adopt(self, lesion: Any, review: Review | None) -> bool:
        """What a scene says of its lesion's node, None for none, and of its review; nobody has to hear of it."""
        self._as_a_whole = lesion is not None and bool(provenance(lesion).get(BY_READER))
        self._context.view_state.accepted = self._as_a_whole or (lesion is not None and all_taken(review))
        return self._context.view_state.accepted

    def forget(self) -> None:
        """The case is about to leave the session."""
        self._as_a_whole = self._context.view_state.accepted = False

    def reset(self, as_a_whole: bool = False) -> None:
        """Another lesion. as_a_whole: one that was brought back as the reader had accepted it."""
        self._put(as_a_whole)

    def look(self) -> None:
        """After a decision: whether it was the last one that was missing."""
        view_state, stands = self._context.view_state, self._stands()
        view_state.acceptable = "lesion" in self._context.nodes and not stands
        if stands != view_state.accepted:
            view_state.accepted = stands
            self._changed()

    def say_followed(self) -> None:
        """The accepted lesion was edited: told once for each acceptance, since the picture changes with it."""
        if not self._told:
            self._told = True
            words = "The lesion you edit stays accepted as you correct it, and gamma draws its border as it is now."
            self._context.say("info", words)

    def _put(self, as_a_whole: bool) -> None:
        self._as_a_whole, self._told = as_a_whole, False
        self.look()

    def _stands(self) -> bool:
        listed = None if self._context.view_state.listing else self._review.current
        return "lesion" in self._context.nodes and (self._as_a_whole or all_taken(listed))


def all_taken(review: Review | None) -> bool:
    """Whether every region of a worklist was accepted or corrected; an empty one says nothing of the lesion."""
    regions = () if review is None else review.worklist.regions
    return bool(regions) and all(review is not None and review.status(region.id) in TAKEN for region in regions)
