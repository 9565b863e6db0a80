"""`diffufusemed reader-study`: real and synthetic tumors side by side, blinded, and the count of what readers said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ..core.errors import input_error
from .console import err_console, out_console, print_table, progress
from .options import SEED

if TYPE_CHECKING:
    from ..report.reader_study import StudyItem

reader_study_app = typer.Typer(no_args_is_help=True, help="Can readers tell synthetic tumors from real ones?")


@reader_study_app.command("sheet")
def sheet(
    real: Annotated[Path, typer.Argument(help="Folder of case folders with a drawn tumor each.")],
    synthetic: Annotated[Path, typer.Argument(help="Folder of what `diffufusemed synthesize` wrote, at any depth.")],
    out: Annotated[Path, typer.Option(help="Folder for sheet.html and key.json.")],
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="So many of each, fewer where one has fewer.")] = 20,
    seed: Annotated[
        int | None, typer.Option(min=SEED[0], max=SEED[1], help="Of choice and order; a secret one by default.")
    ] = None,
) -> None:
    """Make sheet.html, with a form, for the readers, and key.json, which they do not get."""
    import numpy as np

    from ..report.reader_study import SYNTHETIC, check_no_key, write_reader_study

    check_no_key(out)
    there = _real(real), _synthetic(synthetic)
    fewest = min(map(len, there))
    if fewest < n and len(there[0]) != len(there[1]):
        told = f"There are {len(there[0])} real and {len(there[1])} synthetic cases: {fewest} of each are shown."
        err_console.print(told, soft_wrap=True)
    rng = np.random.default_rng(seed)
    roots = real, synthetic
    chosen = [sorted(rng.permutation(np.array(found, object))[: min(n, fewest)]) for found in there]
    _say_where(chosen[1])
    items = [item for number in (0, 1) for item in _items(chosen[number], roots[number], bool(number))]
    key = write_reader_study(items, out, seed)
    made = sum(item["truth"] == SYNTHETIC for item in key["items"].values())
    told = f"{len(key['items']) - made} real and {made} synthetic cases in sheet.html. Keep key.json from the readers."
    out_console.print(f"{out}: {told}", soft_wrap=True)


def _real(folder: Path) -> list[Path]:
    """The case folders in it that do not say that they are synthetic."""
    there = _folders(folder)
    marked = [path for path in there if _says_synthetic(path)]
    if marked:
        err_console.print(f"Left out of {folder.name}, as their files say synthetic: {len(marked)}.", soft_wrap=True)
    return _some([path for path in there if path not in marked], folder, "real")


def _synthetic(folder: Path) -> list[Path]:
    """Those that say so: in it, or in a folder a case as several runs of `synthesize` write them."""
    there = _folders(folder)
    there += [path for case in there for path in _folders(case)]
    return _some([path for path in there if _says_synthetic(path)], folder, "synthetic")


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise input_error(f"the folder {folder.name}, which is not there", "case folders", "correct the path")
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _says_synthetic(folder: Path) -> bool:
    from ..core.synthetic import WORD

    return any(path.is_file() for path in folder.glob(f"*{WORD}*"))


def _some(found: list[Path], folder: Path, kind: str) -> list[Path]:
    if not found:
        raise input_error(f"{folder.name} without a {kind} case", "folders of one each", "name another folder")
    return found


def _say_where(synthetic: list[Path]) -> None:
    """Tumors in one and the same patient are told by that patient, not by how they look."""
    from ..io.export.synthetic import drawn_into

    into = {drawn_into(path) for path in synthetic}
    if len(synthetic) > 1 and len(into) == 1 and "" not in into:
        told = (
            f"All {len(synthetic)} synthetic tumors are drawn into {into.pop()}, whom readers may recognize: "
            "draw some into other cases, each with an --out of its own inside one folder."
        )
        err_console.print(told, style="bold yellow", markup=False, soft_wrap=True)


def _items(chosen: Sequence[Path], folder: Path, synthetic: bool) -> list[StudyItem]:
    """The cases, read."""
    from ..core.synthetic import is_synthetic
    from ..preprocessing.load import load_case
    from ..report.reader_study import StudyItem

    items = []
    with progress() as step:
        for done, path in enumerate(chosen):
            source = path.relative_to(folder).as_posix()
            step(done / len(chosen), f"reading {source}")
            case = load_case(path)
            if not synthetic and is_synthetic(case):
                given = f"the case {source} among the real ones, whose images say that they are synthetic"
                raise input_error(given, "patients' own images", "take it out of the folder")
            items.append(StudyItem(case, synthetic, source))
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
