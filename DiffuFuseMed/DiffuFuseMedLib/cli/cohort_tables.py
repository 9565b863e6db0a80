"""The tables of a cohort: who works on what, while it runs, and what came of each case."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.live import Live
from rich.table import Table

from ..cluster.work import Member, Outcome
from .console import err_console, out_console, print_table


class Crew:
    """On a terminal a table of all workers that follows them; elsewhere a line for each case that is over. Both on
    standard error. A context manager."""

    def __init__(self, count: int) -> None:
        self._count, self._over, self._failed, self._members = count, 0, 0, list[Member]()
        self._live = Live(console=err_console, get_renderable=self.table, refresh_per_second=2, transient=True)

    def __enter__(self) -> Crew:
        if err_console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, members: Sequence[Member]) -> None:
        self._members = list(members)

    def say(self, sentence: str) -> None:
        err_console.print(sentence, style="bold yellow", markup=False, soft_wrap=True)

    def over(self, outcome: Outcome) -> None:
        """Count it, and print what its run said."""
        self._over += 1
        self._failed += outcome.failed
        how = outcome.reason or f"{outcome.seconds:.0f} s"
        line = f"{self._over} of {self._count}: {outcome.item} on {outcome.place}, {how}"
        err_console.print(line, markup=False, soft_wrap=True)
        words = getattr(outcome.result, "words", "").rstrip("\n")
        if words:
            err_console.print(words, markup=False, soft_wrap=True)

    def table(self) -> Table:
        """The workers as they are now."""
        failed = f", {self._failed} of them failed" if self._failed else ""
        table = Table("node", "device", "works on", "for", "done", title=f"{self._over} of {self._count} cases{failed}")
        for member in self._members:
            doing = str(member.item) if member.item is not None else "" if member.ready else "getting ready"
            seconds = f"{time.monotonic() - member.since:.0f} s"
            table.add_row(member.node, member.device, doing, seconds, str(member.done))
        return table


def print_summary(names: Sequence[str], over: Mapping[str, Outcome], out: Path) -> None:
    """A row a case, in their order, to standard output."""
    table = Table("case", "lesion, mL", "Dice", "seconds", "where", "why not")
    for name in names:
        table.add_row(name, *_cells(over.get(name)))
    print_table(table)
    good = sum(not outcome.failed for outcome in over.values())
    out_console.print(f"{good} of {len(names)} cases in {out}", markup=False, soft_wrap=True)


def _cells(outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return ["", "", "", "", "not done"]
    if outcome.failed:
        return ["", "", f"{outcome.seconds:.1f}", outcome.place, outcome.reason]
    told = outcome.result
    dice = "" if told.dice is None else f"{told.dice:.3f}"
    return [f"{told.volume_ml:.0f}", dice, f"{outcome.seconds:.1f}", outcome.place, ""]
