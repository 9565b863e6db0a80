"""ReviewLogic: the worklist, one region at a time, with every decision kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.voxels import Voxels
from ..mrml import editing, segmentations
from ..review import EDITED, Decision, Parts, Places, Review, parts_of, reach, with_reasons, worklist
from .context import SessionContext
from .events import Topic
from .lesion import Lesion
from .steps import DECISIONS, PLACE, Steps

Box = tuple[slice, slice, slice]
BETWEEN = "; "  # outlines that were taken one after the other for a region
SYNTHETIC = "A synthetic tumor is shown: go back to the patient's images to edit the lesion."
ANYWHERE = "switch “inside this region only” off to edit anywhere"


@dataclass(frozen=True)
class Place:
    """Where the reader is in the worklist. began: the lesion when the region was chosen, None without one; part: of the
    region, 0 for all of it."""

    region: int | None
    began: Voxels | None
    part: int = 0


class ReviewLogic:
    """current: worklist and decisions of the present result; jump(center_lps): bring the views there."""

    def __init__(self, context: SessionContext, lesion: Lesion, steps: Steps, jump: Callable[[Any], None]) -> None:
        self._context, self._lesion, self._steps, self._jump = context, lesion, steps, jump
        self.current: Review | None = None
        self.editor_node: Any = None  # the host's vtkMRMLSegmentEditorNode
        self._began: Voxels | None = None
        self.kept: np.ndarray | None = None  # voxels decided on in lists before this one
        self._places: Places | None = None  # of the present list's regions
        self._parts: dict[int, Parts] = {}  # by region, of the list whose labels are _cut
        self._cut: np.ndarray | None = None
        self._making: Future | None = None  # the worklist to come: `current` is still that of the result before
        self._without: dict[str, np.ndarray] = {}

    @property
    def _listed(self) -> Review:
        """The present review, for what is done only while there is one."""
        assert self.current is not None, "asked of a session without a worklist"
        return self.current

    def renew(self) -> None:
        """Make the worklist of a new result, off the host's thread. Until it is there no region can be chosen."""
        context, prediction = self._context, self._context.predicted
        self.leave()
        self._without = {}
        self._making = making = context.host.work(lambda: worklist(prediction))
        context.then(making, lambda _: self._take(making), lambda error: self._failed(making, error))
        self.show()

    def explain(self, without: dict[str, np.ndarray]) -> None:
        """Reasons for the same regions. without: by modality, the probability [k, j, i] with that one off."""
        self._without = dict(without)
        if self._making is None and self.current is not None and self._without:
            found = with_reasons(self.current.worklist, self._context.predicted, self._without)
            self.current = self.current.renewed(found)
        self.show()

    def finish(self) -> None:
        """Wait for the worklist that is being made: what is saved or reported holds it."""
        if self._making is not None:
            wait([self._making])
            self._failed(self._making, error) if (error := self._making.exception()) else self._take(self._making)

    def _take(self, making: Future) -> None:
        if making is not self._making:  # of a result that has been replaced, or taken already
            return
        found, self._making = making.result(), None
        self.current = Review(found) if self.current is None else self.current.carried_over(found, self._lesion.mask())
        self._say_reopened(self.current.reopened)
        self.explain(self._without)

    def _say_reopened(self, regions: tuple[int, ...]) -> None:
        """A decision that does not stand any more is never taken back in silence."""
        if regions:
            what = f"Region {regions[0]} is" if len(regions) == 1 else f"Regions {', '.join(map(str, regions))} are"
            why = "after your decision the lesion was edited there, such as from a region beside it"
            self._context.say("warning", f"{what} open again: {why}.")

    def _failed(self, making: Future, error: BaseException) -> None:
        """The review of the result before would say things about this one."""
        if making is self._making:
            self.clear()
            self.limit()
            self._context.complain(error)

    def adopt(self, review: Review, kept: np.ndarray | None) -> None:
        """The review of a scene that was opened."""
        self.current, self.kept, self._making = review, kept, None
        self.leave()
        self.show()

    def restore(self, review: Review | None, kept: np.ndarray | None) -> None:
        """What was decided about a result that is about to be there again, in place of the present decisions."""
        self.current, self.kept = review, kept

    def clear(self) -> None:
        """There is no worklist, and nothing that it would limit; the lesion may be gone already."""
        self._context.view_state.region = self._began = None
        self._context.view_state.part = 0
        if self.editor_node is not None and "lesion" in self._context.nodes:
            editing.release(self.editor_node, self._context.nodes["lesion"])
        self.current = self.kept = self._making = None
        self.show()

    def settle(self) -> np.ndarray | None:
        """bool [k, j, i]: what a new result must leave as it is; None for nothing. Called before the new one is there.

        The regions that the reader accepted or corrected, with what was corrected around them; those of earlier lists
        too, for a region may be none in the list of a result in between.
        """
        if self.current is None:
            return None
        kept = np.zeros(self.current.worklist.labels.shape, bool) if self.kept is None else self.kept.copy()
        for decision in self.current.decisions.values():
            self._settle_one(decision, kept)
        self.kept = kept if kept.any() else None
        return self.kept

    def _settle_one(self, decision: Decision, kept: np.ndarray) -> None:
        box = self.places.box(decision.region_id)
        region = self._listed.worklist.labels[box] == decision.region_id
        if decision.status in ("accepted", "corrected"):
            kept[box] |= region
        else:
            kept[box] &= ~region
            if not decision.taken:  # else some of its parts are decided: what was taken for them stays
                return
        if decision.changed_voxels:
            kept[box] |= self._reach_in(box, decision.region_id) & self._lesion.corrected(box)

    def choose(self, region_id: int) -> None:
        """Jump to a region and limit the editor to it."""
        self._context.patient_first()
        region = self._region(region_id)
        if region is None:
            return
        self._steps.unnoted()
        self._go_to(Place(region_id, self._lesion.voxels()))
        self._jump(region.center_lps)

    def _go_to(self, place: Place) -> None:
        self._context.view_state.region, self._began = place.region, place.began
        self._context.view_state.part = place.part
        if place.region is not None:
            self._listed.start(place.region, now())
        self.limit()
        self.show()

    # What goes back with an undo

    def place(self) -> Place:
        return Place(self._context.view_state.region, self._began, self._context.view_state.part)

    def return_to(self, place: Place) -> None:
        """The region that was chosen at another step, with its limits."""
        before = self._context.view_state.region, self._context.view_state.part
        region = None if place.region is None else self._region(place.region)
        self._go_to(place if region is not None else Place(None, None))
        if region is not None and (region.id, place.part) != before:
            self._jump(self.parts(region.id).centers_lps[place.part - 1] if place.part else region.center_lps)

    def decisions(self) -> Mapping[int, Decision]:
        return dict(self.current.decisions) if self.current else {}

    def put_back(self, decisions: Mapping[int, Decision]) -> None:
        """What was decided at another step."""
        if self.current is not None:
            self.current.decisions = dict(decisions)
            self._context.tell(Topic.SCENE)
            self.show()

    def next(self) -> None:
        self._step(self.current.next_open(self._context.view_state.region) if self.current else None)

    def previous(self) -> None:
        self._step(self.current.previous(self._context.view_state.region) if self.current else None)

    def decide(self, skip: bool = False) -> None:
        """Accept the region as it is now, corrected if a voxel of it changed, or skip it; then go to the next."""
        self._context.patient_first()
        region_id = self._context.view_state.region
        if self.current is None or region_id is None:
            self._context.say("info", "Choose a region of the worklist first.")
            return
        with self._steps.one("a decision", DECISIONS, PLACE):
            self._decide(region_id, skip)

    def decide_taken(self, source: str, drawn: Voxels | None) -> None:
        """An outline was taken for what is in focus: a part of a step that the caller makes. source: where it comes
        from, in words; drawn: the lesion before that."""
        region_id, part = self._context.view_state.region, self._context.view_state.part
        if region_id is not None:
            self._settle_part(self._said(region_id, part, source, drawn) if part else source)

    def _said(self, region_id: int, part: int, source: str, drawn: Voxels | None) -> str:
        """What was taken for the region until now, and this."""
        earlier = self._listed.decisions.get(region_id)
        said = earlier.taken if earlier else ""
        if said and drawn != self._began and not said.endswith(EDITED):
            said += EDITED
        now_taken = f"part {part} of {self.parts(region_id).count}: {source}"
        return f"{said}{BETWEEN}{now_taken}" if said else now_taken

    def pass_on(self) -> None:
        """What is in focus stays as it is: a part of a step that the caller makes."""
        self._settle_part("")

    def _settle_part(self, taken: str) -> None:
        """On to the next part of the region; after the last the region is decided."""
        view_state = self._context.view_state
        region_id, part = view_state.region, view_state.part
        if region_id is None:
            return
        parts = self.parts(region_id)
        if parts.count < 2 or part >= parts.count:
            self._decide(region_id, skip=False, taken=taken)
            return
        began = self._began
        if taken:
            self._record(region_id, "open", taken)
            began = self._lesion.voxels()
        self._go_to(Place(region_id, began, part + 1))
        self._jump(parts.centers_lps[part])

    def parts(self, region_id: int) -> Parts:
        """Where a region of the present list is cut."""
        labels = self._listed.worklist.labels
        if not self.knows_parts(region_id):
            self.keep_parts(labels, region_id, parts_of(self.places, region_id, self._context.predicted))
        return self._parts[region_id]

    def knows_parts(self, region_id: int) -> bool:
        return self._cut is self._listed.worklist.labels and region_id in self._parts

    def keep_parts(self, labels: np.ndarray, region_id: int, parts: Parts) -> None:
        """What parts_of() found of these labels, which takes its time."""
        if self._cut is not labels:
            self._parts, self._cut = {}, labels
        self._parts[region_id] = parts

    def part_mask(self) -> np.ndarray | None:
        """bool [k, j, i]: the part in focus; None where all of the region is."""
        region_id, part = self._context.view_state.region, self._context.view_state.part
        if region_id is None or not part:
            return None
        parts, mask = self.parts(region_id), np.zeros(self._listed.worklist.labels.shape, bool)
        mask[parts.box] = parts.labels == part
        return mask

    def _decide(self, region_id: int, skip: bool, taken: str = "") -> None:
        before, after = None if self._began is None else self._began.mask(), self._lesion.mask()
        touched = self._touched(region_id, before, after, self._reach(region_id))
        if self._record(region_id, "skipped" if skip else "corrected" if touched else "accepted", taken):
            self._go_on(region_id)

    def _record(self, region_id: int, status: str, taken: str) -> bool:
        """Whether the decision is noted."""
        before, after = None if self._began is None else self._began.mask(), self._lesion.mask()
        try:
            self._listed.decide(region_id, status, before, after, now(), within=self._reach(region_id), taken=taken)
        except InputError as error:
            self._context.complain(error)
            return False
        self._context.tell(Topic.SCENE)
        return True

    def _touched(self, region_id: int, before: np.ndarray | None, after: np.ndarray | None, reach: np.ndarray) -> bool:
        """Whether a voxel in reach changed since the region was chosen, or had at the decision before this one."""
        earlier, box = self._listed.decisions.get(region_id), self.places.box(region_id)
        if earlier is not None and earlier.changed_voxels > 0:
            return True
        return before is not None and after is not None and bool(((before[box] != after[box]) & reach[box]).any())

    def _go_on(self, region_id: int) -> None:
        """To the next open region, if there is one."""
        following = self._listed.next_open(region_id)
        if following is not None and self._listed.status(following) == "open":
            self.choose(following)
        else:
            self._finish()

    def leave(self) -> None:
        """No region is chosen."""
        self._context.view_state.region, self._began = None, None
        self._context.view_state.part = 0
        self.limit()

    def limit(self) -> None:
        """Edit inside the chosen region only, nowhere without one, or anywhere, as the parameter says; nowhere while
        other images than the patient's are shown."""
        context, node = self._context, self._context.nodes.get("lesion")
        self._say_why_no_edit()
        if self.editor_node is None or node is None:
            return
        if context.parameters.inside_region_only or context.view_state.synthetic:
            editing.restrict(self.editor_node, node, self._editable(), context.nodes[context.opened.reference])
        else:
            editing.release(self.editor_node, node)

    def editable(self) -> np.ndarray | None:
        """bool [k, j, i]: where the tools may work; None for anywhere."""
        return self._editable() if self._context.parameters.inside_region_only else None

    def _editable(self) -> np.ndarray:
        """bool [k, j, i]: where the tools may work while they are held to a region."""
        region = None if self._context.view_state.synthetic else self._context.view_state.region
        return np.zeros(self._context.opened.grid.shape, bool) if region is None else self._reach(region)

    def _say_why_no_edit(self) -> None:
        view_state, before = self._context.view_state, self._context.view_state.no_edit
        view_state.no_edit = self._why_no_edit()
        if view_state.no_edit != before:
            self._context.tell(Topic.REVIEW)

    def _why_no_edit(self) -> str:
        context = self._context
        if context.view_state.synthetic:
            return SYNTHETIC
        free = context.view_state.region is not None or not context.parameters.inside_region_only
        if free or "lesion" not in context.nodes:
            return ""
        if self._making is not None:
            return f"The worklist is still being made: wait a moment, or {ANYWHERE}."
        if self.current is None or not self.current.worklist.regions:
            return f"The worklist has no region: {ANYWHERE}."
        return f"No region is chosen: choose one of the worklist (N), or {ANYWHERE}."

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Without what limits the editor, for as long as it takes."""
        if self.editor_node is not None and "lesion" in self._context.nodes:
            editing.release(self.editor_node, self._context.nodes["lesion"])
        try:
            yield
        finally:
            self.limit()

    def keep_limit(self) -> None:
        """Limit again where something else, such as the editor's undo, brought back other limits."""
        context, node = self._context, self._context.nodes.get("lesion")
        if not context.parameters.inside_region_only or None in (node, self.editor_node):
            return
        limits = None
        if editing.is_restricted(self.editor_node, node):
            limits = ~segmentations.mask_of(node, editing.OUTSIDE, context.nodes[context.opened.reference])
        if limits is None or (limits != self._editable()).any():
            self.limit()

    def show(self) -> None:
        """The rows of the panel."""
        self._say_why_no_edit()
        view_state = self._context.view_state
        view_state.listing = self._making is not None
        if self.current is None or view_state.listing:
            view_state.regions, view_state.progress = (), ""
        else:
            view_state.regions = tuple(self._row(region) for region in self.current.worklist.regions)
            progress = self.current.progress()
            view_state.progress = (
                f"{progress.done} of {progress.count} done, {100 * progress.share:.0f} % of expected error handled"
            )
        self._context.tell(Topic.REVIEW)

    def rows(self) -> list[dict[str, Any]]:
        """The worklist with its decisions as a table, for whoever opens the scene."""
        rows, listed = [], self._listed
        for region in listed.worklist.regions:
            decision = listed.decisions.get(region.id)
            rows.append(
                {
                    "region": region.id,
                    "place": region.question,
                    "expected_error_mm3": float(region.expected_error_mm3),
                    "why": region.why,
                    "status": listed.status(region.id),
                    "seconds": float(decision.seconds if decision else 0),
                    "changed_voxels": int(decision.changed_voxels if decision else 0),
                    "changed_mm3": float(decision.changed_mm3 if decision else 0),
                    "taken": decision.taken if decision else "",
                    "at": decision.at if decision else "",
                }
            )
        return rows

    def _row(self, region: Any) -> dict[str, Any]:
        decision, status = self._listed.decisions.get(region.id), self._listed.status(region.id)
        change = f" ({decision.changed_mm3 / 1000:+.1f} mL)" if decision and decision.changed_voxels else ""
        change += f", {_briefly(decision.taken)}" if decision and decision.taken else ""
        return {
            "id": region.id,
            "place": region.question,
            "error_ml": f"{region.expected_error_mm3 / 1000:.1f} mL",
            "why": region.why,
            "status": status + change,
            "state": status,
        }

    def _region(self, region_id: int) -> Any:
        return self.current.worklist.region(region_id) if self.current and self._making is None else None

    def _step(self, region_id: int | None) -> None:
        if self._making is not None:
            self._context.say("info", "The worklist of the new result is still being made.")
        elif region_id is None:
            self._context.say("info", "The worklist is empty: run the segmentation first.")
        else:
            self.choose(region_id)

    def _finish(self) -> None:
        self.leave()
        self.show()
        self._context.say("info", "Every region of the worklist is decided.")

    def _reach(self, region_id: int) -> np.ndarray:
        """bool [k, j, i]: the region and REACH_MM around it."""
        box = self.places.box(region_id)
        mask = np.zeros(self._listed.worklist.labels.shape, bool)
        mask[box] = self._reach_in(box, region_id)
        return mask

    def _reach_in(self, box: Box, region_id: int) -> np.ndarray:
        return reach(self.places.region(region_id, box), self._listed.worklist.grid.spacing_kji_mm)

    @property
    def places(self) -> Places:
        """Where the regions of the present list lie."""
        if self._places is None or self._places.worklist is not self._listed.worklist:
            self._places = Places(self._listed.worklist)
        return self._places


def _briefly(taken: str) -> str:
    """How many outlines were taken, or the one."""
    count = taken.count(BETWEEN) + 1
    return taken if count == 1 else f"{count} outlines{EDITED if taken.endswith(EDITED) else ''}"


def now() -> datetime:
    return datetime.now(UTC)
