"""`diffufusemed reader-study`: real and synthetic tumors side by side, blinded, and the count of what readers said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import out_console, print_table, progress
from .options import SeedOption

if TYPE_CHECKING:
    from ..report.reader_study import StudyItem

reader_study_app = typer.Typer(no_args_is_help=True, help="Can readers tell synthetic tumors from real ones?")


@reader_study_app.command("sheet")
def sheet(
    real: Annotated[Path, typer.Argument(help="Folder of case folders with a drawn tumor each.")],
    synthetic: Annotated[Path, typer.Argument(help="Folder of what `diffufusemed synthesize` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for sheet.html and key.json.")],
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="So many of each kind, where there are as many.")] = 20,
    seed: SeedOption = 0,
) -> None:
    """Make sheet.html, with a form, for the readers, and key.json, which they do not get."""
    from ..report.reader_study import write_reader_study

    items = [*_items(real, False, n, seed), *_items(synthetic, True, n, seed)]
    key = write_reader_study(items, out, seed)
    out_console.print(f"{out}: {len(key)} cases in sheet.html. Keep key.json from the readers.", soft_wrap=True)


def _items(folder: Path, synthetic: bool, n: int, seed: int) -> list[StudyItem]:
    """So many cases below the folder, drawn by the seed."""
    import numpy as np

    from ..core.synthetic import WORD
    from ..preprocessing.load import load_case
    from ..report.reader_study import StudyItem

    if not folder.is_dir():
        raise input_error(f"the folder {folder.name}, which is not there", "case folders", "correct the path")
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    marked = [path for path in found if (path / f"{WORD}.json").is_file()]
    wanted = marked if synthetic else [path for path in found if path not in marked]
    if not wanted:
        kind = "synthetic" if synthetic else "real"
        raise input_error(f"{folder.name} without a {kind} case", "folders of one each", "name another folder")
    chosen = np.random.default_rng([seed, synthetic]).permutation(len(wanted))[:n]
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
    from ..report.reader_study import SYNTHETIC, read_answers

    truths = _truths(key)
    table = Table("reader", "right", "95 %", "synthetic found", "real found", "AUROC", "p of guessing")
    for path in answers:
        said = read_answers(path, truths)
        score = reader_score(
            [truths[n]["truth"] == SYNTHETIC for n in said],
            [a["said"] == SYNTHETIC for a in said.values()],
            [a["sure"] for a in said.values()],
        )
        shares = (f"{x:.0%}" if x == x else "" for x in (score.sensitivity, score.specificity))
        interval = f"{score.low:.0%} to {score.high:.0%}"
        area = f"{score.auroc:.2f}" if score.auroc == score.auroc else ""
        right = f"{score.right} of {score.answered}, {len(truths) - score.answered} open"
        table.add_row(path.stem.removeprefix("answers-"), right, interval, *shares, area, f"{score.p:.3f}")
    print_table(table)


def _truths(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(entry["truth"] in ("real", "synthetic") for entry in found.values()) and found:
            return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise input_error(
        f"the key {path.name}", "key.json as `diffufusemed reader-study sheet` wrote it", "name that file"
    )
