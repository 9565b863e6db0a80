"""ChoiceLogic: the distinct outlines of the region in focus, then of its parts, one of them as a ghost, and what
happens when it is taken.

They are found off the host's thread, again whenever region, lesion or result are others: what is shown as a ghost is
what is taken, voxel by voxel.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import numpy as np

from ..core.voxels import Voxels
from ..mrml import segmentations
from ..review import Choice, Parts, choices_at, choices_in, parts_of
from .context import SessionContext
from .events import Topic
from .lesion import Lesion
from .result_nodes import segmentation_node
from .review import ReviewLogic
from .steps import DECISIONS, LESION, PLACE, Steps

GHOST, SEGMENT = "choice", "choice"
COLOR = (1.0, 0.4, 0.95)  # no other outline's, and of no color scale that lies below
GHOST_PIXELS = 3  # it lies on a map of doubt in bright colors, where a thin line is lost
NO_KEY = 0  # of none of them
NO_REGION = "Choose a region of the worklist first: its outlines are offered then."
FINDING = "The outlines of this region are still being looked for."
NONE = "No other outline is offered here: every sample, level and modality agrees with the lesion as it is."
TAKEN, LEFT = "an outline taken", "a part left as it is"


class ChoiceLogic:
    """without: by modality, the lesion as the model draws it with that one switched off."""

    def __init__(self, context: SessionContext, lesion: Lesion, review: ReviewLogic, steps: Steps) -> None:
        self._context, self._lesion, self._review, self._steps = context, lesion, review, steps
        self.without: dict[str, Voxels] = {}
        self._offered: tuple[Choice, ...] = ()
        self._of: tuple[int, ...] | None = None  # worklist, region, part and result that they are of
        self._found_for: np.ndarray | None = None  # the lesion
        self._finding: Future | None = None
        self._wanted: int | None = None  # asked for while they were being found
        context.events.listen(lambda _: self._look(), Topic.REVIEW)

    # What there is

    def take_without(self, without: Mapping[str, Voxels]) -> None:
        """The background has found these; what a reader looks at already stays as it is."""
        self.without = dict(without)
        if self._context.view_state.choice is None:
            self._renew()

    def forget(self) -> None:
        """Another result, or none."""
        self.without = {}
        self._of = None
        self._put_away()

    def follow(self, lesion: np.ndarray) -> None:
        """The lesion, bool [k, j, i], is this one: where it is another than they were found for, what taking an outline
        would change is, too."""
        if self._found_for is None or not np.array_equal(lesion, self._found_for):
            self._renew()

    def _renew(self) -> None:
        self._of = None
        self._look()

    def _look(self) -> None:
        """Find the outlines of the region in focus, if they are others than those that are there."""
        of = self._focus()
        if of is not None and of == self._of:
            return
        self._of = of
        self._put_away()
        if of is not None:
            self._find()

    def _focus(self) -> tuple[int, ...] | None:
        """Worklist, region, part and result; the labels of a list stay the same array when more is said about it."""
        context, review = self._context, self._review.current
        region = context.view_state.region
        if region is None or review is None or context.view_state.listing or context.prediction is None:
            return None
        return id(review.worklist.labels), region, context.view_state.part, id(context.prediction)

    def _find(self) -> None:
        context, places, region = self._context, self._review.places, self._context.view_state.region
        part = context.view_state.part
        lesion, prediction, without = self._lesion.mask(), context.predicted, dict(self.without)
        if lesion is None or region is None:
            return
        self._found_for = lesion
        known = self._review.parts(region) if self._review.knows_parts(region) else None

        def find() -> tuple[Parts, tuple[Choice, ...]]:
            parts = known or parts_of(places, region, prediction)
            if part:
                return parts, choices_in(parts, part, lesion, prediction, without)
            return parts, choices_at(places, region, lesion, prediction, without)

        self._finding = finding = context.host.work(find)
        labels = places.worklist.labels

        def take(found: tuple[Parts, tuple[Choice, ...]]) -> None:
            self._take(finding, labels, region, found)

        context.then(finding, take, lambda error: self._failed(finding, error))
        self._show()

    def _take(self, finding: Future, labels: np.ndarray, region: int, found: tuple[Parts, tuple[Choice, ...]]) -> None:
        if finding is self._finding:
            self._finding, (parts, self._offered) = None, found
            self._review.keep_parts(labels, region, parts)
            wanted, self._wanted = self._wanted, None
            self._show()
            if wanted == NO_KEY:
                self.none()
            elif wanted is not None:
                self.preview(wanted)

    def _failed(self, finding: Future, error: BaseException) -> None:
        if finding is self._finding:
            self._finding = None
            self._show()
            self._context.complain(error)

    def _put_away(self) -> None:
        """Nothing is offered, and no ghost is shown."""
        self._finding, self._found_for, self._wanted, self._offered = None, None, None, ()
        self._hide()
        self._show()

    def _show(self) -> None:
        view_state = self._context.view_state
        rows = tuple(_row(key, choice) for key, choice in enumerate(self._offered, 1))
        why = "" if rows or view_state.region is None else FINDING if self._finding else NONE
        shown = rows, why, self._of_what()
        if (view_state.choices, view_state.no_choice, view_state.choosing) != shown:
            view_state.choices, view_state.no_choice, view_state.choosing = shown
            self._context.tell(Topic.REVIEW)

    def _of_what(self) -> str:
        """What is offered is of all of the region, or of a part of it."""
        region, part = self._context.view_state.region, self._context.view_state.part
        if region is None or self._review.current is None or not self._review.knows_parts(region):
            return ""
        count = self._review.parts(region).count
        if part:
            return f"Part {part} of {count}, the most doubtful first."
        return f"All of the region; then its {count} parts, one after the other." if count > 1 else ""

    # What the reader does

    def preview(self, key: int) -> None:
        """Show an outline as a ghost over the lesion; the one that is shown already is put away."""
        self._context.patient_first()
        view_state = self._context.view_state
        if self._finding is not None:
            self._wanted = key  # shown as soon as it is there
            return
        if not 1 <= key <= len(self._offered):
            count = len(self._offered)
            few = f"There is no outline {key} here: {count} {'is' if count == 1 else 'are'} offered."
            self._context.say("info", NO_REGION if view_state.region is None else view_state.no_choice or few)
            return
        if view_state.choice == key:
            self.drop()
            return
        self._draw(self._lesion_with(self._offered[key - 1]))
        view_state.choice = key
        self._context.tell(Topic.REVIEW)

    def drop(self) -> None:
        """No ghost is shown nor about to be, and the lesion stays as it is."""
        self._wanted = None
        if self._context.view_state.choice is not None:
            self._hide()
            self._context.tell(Topic.REVIEW)

    def take(self) -> None:
        """The outline that is shown becomes the lesion's in this region or part of it, one step; then the next part is
        in focus, and after the last the region is decided."""
        self._context.patient_first()
        context, key = self._context, self._context.view_state.choice
        if key is None:
            first = "Press 1 to 4 first: the outline that is shown is the one that is taken."
            context.say("info", FINDING if self._finding is not None else first)
            return
        if context.view_state.applying:
            context.say("info", f"The outline was not taken: wait, the program is still {context.view_state.applying}.")
            return
        choice = self._offered[key - 1]
        taken = self._lesion_with(choice)
        self._hide()
        with self._steps.one(TAKEN, LESION, DECISIONS, PLACE):
            drawn = self._lesion.voxels()
            self._lesion.put_back(Voxels.of(taken))
            self._review.decide_taken(choice.source, drawn)

    def none(self) -> None:
        """The lesion stays as it is there; the next part is in focus, and after the last the region is decided."""
        context = self._context
        context.patient_first()
        if context.view_state.region is None:
            context.say("info", NO_REGION)
            return
        if self._finding is not None:
            self._wanted = NO_KEY  # where the region is cut is not known yet
            return
        if context.view_state.applying:
            context.say("info", f"Wait, the program is still {context.view_state.applying}.")
            return
        self._hide()
        with self._steps.one(LEFT, DECISIONS, PLACE):
            self._review.pass_on()

    def _lesion_with(self, choice: Choice) -> np.ndarray:
        mask = self._lesion.mask()
        assert mask is not None, "offered without a lesion"
        return choice.taken(mask)

    # The ghost

    def _draw(self, mask: np.ndarray) -> None:
        context = self._context
        node = segmentation_node(context, GHOST, "Outline to choose", saved=False)
        segmentations.set_mask(node, SEGMENT, mask, context.reference_node, "outline to choose", COLOR)
        segmentations.show(node, SEGMENT, True, 0.0, 1.0)
        segmentations.set_outline_width(node, GHOST_PIXELS)

    def _hide(self) -> None:
        self._context.view_state.choice = None
        node = self._context.nodes.get(GHOST)
        if node is not None and self._context.scene.IsNodePresent(node):  # a scene that is replaced took it along
            segmentations.show(node, SEGMENT, False)


def _row(key: int, choice: Choice) -> dict[str, str]:
    """share: "" for what is none of the samples'."""
    share = "" if choice.share is None else f"{100 * choice.share:.0f} %"
    change = f"{choice.change_mm3 / 1000:+.1f} mL" if abs(choice.change_mm3) >= 50 else f"{choice.change_mm3:+.0f} mm³"
    return {"key": str(key), "source": choice.source, "share": share, "change": change}
