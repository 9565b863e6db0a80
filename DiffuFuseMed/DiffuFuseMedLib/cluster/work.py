"""What workers are given to do, and what comes back; no ray here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Work:
    """Two functions that another process finds, so functions of a module, or functools.partial of one.

    prepare(device): called once by each worker, with "cpu" or "cuda"; what it gives stays with the worker. do(prepared,
    item): one item; its result goes back. Both may raise InputError.
    """

    prepare: Callable[[str], Any]
    do: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Outcome:
    """What came of one item: its result, or in one sentence why there is none; where, and how long it took."""

    item: Any
    result: Any = None
    reason: str = ""
    place: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return bool(self.reason)


@dataclass(frozen=True)
class Member:
    """A worker as a progress table shows it. item: what it works on, None while it gets ready or has nothing to do."""

    node: str
    device: str
    ready: bool
    item: Any = None
    done: int = 0
    since: float = 0.0  # time.monotonic() of the last change


@dataclass(frozen=True)
class Want:
    """What a worker gets: a GPU each ("cuda"), so many cores each ("cpu"), or GPUs where the cluster has any ("auto").
    folders: what every node has to see as this machine does."""

    device: str = "auto"
    cores: int = 4
    folders: tuple[Path, ...] = ()
