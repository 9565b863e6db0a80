"""The tally of a test of the model: every try, the table of them, and their words in a saved scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..core.prediction import Prediction
from ..core.probed import ModelName, Probed, sensitivities
from . import saved_checks


@dataclass(frozen=True)
class Tried:
    """One try: by which models, and what the segmenter looked at."""

    probed: Probed
    segmenter: ModelName
    synthesizer: ModelName
    modalities: tuple[str, ...]
    notes: tuple[str, ...]
    false_ml: float

    def is_by(self, prediction: Prediction) -> bool:
        """Whether the model that made a result was tried, on the same modalities."""
        made = prediction.provenance
        same = (made.get("model"), made.get("sha256")) == (self.segmenter.id, self.segmenter.sha256)
        return same and tuple(prediction.modalities) == self.modalities


def rows(tries: Sequence[Tried]) -> tuple[dict[str, str], ...]:
    """Of the models that were used last: how many were found, by size and contrast."""
    if not tries:
        return ()
    last = tries[-1]
    same = [t.probed for t in tries if (t.segmenter, t.synthesizer, t.modalities)
            == (last.segmenter, last.synthesizer, last.modalities)]  # fmt: skip
    return tuple(
        {"size": f"{d:g} mm", "contrast": f"{c:g}", "found": f"{found} of {tried}", "model": last.segmenter.id}
        for d, c, found, tried in sorted(sensitivities(same))
    )


def words_of(tries: Sequence[Tried]) -> dict[str, Any]:
    """For JSON."""
    return {"tries": [asdict(tried) for tried in tries]}


def tries_of(words: dict[str, Any]) -> tuple[Tried, ...]:
    """What words_of() was given; ValueError and its like for what it did not write."""
    saved_checks.check_tries(words)
    return tuple(
        Tried(
            Probed(**told["probed"]),
            ModelName(**told["segmenter"]),
            ModelName(**told["synthesizer"]),
            tuple(told["modalities"]),
            tuple(told["notes"]),
            told["false_ml"],
        )
        for told in words["tries"]
    )
