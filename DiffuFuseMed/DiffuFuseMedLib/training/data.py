"""What a recipe is trained on, and on whose terms."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..core.errors import input_error
from ..io.split import Split


@dataclass(frozen=True)
class Collection:
    """A collection of images that others made: terms says in a phrase what it is and how it is licensed, attribution
    whom to cite."""

    terms: str
    attribution: str


@dataclass(frozen=True)
class TrainingData:
    """collections: whose images; folds: those of split.json that are trained on; held_out: patients that are in no
    training whichever fold they are in; portion: how much of the rest is trained on, drawn by chance, the same for
    everyone, and what a smaller portion has a larger one has too."""

    collections: tuple[Collection, ...] = ()
    folds: tuple[int, ...] = (1, 2, 3)
    held_out: tuple[str, ...] = ()
    portion: float = 1.0

    @property
    def licence(self) -> str:
        """The licence of weights that are trained on it, as model.json tells it."""
        if not self.collections:
            return "Apache-2.0"
        return f"Apache-2.0; trained on {', and on '.join(c.terms for c in self.collections)} (see card.md)"

    @property
    def attribution(self) -> list[str]:
        return [c.attribution for c in self.collections]

    def patients(self, split: Split) -> list[str]:
        """Its portion of its folds without those held out; raises InputError when there are none, or for no portion."""
        if not 0 < self.portion <= 1:
            given = f"{self.portion:g} of the patients"
            raise input_error(given, "more than 0 and at most 1", "correct it")
        if max(self.folds) >= len(split.folds):
            wanted = f"the recipe's folds {', '.join(map(str, self.folds))}"
            given = f"a split of {len(split.folds)} folds, counted from 0"
            raise input_error(given, wanted, "pass another with --split")
        names = [name for fold in self.folds for name in split.folds[fold] if name not in self.held_out]
        if not names:
            given, wanted = "a split whose training folds are empty", "patients to train on"
            raise input_error(given, wanted, "pass another with --split")
        if self.portion == 1:
            return names
        drawn = random.Random(0).sample(names, max(1, round(self.portion * len(names))))
        return [name for name in names if name in drawn]
