"""The table of a benchmark's jobs on the console while they are done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from ..benchmark.jobs import Done, Job


@dataclass
class Kind:
    """Jobs of one kind: how many there are, are over, and failed; new, seconds: of those that were done now."""

    total: int = 0
    done: int = 0
    failed: int = 0
    new: int = 0
    seconds: float = 0.0


@dataclass
class BenchmarkProgress:
    """Counts what is announced and told."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)
    _live: Live | None = None

    @property
    def total(self) -> int:
        return sum(kind.total for kind in self.kinds.values())

    @property
    def done(self) -> int:
        return sum(kind.done for kind in self.kinds.values())

    def announce(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self.kinds.setdefault(job.kind, Kind()).total += 1
        self._show()

    def tell(self, done: Done) -> None:
        """One more is over; how long it took tells how long the rest will. What was kept before is there at once."""
        kind, now = self.kinds.setdefault(done.job.kind, Kind()), time.monotonic()
        kind.done += 1
        kind.failed += done.failed
        if now - self._last > 0.5 * done.seconds > 0:
            kind.new += 1
            kind.seconds += now - self._last
        self._last = now
        self._show()

    def left(self, kind: Kind) -> float | None:
        """Seconds for the rest of a kind; None before one of it was done."""
        return (kind.total - kind.done) * kind.seconds / kind.new if kind.new else None

    def table(self) -> Table:
        table = Table("jobs", "done", "failed", "time left")
        for name, kind in self.kinds.items():
            table.add_row(name, f"{kind.done}/{kind.total}", str(kind.failed or ""), _words(self.left(kind), kind))
        return table

    @contextmanager
    def live(self, console: Console) -> Iterator[None]:
        """Shown on a terminal, and once at the end elsewhere; not at all where there is nothing to do."""
        try:
            with Live(console=console, auto_refresh=False) as self._live:
                yield
        finally:
            self._live = None
            if self.kinds and not console.is_terminal:
                console.print()  # rich ends its last table with no line there

    def _show(self) -> None:
        if self._live and self.kinds:
            self._live.update(self.table(), refresh=True)


def _words(seconds: float | None, kind: Kind) -> str:
    if kind.done >= kind.total:
        return ""
    if seconds is None:
        return "not known yet"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
