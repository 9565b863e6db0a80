"""PlacementLogic: one image of the case registered, or moved by hand: seen at once, believed once the hand rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.errors import input_error
from ..core.pose import Pose
from ..engine.client.engine import EngineError, Handle
from ..mrml import transforms
from ..preprocessing.placement import Placement, check_movable, placed, registration_pose
from .alarm import Alarm
from .context import SessionContext
from .events import Topic
from .parameters import Parameters

RESTS_S = 0.4  # without another value: the case is made anew, which takes the engine seconds
AGAIN_S = 0.5  # after the engine died with it
POSE = "pose "  # role of the transform above an image, before its modality
STILL = Pose().numbers


class PlacementLogic:
    """The volumes in the scene keep the voxels they were opened with, under a transform; the session's case and the
    engine's have them where they lie by it.

    moving(): called when an image left its place; landed(before, now): when case and engine have it where it is, with
    both cases; drag(values) and choose(values): set parameters, as a step to undo that what follows at once joins, and
    as one of its own.
    """

    def __init__(
        self,
        context: SessionContext,
        moving: Callable[[], None],
        landed: Callable[[Case, Case], None],
        drag: Callable[..., None],
        choose: Callable[..., None],
    ) -> None:
        self._context, self._moving, self._landed, self._drag, self._choose = context, moving, landed, drag, choose
        self._opened: Case | None = None
        self._rests = Alarm(context)
        self._turn = self._registering = 0
        self._waiting: list[Callable[[], None]] = []
        self._is_moving = self._again = False

    @property
    def opened(self) -> Case:
        """The case as it was opened."""
        assert self._opened is not None, "asked of a session without a case"
        return self._opened

    def adopt(self, opened: Case) -> None:
        """A case is in the session, its images where the parameters have them."""
        self.forget()
        self._opened = opened
        self.show()

    def forget(self) -> None:
        """The case leaves the session."""
        self._turn += 1
        self._registering += 1
        self._rests.cancel()
        self._opened, self._waiting, self._is_moving = None, [], False
        self._say("")

    def placed(self, opened: Case, parameters: Parameters) -> Case:
        """A case as it was opened with its images where these parameters have them."""
        return placed(opened, _placement(parameters))

    def _checked(self) -> Case:
        if self._opened is None:
            raise input_error("no case", "an open one whose images can be moved", "open a case first")
        return self._opened

    # What a reader does

    def move(self, key: str, numbers: Any) -> None:
        """numbers: of the Pose that the hand gives the image, on top of its registration. Raises InputError for an
        image that cannot be moved."""
        check_movable(self._checked(), key)
        self._drag(moved={**self._context.parameters.moved, key: Pose.of(numbers).numbers})

    def nudge(self, key: str, number: int, value: float) -> None:
        """One of the six numbers, by its place among them, as move()."""
        numbers = list(self._context.parameters.moved.get(key, STILL))
        if not 0 <= number < len(numbers):
            raise input_error(f"number {number} of a pose", f"0 to {len(numbers) - 1}", "choose one of these")
        numbers[number] = value
        self.move(key, numbers)

    def reset(self, key: str) -> None:
        """The image back to where it was opened."""
        chosen = self._context.parameters
        self._choose(**{name: _without(key, getattr(chosen, name)) for name in ("registered", "moved")})

    def register(self, key: str) -> None:
        """Bring an image onto the reference, on a thread of its own; the last one asked for counts."""
        context, opened = self._context, self._checked()
        check_movable(opened, key)
        self._registering += 1
        turn, reference = self._registering, opened.reference
        self._say(f"registering {key} to {reference}")

        def done(found: tuple[Any, Any]) -> None:
            if turn == self._registering:
                self._say("")
                self._take_registration(key, *found)

        def failed(error: BaseException) -> None:
            if turn == self._registering:
                self._say("")
                context.complain(error)

        context.then(context.host.work(lambda: registration_pose(opened, key)), done, failed)

    def stop_registering(self) -> None:
        """What it finds is not wanted any more."""
        self._registering += 1
        self._say("")

    def _take_registration(self, key: str, pose: Pose, found: Any) -> None:
        chosen = self._context.parameters
        parts = [f"registered, {pose.words() or 'it lies where it was opened'}", *found.notes]
        self._context.say("info", f"{key}: {'; '.join(parts)}.")
        self._choose(registered={**chosen.registered, key: pose.numbers}, moved=_without(key, chosen.moved))

    # What follows

    def follow(self) -> None:
        """The parameters have an image elsewhere: the views at once, case and engine once the hand rests."""
        if self._opened is None:
            return
        self.show()
        self._turn += 1
        if not self._is_moving:
            self._is_moving, self._again = True, True
            self._moving()
        self._rests.set(RESTS_S, self._make)

    def when_at_rest(self, call: Callable[[], None]) -> None:
        """Call at once, or when case and engine have the images where they are."""
        if self._is_moving:
            self._waiting.append(call)
        else:
            call()

    def show(self) -> None:
        """Every image under the transform that the parameters give it."""
        placement = _placement(self._context.parameters)
        for key in self.opened.modalities:
            if key in self._context.nodes:
                self._show_one(key, placement.matrix(key, self.opened))

    def _show_one(self, key: str, matrix: np.ndarray | None) -> None:
        context, role = self._context, POSE + key
        if matrix is None:
            transforms.put_under(context.nodes[key], None)
            if gone := context.nodes.pop(role, None):
                context.scene.RemoveNode(gone)
            return
        if role not in context.nodes:
            context.nodes[role] = transforms.add_transform(context.scene, f"{key} moved", role)
        transforms.set_matrix(context.nodes[role], matrix)
        transforms.put_under(context.nodes[key], context.nodes[role])

    def _make(self) -> None:
        """The case with its images where they are, and what the engine gets of it, on a thread of its own."""
        context, turn, engine = self._context, self._turn, self._context.engine
        opened, placement = self.opened, _placement(context.parameters)

        def made() -> tuple[Case, dict]:
            case = placed(opened, placement)
            return case, engine.stage(case)

        def done(case: Case, staged: dict) -> None:
            if turn != self._turn or engine is not context.engine:
                engine.unstage(staged)
            if turn == self._turn:
                self._send(case, staged) if engine is context.engine else self._make()

        context.then(context.host.work(made), lambda parts: done(*parts), lambda error: self._failed(turn, error))

    def _send(self, case: Case, staged: dict) -> None:
        context, turn = self._context, self._turn
        try:
            handle: Handle = context.engine.reopen(context.opened_id, staged)
        except EngineError as error:
            self._failed(turn, error)
            return
        context.then(handle.future, lambda _: None, lambda error: self._not_taken(turn, error))
        before, context.case = context.opened, case
        self._at_rest(before)

    def _at_rest(self, before: Case) -> None:
        waiting, self._waiting, self._is_moving = self._waiting, [], False
        self._landed(before, self._context.opened)
        for call in waiting:
            call()

    def _not_taken(self, turn: int, error: BaseException) -> None:
        """The engine died of something before it had it: one more time."""
        if turn != self._turn:
            return
        if getattr(error, "code", "") == "died" and self._again:
            self._again = False
            self._rests.set(AGAIN_S, self._make)
        else:
            self._context.complain(error)

    def _failed(self, turn: int, error: BaseException) -> None:
        """Case and engine keep the images where they were; the result is of another place than the parameters'."""
        if turn == self._turn:
            self._waiting = []
            self._at_rest(self._context.opened)
            self._context.complain(error)

    def _say(self, words: str) -> None:
        if self._context.view_state.placing != words:
            self._context.view_state.placing = words
            self._context.tell(Topic.CASE)


def words_of(parameters: Parameters, keys: list[str]) -> dict[str, list]:
    """Where the images of a result lay, as JSON keeps it; empty where they were opened."""
    poses = {key: [list(part.get(key, STILL)) for part in (parameters.registered, parameters.moved)] for key in keys}
    return {key: found for key, found in poses.items() if not all(Pose.of(numbers).is_still for numbers in found)}


def _placement(parameters: Parameters) -> Placement:
    return Placement(parameters.registered, parameters.moved)


def _without(key: str, poses: dict[str, Any]) -> dict[str, Any]:
    return {other: numbers for other, numbers in poses.items() if other != key}
