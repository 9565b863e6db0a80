"""`diffufusemed reader-study`: real and synthetic tumors side by side, blinded, and the count of what readers said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ..core.errors import input_error
from .console import err_console, out_console, print_table, progress

if TYPE_CHECKING:
    from ..report.reader_study import StudyItem

reader_study_app = typer.Typer(no_args_is_help=True, help="Can readers tell synthetic tumors from real ones?")


@reader_study_app.command("sheet")
def sheet(
    real: Annotated[Path, typer.Argument(help="Folder of case folders with a drawn tumor each.")],
    synthetic: Annotated[Path, typer.Argument(help="Folder of what `diffufusemed synthesize` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for sheet.html and key.json.")],
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="So many of each kind, where there are as many.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Of choice and order; a secret one by default.")] = None,
) -> None:
    """Make sheet.html, with a form, for the readers, and key.json, which they do not get."""
    from ..report.reader_study import SYNTHETIC, write_reader_study

    items = [*_items(real, False, n, seed), *_items(synthetic, True, n, seed)]
    key = write_reader_study(items, out, seed)
    made = sum(item["truth"] == SYNTHETIC for item in key["items"].values())
    told = f"{len(key['items']) - made} real and {made} synthetic cases in sheet.html. Keep key.json from the readers."
    out_console.print(f"{out}: {told}", soft_wrap=True)


def _items(folder: Path, synthetic: bool, n: int, seed: int | None) -> list[StudyItem]:
    """So many cases below the folder, drawn by the seed."""
    import numpy as np

    from ..core.synthetic import WORD
    from ..preprocessing.load import load_case
    from ..report.reader_study import StudyItem

    if not folder.is_dir():
        raise input_error(f"the folder {folder.name}, which is not there", "case folders", "correct the path")
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    marked = [path for path in found if any(path.glob(f"*{WORD}*"))]
    if marked and not synthetic:
        err_console.print(f"Left out of {folder.name}, as their files say synthetic: {len(marked)}.", soft_wrap=True)
    wanted = marked if synthetic else [path for path in found if path not in marked]
    if not wanted:
        kind = "synthetic" if synthetic else "real"
        raise input_error(f"{folder.name} without a {kind} case", "folders of one each", "name another folder")
    rng = np.random.default_rng(None if seed is None else [seed, synthetic])
    chosen = rng.permutation(len(wanted))[:n]
    with progress() as step:
        items = []
        for done, index in enumerate(sorted(map(int, chosen))):
            step(done / len(chosen), f"reading {wanted[index].name}")
            items.append(StudyItem(load_case(wanted[index]), synthetic, wanted[index].name))
    return items


@reader_study_app.command("count")
def count(
    key: Annotated[Path, typer.Argument(help="key.json of the sheet.")],
    answers: Annotated[list[Path], typer.Argument(help="What the sheet saved, a file a reader.")],
) -> None:
    """Print for each reader how often they were right, and whether that is more than guessing."""
    from ..metrics.reader_study import reader_score
    from ..report.reader_study import SYNTHETIC, read_answers, read_key

    known = read_key(key)
    truths = known["items"]
    table = Table("reader", "right", "95 %", "synthetic found", "real found", "AUROC", "p of guessing")
    for path in answers:
        reader, said = read_answers(path, known)
        score = reader_score(
            [truths[n]["truth"] == SYNTHETIC for n in said],
            [a["said"] == SYNTHETIC for a in said.values()],
            [a["sure"] for a in said.values()],
        )
        shares = (f"{x:.0%}" if x == x else "" for x in (score.sensitivity, score.specificity))
        interval = f"{score.low:.0%} to {score.high:.0%}"
        area = f"{score.auroc:.2f}" if score.auroc == score.auroc else ""
        right = f"{score.right} of {score.answered}, {len(truths) - score.answered} open"
        table.add_row(escape(f"{reader} ({path.name})"), right, interval, *shares, area, f"{score.p:.3f}")
    print_table(table)
