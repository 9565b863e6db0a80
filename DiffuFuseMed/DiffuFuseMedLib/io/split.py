"""split.json: which cases belong to which fold, and the crop each is evaluated on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..core.case import Case
from ..core.errors import input_error
from ..core.triples import triple


@dataclass(frozen=True)
class Split:
    """folds: case names; crops: per case (start_kji, stop_kji) on the grid of its CT. Either may be empty."""

    folds: tuple[tuple[str, ...], ...]
    crops: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for fold in self.folds for name in fold)

    def crop(self, case: Case) -> Case:
        """The case cut to its evaluation crop, or whole when it has none; raises InputError for one that sticks out."""
        if case.name not in self.crops:
            return case
        start, stop = self.crops[case.name]
        if not all(0 <= a < b <= n for a, b, n in zip(start, stop, case.grid.shape, strict=True)):
            shape = " x ".join(map(str, case.grid.shape))
            raise input_error(
                f"the crop {start} to {stop} of {case.name}",
                f"one inside its {shape} voxels (k, j, i)",
                "correct the split or use the images it was made for",
            )
        return case.cropped(start, stop)


def read_split(path: Path) -> Split:
    """Read split.json; raises InputError when it is not one, and for a case that it names twice."""
    wanted, remedy = "a JSON file with folds and crops", "pass it with --split"
    if not path.is_file():
        raise input_error(f"no file {path.name}", wanted, remedy)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        crops = {n: (_corner(c["start_kji"]), _corner(c["stop_kji"])) for n, c in content.get("crops", {}).items()}
        split = Split(tuple(_names(fold) for fold in content.get("folds", ())), crops)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise input_error(f"the unreadable split {path.name}", wanted, remedy) from error
    if twice := [name for name, count in Counter(split.names).items() if count > 1]:
        given = f"the split {path.name}, which names {twice[0]} twice"
        raise input_error(given, "each case in one fold, so that nobody is trained on who is scored", "take one out")
    return split


def _corner(values: list[int]) -> tuple[int, int, int]:
    if len(values) != 3 or not all(isinstance(v, int) for v in values):
        raise ValueError("a crop's corner is three whole numbers")
    return triple(values)


def _names(fold: list[str]) -> tuple[str, ...]:
    if not isinstance(fold, list) or not all(isinstance(name, str) for name in fold):
        raise ValueError("a fold is a list of names")
    return tuple(fold)
