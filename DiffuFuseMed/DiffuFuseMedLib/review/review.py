"""Review: the worklist while a reader works it off, and every decision about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from ..core.errors import input_error
from . import saved
from .decisions import Decision, Progress, digest
from .regions import Region, Worklist

EDITED = ", then edited"
SAME_DICE = 0.5  # regions of two runs that overlap by more than this are the same place


class Review:
    """decisions: by region id; a region without one is open. Raises InputError for decisions on no region.

    Times are passed in; one without a time zone is taken as local. Masks are the lesion, bool [k, j, i] on the
    worklist's grid; None where there is no lesion yet. reopened: regions that were decided on in the list before, and
    are open since the lesion in them was edited after that, as carried_over() found them.
    """

    def __init__(self, worklist: Worklist, decisions: Mapping[int, Decision] | None = None) -> None:
        self.worklist = worklist
        self.decisions = dict(decisions or {})
        self.reopened: tuple[int, ...] = ()
        self._spent = {region_id: decision.seconds for region_id, decision in self.decisions.items()}
        self._running: tuple[int, datetime] | None = None
        for region_id, decision in self.decisions.items():
            if region_id != decision.region_id:
                raise input_error("a decision kept for another region", "one for its own", "review the region again")
            self._region(region_id)

    def status(self, region_id: int) -> str:
        """One of STATUSES. Raises InputError for a region that is not in the worklist."""
        self._region(region_id)
        decision = self.decisions.get(region_id)
        return decision.status if decision else "open"

    def start(self, region_id: int, now: datetime) -> None:
        """The reader is at this region from now on; the clock of the one before stops, and goes on when it is chosen
        again."""
        self._region(region_id)
        self._stop_clock(now)
        self._running = (region_id, now)

    def decide(
        self,
        region_id: int,
        status: str,
        before: np.ndarray | None,
        after: np.ndarray | None,
        now: datetime,
        within: np.ndarray | None = None,
        taken: str = "",
    ) -> Decision:
        """Record and return a decision; what is counted as changed lies in the region, or in the bool mask `within`.

        before, after: the lesion when the region was chosen and now; taken: where the outline comes from that was
        taken, in words. Deciding again adds seconds, voxels and mm3 to what was recorded, and says of an outline taken
        before whether it was edited since. Raises InputError for an unknown region or status, or masks that do not fit.
        """
        self._region(region_id)
        self._check(before, after, within)
        region = self.worklist.labels == region_id
        added, removed = _changed(before, after, region if within is None else within)
        earlier = self.decisions.get(region_id)
        voxel_mm3 = self.worklist.grid.voxel_mm3
        decision = Decision(
            region_id,
            status,
            self._seconds(region_id, now),
            added + removed + (earlier.changed_voxels if earlier else 0),
            (added - removed) * voxel_mm3 + (earlier.changed_mm3 if earlier else 0.0),
            now.astimezone(UTC).isoformat(timespec="seconds"),
            "" if after is None else digest(after, region),
            taken or _taken_before(earlier, edited=bool(added + removed)),
        )
        self._stop_clock(now)
        self.decisions[region_id] = decision
        return decision

    def next_open(self, current: int | None = None) -> int | None:
        """The next open region by rank, from the first again after the last; the next of all when none is open, None
        for an empty list. current: where the reader is, None before the first."""
        return self._step(current, 1)

    def previous(self, current: int | None = None) -> int | None:
        """The open region before, as next_open() the other way round."""
        return self._step(current, -1)

    def progress(self) -> Progress:
        """How much of the list is done, and of what is expected to be wrong."""
        found = self.worklist
        statuses = [self.status(region.id) for region in found.regions]
        done = [r for r, status in zip(found.regions, statuses, strict=True) if status in ("accepted", "corrected")]
        whole = found.listed_mm3 + found.left_over_mm3
        share = sum(region.expected_error_mm3 for region in done) / whole if whole else 1.0
        return Progress(len(done), statuses.count("skipped"), len(statuses), share)

    def renewed(self, worklist: Worklist) -> Review:
        """The same review, its clock too, on a list of the same regions with more said about them. Raises InputError
        when the regions are others."""
        if not np.array_equal(worklist.labels, self.worklist.labels):
            raise input_error("a worklist of other regions", "the same prediction's", "carry the review over to it")
        review = Review(worklist, self.decisions)
        review._spent, review._running = dict(self._spent), self._running
        return review

    def carried_over(self, worklist: Worklist, mask: np.ndarray | None) -> Review:
        """The review after a re-run: worklist of the new prediction, mask the lesion as it stands now.

        A decision is kept for the new region that overlaps the old one by a Dice above SAME_DICE, when the lesion in
        every voxel of the old region is still what the decision left there. Otherwise the region is open again: its
        place is a new one, or what was accepted is no longer what would be saved. Seconds and changes stay with a kept
        decision. On another grid nothing is kept.
        """
        if mask is None or not worklist.grid.same_as(self.worklist.grid):
            return Review(worklist)
        kept, reopened = {}, []
        for new_id, old_id in _same_places(self.worklist.labels, worklist.labels).items():
            old = self.decisions.get(old_id)
            if old is None or old.status == "open":
                continue
            if old.left == digest(mask, self.worklist.labels == old_id):
                left = digest(mask, worklist.labels == new_id)
                kept[new_id] = replace(old, region_id=new_id, left=left)
            elif old.left:
                reopened.append(new_id)
        review = Review(worklist, kept)
        review.reopened = tuple(sorted(reopened))
        return review

    def to_json(self) -> str:
        """The whole review as text, the regions' voxels too; a clock that runs is not kept."""
        return saved.to_json(self.worklist, self.decisions)

    @classmethod
    def from_json(cls, text: str) -> Review:
        """What to_json() wrote. Raises InputError for anything else."""
        return cls(*saved.from_json(text))

    def _region(self, region_id: int) -> Region:
        region = self.worklist.region(region_id)
        if region is None:
            known = f"1 to {len(self.worklist.regions)}" if self.worklist.regions else "none"
            raise input_error(f"the region {region_id}", f"one of the worklist ({known})", "choose one of these")
        return region

    def _check(self, *masks: np.ndarray | None) -> None:
        for mask in masks:
            if mask is not None and (mask.dtype != bool or mask.shape != self.worklist.labels.shape):
                given, wanted = f"a mask of {mask.dtype} {mask.shape}", f"bool {self.worklist.labels.shape}"
                raise input_error(given, wanted, "resample the mask to the prediction's grid")

    def _seconds(self, region_id: int, now: datetime) -> float:
        running, since = self._running or (None, now)
        elapsed = max(0.0, (now - since).total_seconds()) if running == region_id else 0.0
        return self._spent.get(region_id, 0.0) + elapsed

    def _stop_clock(self, now: datetime) -> None:
        if self._running:
            self._spent[self._running[0]] = self._seconds(self._running[0], now)
        self._running = None

    def _step(self, current: int | None, by: int) -> int | None:
        count = len(self.worklist.regions)
        if not count:
            return None
        start = current if current is not None else 0 if by > 0 else count + 1
        # Ids are ranks from 1; the current one comes last, after a whole round.
        round_ = [(start - 1 + by * step) % count + 1 for step in range(1, count + 1)]
        return next((region_id for region_id in round_ if self.status(region_id) == "open"), round_[0])


def _taken_before(earlier: Decision | None, edited: bool) -> str:
    """Of the outline that an earlier decision took."""
    taken = earlier.taken if earlier else ""
    return f"{taken}{EDITED}" if taken and edited and not taken.endswith(EDITED) else taken


def _changed(before: np.ndarray | None, after: np.ndarray | None, where: np.ndarray) -> tuple[int, int]:
    """Voxels added to and removed from the lesion inside `where`."""
    nothing = np.zeros(np.count_nonzero(where), bool)
    was, is_ = (nothing if mask is None else mask[where] for mask in (before, after))
    return int(np.count_nonzero(is_ & ~was)), int(np.count_nonzero(was & ~is_))


def _same_places(old: np.ndarray, new: np.ndarray) -> dict[int, int]:
    """By new region id the old one that it overlaps best, where their Dice is above SAME_DICE."""
    n_old, n_new = int(old.max()) + 1, int(new.max()) + 1
    pairs = old.ravel().astype(np.int64) * n_new + new.ravel()
    both = np.bincount(pairs, minlength=n_old * n_new).reshape(n_old, n_new)
    sizes = both.sum(axis=1)[:, None] + both.sum(axis=0)[None]
    dice = 2 * both[1:, 1:] / np.maximum(sizes[1:, 1:], 1)
    if not dice.size:
        return {}
    return {n + 1: int(dice[:, n].argmax()) + 1 for n in range(dice.shape[1]) if dice[:, n].max() > SAME_DICE}
