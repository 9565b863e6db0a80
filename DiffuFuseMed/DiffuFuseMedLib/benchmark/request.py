"""What somebody asks of the benchmark, and which cases that is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import input_error
from ..io.split import Split, read_split
from ..tasks.synthesize.hybrid import INPAINTER, SYNTHESIZER


@dataclass(frozen=True)
class Request:
    """minutes: of training, None to score models as they are; names: cases to score, those of the fold where there are
    none; fold: the one that is held out; models: ids or folders to score, recipes to train where there are minutes, the
    suite's own where there are none; seeds: of training and sampling; readers: simulated ones around a single drawing;
    cores: that a training works on; synthesizer, inpainter: ids
    or folders of what makes the cases of a training with synthetic ones."""

    suite: str
    cases: Path
    out: Path
    split_file: Path | None = None
    fold: int = 0
    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    minutes: float | None = None
    seeds: tuple[int, ...] = (0,)
    samples: int = 8
    readers: int = 4
    cores: int = 1
    device: str = "cpu"
    synthesizer: str = SYNTHESIZER
    inpainter: str = INPAINTER

    @property
    def split(self) -> Split:
        """As split.json has it, one without folds where there is none. Raises InputError for a file that is none."""
        path = self.split_path
        return read_split(path) if self.split_file or path.is_file() else Split((), {})

    @property
    def split_path(self) -> Path:
        return self.split_file or self.cases / "split.json"

    def case_names(self) -> list[str]:
        """Which cases are scored. Raises InputError for a folder without cases, a case or a fold that is not there, and
        a training without a split."""
        if not self.cases.is_dir():
            raise input_error("a cases folder that does not exist", "a folder of case folders", "correct CASES")
        there, split = sorted(p.name for p in self.cases.iterdir() if p.is_dir()), self.split
        if self.minutes is not None and not split.folds:
            raise input_error("a training without folds", "a split.json", "pass --split, or leave out --minutes")
        if split.folds and not 0 <= self.fold < len(split.folds):
            raise input_error(f"fold {self.fold}", f"a fold from 0 to {len(split.folds) - 1}", "correct --fold")
        wanted = list(self.names or (split.folds[self.fold] if split.folds else there))
        if lacking := [name for name in wanted if name not in there]:
            given = f"the case {lacking[0]!r}, which is not in the folder"
            raise input_error(given, "the names of case folders", "correct --cases, --fold or CASES")
        if self.minutes is not None and (seen := set(wanted) - set(split.folds[self.fold])):
            given = f"{len(seen)} cases outside fold {self.fold}, which would be trained on"
            raise input_error(given, "cases of the fold that is held out", "correct --cases or --fold")
        if not wanted:
            raise input_error("a cases folder without case folders", "one folder per case", "correct CASES")
        return wanted
