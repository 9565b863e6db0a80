"""What a recipe is trained on, and on whose terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Collection:
    """A collection of images that others made: terms says in a phrase what it is and how it is licensed, attribution
    whom to cite."""

    terms: str
    attribution: str


@dataclass(frozen=True)
class TrainingData:
    """collections: whose images; folds: those of split.json that are trained on; held_out: patients that are in no
    training whichever fold they are in."""

    collections: tuple[Collection, ...] = ()
    folds: tuple[int, ...] = (1, 2, 3)
    held_out: tuple[str, ...] = ()

    @property
    def licence(self) -> str:
        """The licence of weights that are trained on it, as model.json tells it."""
        if not self.collections:
            return "Apache-2.0"
        return f"Apache-2.0; trained on {', and on '.join(c.terms for c in self.collections)} (see card.md)"

    @property
    def attribution(self) -> list[str]:
        return [c.attribution for c in self.collections]
