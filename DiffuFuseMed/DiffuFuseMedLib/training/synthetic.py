"""Real cases and synthetic ones in one training (Diff4MMLiTS, III.C): how many of each, and where the synthetic come
from. "During training, MS dynamically synthesizes": a pool of them is renewed while the training goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..core.errors import input_error
from ..losses import Batch
from .dataset import TrainingCase
from .samplers import Sampler
from .windows import WindowSettings, draw_batch

REMOVERS = ("inpainter", "median filter", "biharmonic")
TUMORS = ("diffusion", "pasted")


@dataclass(frozen=True)
class Synthetic:
    """share: of the batches that are synthetic; pool: cases at hand; every: synthetic batches until the oldest of them
    is replaced by a new one; remover: what takes a patient's own lesion out (Table V); tumors: what puts one in."""

    share: float = 0.5
    pool: int = 12
    every: int = 20
    remover: str = REMOVERS[0]
    tumors: str = TUMORS[0]

    def __post_init__(self) -> None:
        """Raises InputError for what cannot be."""
        if not 0 < self.share <= 1:
            given = f"a share of synthetic batches of {self.share:g}"
            raise input_error(given, "more than 0 and at most 1", "correct it")
        if min(self.pool, self.every) < 1:
            given = f"a pool of {self.pool} synthetic cases, one renewed every {self.every} batches"
            raise input_error(given, "at least one of each", "correct it")
        for asked, known in ((self.remover, REMOVERS), (self.tumors, TUMORS)):
            if asked not in known:
                raise input_error(f"{asked!r} in synthetic training", f"one of {', '.join(known)}", "correct it")


class SyntheticCases:
    """The pool: cases number n to n + pool - 1 of an endless row, n rising by one every so many batches. `drawn`, how
    many batches were drawn from it, is all of its state, since a case follows from its number.

    make: a case by its number, the same whenever it is asked; made_with: what tells one such function from another.
    """

    def __init__(self, make: Callable[[int], TrainingCase], settings: Synthetic, made_with: dict[str, str]) -> None:
        self.settings, self.made_with, self.drawn = settings, made_with, 0
        self._make, self._made = make, dict[int, TrainingCase]()

    def cases(self) -> list[TrainingCase]:
        """Those at hand, made where they are not there yet."""
        first = self.drawn // self.settings.every
        numbers = range(first, first + self.settings.pool)
        self._made = {n: self._made[n] if n in self._made else self._make(n) for n in numbers}
        return list(self._made.values())

    def sampler(self, size: int, windows: WindowSettings) -> Sampler[Batch]:
        """Batches of `size` windows of them, without places: no feedback about real cases comes of a synthetic one."""

        def draw(generator: torch.Generator) -> Batch:
            cases = self.cases()
            self.drawn += 1
            return replace(draw_batch(cases, size, windows, generator), places=())

        return draw

    def state_dict(self) -> dict[str, Tensor]:
        return {"drawn": torch.tensor(self.drawn)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.drawn = int(state["drawn"])
