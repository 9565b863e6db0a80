"""split.json: which cases belong to which fold, and the crop each is evaluated on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .case import Case
from .errors import input_error


@dataclass(frozen=True)
class Split:
    """folds: case names; crops: per case (start_kji, stop_kji) on the grid of its CT."""

    folds: tuple[tuple[str, ...], ...]
    crops: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for fold in self.folds for name in fold)

    def crop(self, case: Case) -> Case:
        """The case cut to its evaluation crop, or whole when it has none."""
        return case.cropped(*self.crops[case.name]) if case.name in self.crops else case


def read_split(path: Path) -> Split:
    """Read split.json; raises InputError when it is not one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        crops = {n: (tuple(c["start_kji"]), tuple(c["stop_kji"])) for n, c in content.get("crops", {}).items()}
        return Split(tuple(tuple(fold) for fold in content["folds"]), crops)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise input_error(
            f"the unreadable split {path.name}", "a JSON file with folds and crops", "pass it with --split"
        ) from error
