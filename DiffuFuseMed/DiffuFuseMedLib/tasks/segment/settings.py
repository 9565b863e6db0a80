"""What a run of a segmenter is told: how many draws, by which seed, whom to tell, and what to keep."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Progress = Callable[[float, str], None]
V = TypeVar("V")


@dataclass
class Settings:
    """What a user may choose of a run. options: what only some systems can be told, such as gating, by name; looks:
    whether samples differ by mirror and view too, not by their noise alone; duplicate: an absent modality is the first
    of those that are there once more (Diff4MMLiTS, III.C), instead of having no part."""

    samples: int = 8
    seed: int = 0
    progress: Progress | None = None
    cancel: Callable[[], bool] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    looks: bool = True
    duplicate: bool = False


class Kept(Protocol):
    """What a host may keep of one case and model between runs: called with a key, it gives the value or makes it."""

    def __call__(self, key: Hashable, make: Callable[[], V]) -> V: ...

    def clear(self) -> None: ...


class NothingKept:
    """A host that keeps nothing: every value is made when it is asked for."""

    def __call__(self, key: Hashable, make: Callable[[], V]) -> V:
        return make()

    def clear(self) -> None:
        """There is nothing to let go of."""
