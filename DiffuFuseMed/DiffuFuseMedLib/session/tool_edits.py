"""ToolEdits: what a tool does to all that may be edited at once, found off the host's thread and written in one go."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.mask_edits import Edit
from ..mrml import segmentations
from .context import SessionContext
from .events import Topic
from .lesion import SEGMENT, Lesion
from .review import ReviewLogic

NO_LESION = "There is no lesion to edit: run the segmentation first."


class ToolEdits:
    """One edit at a time: another one that is asked for meanwhile is refused in a sentence."""

    def __init__(self, context: SessionContext, lesion: Lesion, review: ReviewLogic) -> None:
        self._context, self._lesion, self._review = context, lesion, review

    def apply(self, name: str, edit: Edit) -> None:
        """name: of what is applied, in a sentence, such as "the threshold"."""
        context, before = self._context, self._lesion.mask()
        refused = self._refused(name)
        if before is None or refused:
            context.say("info", refused or NO_LESION)
            return
        node, where = self._lesion.node, self._review.editable()
        self._show(f"applying {name}")
        found = context.host.work(lambda: edit(before, where))
        context.then(found, lambda mask: self._take(name, node, before, mask), self._failed)

    def _refused(self, name: str) -> str:
        """Why it cannot be applied now, one sentence; empty when it can."""
        view_state = self._context.view_state
        if view_state.applying:
            return f"{name.capitalize()} was not applied: wait, the program is still {view_state.applying}."
        return view_state.no_edit

    def _take(self, name: str, node: Any, before: np.ndarray, found: np.ndarray) -> None:
        """Only what the edit changed: the reader may have drawn on meanwhile."""
        context, now = self._context, self._lesion.mask()
        self._show("")
        if node is not self._lesion.node or now is None or now.shape != found.shape:
            context.say("info", f"{name.capitalize()} was not applied: the lesion is another one by now.")
            return
        changed = found != before
        if not changed.any():
            context.say("info", f"{name.capitalize()} changes nothing here.")
            return
        np.copyto(now, found, where=changed)
        segmentations.set_mask(node, SEGMENT, now, context.reference_node)

    def _failed(self, error: BaseException) -> None:
        self._show("")
        self._context.complain(error)

    def _show(self, words: str) -> None:
        self._context.view_state.applying = words
        self._context.tell(Topic.REVIEW)
