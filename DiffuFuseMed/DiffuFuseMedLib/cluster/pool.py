"""Workers in the slots of a cluster, who work off items; what one that dies leaves, another takes up.

Each item is with one worker at a time, so that a death has one culprit. Nothing goes through Ray but items and their
outcomes: what a worker writes, it writes whole or not at all (core/staging.py), and so may be begun again by another.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .. import __version__
from ..core.errors import InputError, reason_of
from .shared_folder import Proof
from .slots import Slot, check_slots, slots_of
from .work import Member, Outcome, Want, Work
from .worker import Worker

MOST_DEATHS = 2  # of workers with the same item: it is the item that kills
MOST_LOST = 3  # times that an item's node went away
MOST_STARTS = 2  # of a worker that dies while it gets ready
LOOK_S = 1.0  # how often nodes that come and go are looked for
PATIENCE_S = 300.0  # for a node to come, when none is left
DIED = "The process that worked on it ended before its time, twice ({places}; was there too little memory?)."
NODES_LOST = "The nodes that worked on it went away, three times ({places})."


@dataclass
class _Item:
    value: Any
    deaths: int = 0
    lost: int = 0
    places: list[str] = field(default_factory=list)


@dataclass
class _Actor:
    slot: Slot
    handle: Any
    item: _Item | None = None
    ready: bool = False
    done: int = 0
    since: float = field(default_factory=time.monotonic)


class Pool:
    """One run of a piece of work over items, on the cluster that this process is connected to."""

    def __init__(
        self,
        work: Work,
        want: Want,
        proofs: Sequence[Proof] = (),
        tell: Callable[[list[Member]], None] = lambda members: None,
        say: Callable[[str], None] = lambda sentence: None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """proofs: of folders that each node has to see. tell: called with all workers when one has changed, and now and
        then. say: called with a sentence when a node is left out or lost."""
        self._work, self._want, self._proofs, self._tell, self._say = work, want, tuple(proofs), tell, say
        self._patience_s = patience_s
        self._actors: dict[Any, _Actor] = {}  # by what is awaited of each
        self._idle: list[_Actor] = []
        self._refused: dict[Slot, str] = {}
        self._starts: Counter[Slot] = Counter()
        self._worked = False

    def run(self, items: Sequence[Any]) -> Generator[Outcome, None, None]:
        """Each item's Outcome as soon as it is over. However it ends, the workers end with it.

        Raises InputError when no node can do the work, with what the last one said, before anything was done.
        """
        self._waiting = deque(map(_Item, items))
        check_slots(slots_of(ray.nodes(), self._want), self._want)
        seen = time.monotonic()
        try:
            while self._waiting or self._busy():
                self._start_workers()
                self._hand_out()
                self._tell(self._members())
                if self._actors or self._idle:
                    seen = time.monotonic()
                elif self._all_refused() or time.monotonic() - seen > self._patience_s:
                    yield from self._give_up()
                    return
                yield from self._await_one()
        finally:
            for actor in [*self._actors.values(), *self._idle]:
                with suppress(RayError, RuntimeError):  # the cluster itself may be gone
                    ray.kill(actor.handle)

    def _busy(self) -> bool:
        return any(actor.item for actor in self._actors.values())

    def _members(self) -> list[Member]:
        actors = sorted(
            [*self._actors.values(), *self._idle], key=lambda a: (a.slot.node, a.slot.node_id, a.slot.index)
        )
        return [
            Member(a.slot.node, f"{a.slot.device} {a.slot.index}", a.ready, a.item and a.item.value, a.done, a.since)
            for a in actors
        ]

    def _start_workers(self) -> None:
        """One in each free slot, as long as there is more to do than workers."""
        taken = {actor.slot for actor in [*self._actors.values(), *self._idle]}
        free = [s for s in slots_of(ray.nodes(), self._want) if s not in taken and s not in self._refused]
        unready = sum(not actor.ready for actor in self._actors.values())
        for slot in free[: max(0, len(self._waiting) - unready - len(self._idle))]:
            where = NodeAffinitySchedulingStrategy(node_id=slot.node_id, soft=False)
            options = {"num_cpus": slot.cores, "num_gpus": slot.gpus, "max_restarts": 0, "scheduling_strategy": where}
            handle: Any = ray.remote(Worker).options(**options).remote(self._work, slot.device, slot.place)
            self._actors[handle.prepare.remote(__version__, self._proofs)] = _Actor(slot, handle)

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            actor, item = self._idle.pop(0), self._waiting.popleft()
            actor.item, actor.since = item, time.monotonic()
            item.places.append(actor.slot.place)
            self._actors[actor.handle.do.remote(item.value)] = actor

    def _await_one(self) -> Iterator[Outcome]:
        if not self._actors:
            time.sleep(LOOK_S)
            return
        over, _ = ray.wait(list(self._actors), num_returns=1, timeout=LOOK_S)
        for ref in over:
            actor = self._actors.pop(ref)
            try:
                reply = ray.get(ref)
            except RayTaskError as error:  # such as a result that cannot be sent
                reply = self._unsent(actor, error)
            except RayError as error:
                yield from self._lost(actor, error)
                continue
            yield from self._answered(actor, reply)

    def _unsent(self, actor: _Actor, error: RayTaskError) -> Any:
        return Outcome(actor.item.value, None, reason_of(error), actor.slot.place) if actor.item else reason_of(error)

    def _answered(self, actor: _Actor, reply: Any) -> Iterator[Outcome]:
        if actor.item is None and reply:
            self._refuse(actor.slot, reply)
            ray.kill(actor.handle)
            return
        if actor.item is not None:
            actor.done += 1
            yield reply
        self._worked = True
        actor.item, actor.ready, actor.since = None, True, time.monotonic()
        self._idle.append(actor)

    def _refuse(self, slot: Slot, reason: str) -> None:
        self._refused[slot] = reason
        self._say(f"{slot.place} is left out. {reason}")

    def _lost(self, actor: _Actor, error: RayError) -> Iterator[Outcome]:
        """A worker is gone: its item goes to another one, unless it has taken too many along."""
        ray.kill(actor.handle)  # where it is out of reach only
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        innocent = actor.slot.node_id not in alive or isinstance(error, ActorUnavailableError)
        if actor.item is None:
            self._starts[actor.slot] += not innocent and not actor.ready
            if self._starts[actor.slot] >= MOST_STARTS:
                self._refuse(actor.slot, f"{actor.slot.place}: its process ended while it got ready.")
            return
        item = actor.item
        self._say(f"{actor.slot.place} is lost; what it worked on is done again.")
        item.lost += innocent
        item.deaths += not innocent
        if item.deaths >= MOST_DEATHS or item.lost >= MOST_LOST:
            words = DIED if item.deaths >= MOST_DEATHS else NODES_LOST
            yield Outcome(item.value, None, words.format(places=", ".join(item.places)), actor.slot.place)
        else:
            self._waiting.appendleft(item)

    def _all_refused(self) -> bool:
        slots = slots_of(ray.nodes(), self._want)
        return bool(self._refused) and all(slot in self._refused for slot in slots)

    def _give_up(self) -> Iterator[Outcome]:
        """No node is left that could do the rest."""
        reason = next(reversed(self._refused.values()), "No node of the cluster is left.")
        if self._refused and not self._worked:
            raise InputError(reason)
        for item in self._waiting:
            yield Outcome(item.value, None, reason)
        self._waiting.clear()
