"""A model and networks of its recipe that were each trained without other patients: cross-fitting.

A patient is asked of one that never saw it, so that all patients of a split say what the model does on new ones, and
not those of one fold alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...core.errors import input_error
from ...io.split import Split
from ...models.zoo import Model, ModelRecord, check_segments

WINDOW = ("shape", "spacing_kji_mm")
MOST_STEPS_APART = 1.25


@dataclass(frozen=True)
class CrossFitted:
    """model: the one that is spoken of; others: of the same system, settings and window, each trained without a part of
    the patients. Raises InputError for one that is of another kind."""

    model: Model
    others: tuple[Model, ...] = ()

    def __post_init__(self) -> None:
        for other in self.others:
            _check_same_kind(self.model.record, other.record)

    def of(self, patient: str) -> Model:
        """The first that never saw the patient, with the calibration, the domain and the name of the model itself.

        Raises InputError where all of them were trained on it.
        """
        unseen = next((m for m in (self.model, *self.others) if patient not in m.record.patients), None)
        if unseen is None:
            given = f"the patient {patient}, whom each of the {1 + len(self.others)} networks was trained on"
            raise input_error(given, "a network that was trained without", "train one and name it too")
        if unseen is self.model:
            return unseen
        own = self.model.record
        told = replace(unseen.record, id=own.id, calibration=own.calibration, domain=own.domain)
        return replace(unseen, record=told)

    def asked(self, patients: Iterable[str]) -> dict[str, list[str]]:
        """By the sha256 of each network that is asked of any of them, whom it is asked of."""
        told: dict[str, list[str]] = {}
        for patient in patients:
            told.setdefault(self.of(patient).record.sha256, []).append(patient)
        return told


def patients_of(split: Split, record: ModelRecord) -> list[str]:
    """All of the split but those that the model's training holds out for a last look."""
    held_out = record.training.get("held_out", ())
    return [name for name in split.names if name not in held_out]


def not_alike(model: ModelRecord, others: Sequence[ModelRecord]) -> list[str]:
    """Sentences on networks whose training was another one: what they do on new patients is then not quite what the
    model does."""
    said = []
    for other in others:
        steps, own = other.training.get("steps_done"), model.training.get("steps_done")
        if steps and own and max(steps, own) > MOST_STEPS_APART * min(steps, own):
            said.append(f"One network was trained for {steps} steps, {model.id} for {own}.")
    return said


def _check_same_kind(model: ModelRecord, other: ModelRecord) -> None:
    check_segments(other)
    alike = (
        other.system == model.system
        and other.config == model.config
        and all(other.window.get(key) == model.window.get(key) for key in WINDOW)
        and set(other.members) == set(model.members)
    )
    if not alike:
        given = f"{other.id}, a network of another kind than {model.id}"
        raise input_error(given, "networks of the same system, settings and window", "train them by the same recipe")
