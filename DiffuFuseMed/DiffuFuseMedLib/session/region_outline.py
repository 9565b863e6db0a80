"""RegionOutline: the chosen region of the worklist, or the part of it that is in focus, as a line in the slice views,
so that its question can be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..mrml import segmentations
from ..review import Review
from .context import SessionContext

REGION = "region"
COLOR = (0.35, 0.85, 1.0)  # no other outline's, and neither the lesion's green nor a hot PET's yellow


class RegionOutline:
    """listed(): the present review, None without one; part(): bool [k, j, i], the part in focus, None for all of the
    region. Its node is a helper: no scene keeps it, no list shows it."""

    def __init__(
        self,
        context: SessionContext,
        listed: Callable[[], Review | None],
        part: Callable[[], np.ndarray | None] = lambda: None,
    ) -> None:
        self._context, self._listed, self._part = context, listed, part
        self._node: Any = None
        self._shown: tuple[Any, int, int] | None = None  # the labels, the region in them and its part

    @property
    def node(self) -> Any:
        """The vtkMRMLSegmentationNode of the line, None where there is none."""
        return self._node if self._there() else None

    def draw(self) -> None:
        """The chosen region is outlined, or nothing is."""
        review, region = self._listed(), self._context.view_state.region
        if review is None or region is None:
            self._remove()
        elif not self._is_shown(review, region):
            self._remove()
            self._add(review, region)
        if self._there():  # an outline that is offered often runs where the region's does, and must be seen
            view_state = self._context.view_state
            segmentations.show(self._node, REGION, view_state.choice is None and not view_state.synthetic)

    def _is_shown(self, review: Review, region: int) -> bool:
        shown = self._shown
        return shown is not None and shown[0] is review.worklist.labels and shown[1:] == (region, self._focus())

    def _focus(self) -> int:
        return self._context.view_state.part

    def _add(self, review: Review, region: int) -> None:
        context, labels = self._context, review.worklist.labels
        reference, question = context.reference_node, review.worklist.region(region)
        node = segmentations.add_segmentation(context.scene, "Region under review", reference, saved=False)
        name = question.question if question else ""
        part = self._part()
        segmentations.set_mask(node, REGION, labels == region if part is None else part, reference, name, COLOR)
        segmentations.show(node, REGION, True, 0.0, 1.0)
        self._node, self._shown = node, (labels, region, self._focus())

    def _remove(self) -> None:
        if self._there():
            self._context.scene.RemoveNode(self._node)
        self._node = self._shown = None

    def _there(self) -> bool:
        """A host may have cleared its scene."""
        return self._node is not None and self._node.GetScene() is not None
