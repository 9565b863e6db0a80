"""Annotators: the masks of several annotators of the open case as outlines, and how far they and the lesion agree.

The engine compares: surface Dice needs what the host's own Python may not have.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np

from ..core.agreement import Agreement, agreement_rows, agreement_words, colors_of
from ..core.voxels import Voxels, box_around
from ..engine.client.engine import EngineError
from ..mrml import segmentations
from .context import SessionContext
from .events import Topic
from .lesion import Lesion
from .result_nodes import segmentation_node

ROLE = "annotators"
MARGIN_MM = 12.0  # around all masks: more than STAPLE's own box needs
COMPARING = "{count} annotators drew the lesion; how far they agree is being worked out."


class Annotators:
    """Nothing of it does anything for a case that fewer than two drew."""

    def __init__(self, context: SessionContext, lesion: Lesion) -> None:
        self._context, self._lesion = context, lesion
        self._turn = 0
        self._asked: tuple[Any, Voxels | None] | None = None  # the case and lesion that was asked about last
        context.events.listen(lambda _: self._lesion_counted(), Topic.NUMBERS)

    def opened(self) -> None:
        """A case came: its outlines into the scene, unless a saved scene brought them."""
        context = self._context
        drawn = context.opened.references
        self._asked = None
        context.view_state.annotators, context.view_state.annotator_words = (), ""
        if len(drawn) < 2:
            return
        if ROLE not in context.nodes:
            write_outlines(context)
        context.view_state.annotator_words = COMPARING.format(count=len(drawn))
        self._lesion_counted()

    def forget(self) -> None:
        """The case goes."""
        self._turn += 1
        self._asked = None
        self._context.view_state.annotators, self._context.view_state.annotator_words = (), ""

    def compared(self) -> Future | None:
        """Of an Agreement with the lesion as it stands, for a report; None where there is nothing to compare. An engine
        that is gone gives a future that has failed."""
        if self._context.case is None or len(self._context.case.references) < 2:
            return None
        try:
            return self._ask().future
        except EngineError as error:
            failed: Future = Future()
            failed.set_exception(error)
            return failed

    def _lesion_counted(self) -> None:
        """The lesion may be another one: compare it anew."""
        context, now = self._context, self._lesion.voxels()
        if context.case is None or len(context.case.references) < 2 or context.view_state.counting:
            return
        if self._asked is not None and self._asked[0] is context.case and self._asked[1] is now:
            return
        self._asked = (context.case, now)
        self._turn += 1
        turn = self._turn
        try:
            asked = self._ask()
        except EngineError as error:
            self._failed(turn, error)
            return
        context.then(asked.future, lambda found: self._take(turn, found), lambda error: self._failed(turn, error))

    def _ask(self) -> Any:
        context = self._context
        masks = {name: mask.array > 0 for name, mask in context.opened.references.items()}
        lesion = self._lesion.mask()
        box = _box([*masks.values(), *([] if lesion is None else [lesion])], context.opened.grid.spacing_kji_mm)
        cut = {name: mask[box] for name, mask in masks.items()}
        return context.engine.agree(context.opened_id, cut, None if lesion is None else lesion[box])

    def _take(self, turn: int, found: Agreement) -> None:
        if turn != self._turn:
            return
        view_state, colors = self._context.view_state, colors_of(found.names)
        view_state.annotator_words = agreement_words(found)
        view_state.annotators = tuple({**row, "color": colors.get(row["name"], "")} for row in agreement_rows(found))
        self._context.tell(Topic.NUMBERS)

    def _failed(self, turn: int, error: BaseException) -> None:
        if turn == self._turn:
            self._asked = None  # the next change of the lesion asks again
            self._context.complain(error)


def write_outlines(context: SessionContext) -> None:
    """Each annotator's mask as a segment of one node, in its color, without a surface in 3D."""
    references, reference = context.opened.references, context.reference_node
    node = segmentation_node(context, ROLE, "Annotators")
    for n, (name, color) in enumerate(colors_of(tuple(references)).items(), 1):
        red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        mask = references[name].array > 0
        segmentations.set_mask(node, f"annotator-{n}", mask, reference, name, (red, green, blue))


def show_outlines(node: Any, on: bool) -> None:
    """Outlines alone: what lies under them is what is looked at."""
    for segment_id in segmentations.user_segment_ids(node):
        segmentations.show(node, segment_id, on, 0.0, 1.0)


def _box(masks: list[np.ndarray], spacing_kji_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    """Around all that is marked, the whole where nothing is."""
    marked = np.any(masks, axis=0)
    if not marked.any():
        return (slice(None),) * 3
    return box_around(marked, spacing_kji_mm, MARGIN_MM)
