"""`diffufusemed datasets`: public sets as they are downloaded, made into case folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .console import out_console, print_table

LICENCES = "Licences as they were last known here; the terms that came with your download are those that hold."
datasets_app = typer.Typer(no_args_is_help=True, help="Public sets, made into case folders.")


@datasets_app.command("list")
def datasets_list() -> None:
    """The public sets that can be imported: what they hold, their licence and citation."""
    from ..datasets.importers.sets import SETS

    table = Table("name", "holds", "licence", "citation")
    for one in SETS.values():
        table.add_row(one.name, one.holds, one.licence, one.citation)
    print_table(table)
    out_console.print(LICENCES, soft_wrap=True)


@datasets_app.command("import")
def datasets_import(
    name: Annotated[str, typer.Argument(help="The set, as `datasets list` names it.")],
    folder: Annotated[Path, typer.Argument(help="The set as it was downloaded.")],
    cases: Annotated[Path, typer.Argument(help="Where the case folders and split.json go.")],
    target: Annotated[
        str | None, typer.Option(help="What the masks show, of a set with several organs, such as liver of btcv.")
    ] = None,
) -> None:
    """Make a case folder of every case of a downloaded set. Nothing is overwritten; exit code 1 if any case failed."""
    from ..core.errors import input_error
    from ..datasets.importers.cases import import_set, write_split
    from ..datasets.importers.sets import SETS

    if name not in SETS:
        raise input_error(f"the set {name!r}", f"one of {', '.join(SETS)}", "see `diffufusemed datasets list`")
    rows = []
    for row in import_set(SETS[name], folder, cases, target):
        rows.append(row)
        write_split(rows, cases)
    table = Table("case", "patient", "state", "reason")
    for row in rows:
        table.add_row(row.planned.name, row.planned.patient, row.state, row.reason)
    print_table(table)
    count = {state: sum(row.state == state for row in rows) for state in ("imported", "left out", "failed")}
    out_console.print(", ".join(f"{number} {state}" for state, number in count.items()))
    if count["failed"]:
        raise typer.Exit(1)
