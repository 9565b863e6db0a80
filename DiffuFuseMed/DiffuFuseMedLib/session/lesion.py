"""Lesion: the lesion as it stands now, the one object that everybody asks: its voxels, where they come from, what they
measure, and whether they hold their border in the fusion."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any

import numpy as np

from ..core.voxels import Voxels
from ..mrml import segmentations
from ..mrml.views import Forget, watch_segmentation
from .alarm import Alarm
from .context import SessionContext
from .events import Topic
from .facade import Origin
from .measurement import Measured, Measurement
from .steps import LESION, PLACE, Steps

SEGMENT = "lesion"
EDITED_S = 0.2  # without a change: the brush was lifted

Box = tuple[slice | EllipsisType, ...]


class Lesion:
    """A segment of the scene, with all corrections: whoever edits it, a tool or the program, edits the scene.

    changed(mask): called when a voxel is another than when it was last counted, its numbers being on the view state.
    """

    def __init__(self, context: SessionContext, steps: Steps, changed: Callable[[np.ndarray], None]) -> None:
        self._context, self._steps, self._changed = context, steps, changed
        self._noted: Voxels | None = None  # as the last step left it
        self._noting = False
        self._measurement = Measurement()
        self._counted: np.ndarray | None = None  # the mask that the numbers are of
        self._turn = 0
        self._lifted = Alarm(context)
        self._unwatch: Forget | None = None

    # What it is

    @property
    def node(self) -> Any:
        """The vtkMRMLSegmentationNode that it is a segment of; None before the first result."""
        return self._context.nodes.get("lesion")

    @property
    def origin(self) -> Origin:
        """As it was last counted."""
        if self.node is None:
            return "none"
        return "corrected" if self._context.view_state.edited else "model"

    def mask(self) -> np.ndarray | None:
        """bool [k, j, i]; None before the first result."""
        return None if self.node is None else segmentations.mask_of(self.node, SEGMENT, self._context.reference_node)

    def voxels(self) -> Voxels | None:
        """mask() as it was noted last."""
        return self._noted

    def corrected(self, box: Box = (...,)) -> np.ndarray:
        """bool [k, j, i] of the box: voxels that are others than the network drew."""
        return self._drawn()[box] != (self._context.predicted.labels[box] == 1)

    def _drawn(self) -> np.ndarray:
        mask = self.mask()
        assert mask is not None, "asked of a session without a lesion"
        return mask

    def protected(self) -> np.ndarray | None:
        """The mask where the reader accepted it and lets its border be drawn into the fused picture, else None."""
        drawn = self._context.parameters.protect_border and self._context.view_state.accepted
        return self.mask() if drawn else None

    def provenance(self) -> dict[str, Any]:
        """Who made it: the model, and the reader where it was corrected."""
        made = self._context.predicted.provenance
        accepted = self._context.view_state.accepted
        return {**made, "corrected_by_reader": self.origin == "corrected", "accepted_by_reader": accepted}

    # What is done to it by the program

    def restore_previous(self) -> bool:
        """The contour before the last run, the ghost, becomes the lesion again; False where there is none."""
        previous, reference = self._context.nodes.get("previous"), self._context.reference_node
        if None in (previous, self.node, reference):
            return False
        mask = segmentations.mask_of(previous, "previous", reference)
        segmentations.set_mask(self.node, SEGMENT, mask, reference)
        self.note()
        self.look()
        return True

    def put_back(self, voxels: Voxels) -> None:
        """As it was at another step."""
        if self.node is not None:
            self._noted = voxels
            segmentations.set_mask(self.node, SEGMENT, voxels.mask(), self._context.reference_node)
            self.look()

    def renew(self, mask: np.ndarray) -> None:
        """A result was written as this mask: its numbers, even where its voxels are those of the last."""
        view_state, drawn = self._context.view_state, self._context.predicted.labels == 1
        view_state.edited = bool((mask != drawn).any())
        view_state.numbers = ()
        self._noted = Voxels.of(mask)
        self._watch()
        self._counted = None
        self.look()

    def adopt(self) -> None:
        """A scene was opened: counted, but nobody has to hear that it changed."""
        mask = self._drawn()
        self._noted = Voxels.of(mask)
        self._watch()
        self._counted = None
        self._count(mask, tell=False)

    def recount(self) -> None:
        """Its numbers shall be in another unit; its voxels are what they were."""
        if self._context.prediction is not None:
            self._counted = None
            self._count(self.mask(), tell=False)

    def forget(self) -> None:
        """Another case, or none."""
        if self._unwatch:
            self._unwatch()
        self._lifted.cancel()
        self._unwatch = self._counted = self._noted = None
        self._measurement = Measurement()
        self._turn += 1
        self._context.view_state.counting = False

    # What a stroke does: it is noticed, noted as a step to undo, waited out, counted, taken, and told

    def _watch(self) -> None:
        if self._unwatch is None:
            self._unwatch = watch_segmentation(self.node, self._touched)

    def _touched(self) -> None:
        self._lifted.set(EDITED_S, self.look)
        if not self._noting:  # once for all that one stroke touches
            self._noting = True
            self._context.post(self.note)

    def note(self) -> None:
        """What was drawn since the last step is one, with the region that it was drawn in."""
        self._noting = False
        mask = self.mask()
        if mask is None or self._noted is None:
            return
        before, self._noted = self._noted, Voxels.of(mask)
        place = self._steps.taken(PLACE)
        self._steps.note("an edit of the lesion", {LESION: before, **place}, {LESION: self._noted, **place})

    def look(self) -> None:
        """Count it again if a voxel of it changed."""
        self._count(self.mask(), tell=True)

    def _count(self, mask: np.ndarray | None, tell: bool) -> None:
        """Off the host's thread; only the last mask's numbers are taken."""
        context, counted, measurement = self._context, self._counted, self._measurement
        self._lifted.cancel()
        if mask is None or context.case is None:
            return
        self._turn += 1
        turn, case, prediction, suv = self._turn, context.case, context.prediction, context.suv
        context.view_state.counting = True
        future = context.host.work(lambda: measurement.of(mask, counted, case, prediction, suv))
        context.then(future, lambda found: self._take(turn, mask, found, tell), lambda error: self._failed(turn, error))

    def _take(self, turn: int, mask: np.ndarray, found: Measured | None, tell: bool) -> None:
        if turn != self._turn:
            return
        view_state = self._context.view_state
        view_state.counting = False
        if found is not None:
            self._counted, view_state.numbers, view_state.edited = mask, found.rows, found.edited
            if tell:
                self._changed(mask)
        self._context.tell(Topic.NUMBERS)

    def _failed(self, turn: int, error: BaseException) -> None:
        if turn == self._turn:
            self._context.view_state.counting = False
            self._context.complain(error)
