"""The consoles: results go to standard output, progress and errors to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..core.printable import printable

if TYPE_CHECKING:
    from ..core.case import Case
    from ..models.registry import ModelRecord


class _Printable(Console):
    """What is printed, cells of tables too, may quote a file: no escape sequence of its reaches the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str("\n".join(map(printable, text.split("\n"))), **options)


STOPPED = 130  # the exit code of a command that SIGINT ended
WIDE = 2000  # a file has no edge: a row that is broken into two is no Markdown any more
out_console, err_console = _Printable(highlight=False), _Printable(stderr=True, highlight=False)


@contextmanager
def progress() -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error: call it with the share done and what goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err_console) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


def say_doubts(case: Case) -> None:
    """What may be wrong with the images, before anything is computed of them."""
    from ..preprocessing.quality import WARNING, doubts

    for sentence in doubts(case):
        err_console.print(WARNING + sentence, style="bold yellow", markup=False, soft_wrap=True)


def say_domain(case: Case, record: ModelRecord) -> None:
    """Whether the case is one of those that the model is for, before anything is computed."""
    from ..preprocessing.domain import before_run
    from ..preprocessing.quality import WARNING

    found = before_run(case, record.domain, record.modalities, case.modalities, record.calibrated_alone)
    for sentence in found.sentences:
        err_console.print(WARNING + sentence, style="bold yellow", markup=False, soft_wrap=True)


def print_table(table: Table) -> None:
    """As wide as the terminal; in a file or pipe as wide as its contents."""
    console = out_console if out_console.is_terminal else _Printable(width=WIDE, highlight=False)
    console.print(table)


def as_markdown(tables: Sequence[Table]) -> str:
    """The tables as Markdown, each row on a line of its own."""
    text = StringIO()
    console = _Printable(file=text, width=WIDE)
    for table in tables:
        table.box = box.MARKDOWN
        console.print(table)
    return text.getvalue()
