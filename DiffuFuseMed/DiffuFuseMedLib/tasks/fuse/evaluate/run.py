"""Every subject under every condition, one row per method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ....core.errors import InputError, input_error
from .. import Fuser
from .conditions import Condition

Row = dict[str, Any]
Progress = Callable[[float, str], None]


class Subject(Protocol):
    """A picture pair or a case; kind: the table that its rows belong to; trained_as: its name in a model's record;
    count_of: how many subjects of the kind are fused under the conditions for few pictures."""

    name: str
    series: str
    kind: str
    trained_as: str

    def count_of(self, few: int) -> int: ...
    def prepare(self, fuser: Fuser, condition: Condition) -> None: ...
    def rows(
        self, fuser: Fuser, condition: Condition, few: int, progress: Callable[[float], None]
    ) -> dict[str, dict[str, float]]: ...
    def save(self, folder: Path) -> None: ...
    def close(self) -> None: ...


@dataclass
class Evaluated:
    """rows: one per picture or case, method and condition; notes: sentences on what was left out, and why."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def evaluate(
    fuser: Fuser,
    subjects: Sequence[Subject],
    conditions: Sequence[Condition],
    few: int = 2,
    save: Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """The first condition is the one whose pictures are saved. What cannot be used is left out with a note, whose
    sentence is raised as InputError where nothing is left."""
    done, began = Evaluated(), dict.fromkeys((s.kind for s in subjects), 0)
    for number, subject in enumerate(subjects):
        try:
            subject.prepare(fuser, conditions[0])
        except InputError as error:
            done.notes.append(f"{subject.name} was left out. {error}")
            continue
        wanted = [c for c in conditions if not c.few or began[subject.kind] < subject.count_of(few)]
        for index, condition in enumerate(wanted):
            tell = _teller(progress, number, len(subjects), index, len(wanted), f"{subject.name}: {condition.name}")
            tell(0.0)
            rows = subject.rows(fuser, condition, few, tell)
            done.rows += [_row(subject, condition, method, scores) for method, scores in rows.items()]
            if save and index == 0:
                subject.save(save)
        began[subject.kind] += 1
        subject.close()
    if not done.rows:
        raise input_error("nothing that can be fused", "at least one CT-MRI, PET-MRI or SPECT-MRI pair", _first(done))
    return done


def seen_in_training(fuser: Fuser, subjects: Sequence[Subject]) -> list[str]:
    """The series among the subjects that the student was trained on."""
    trained = set(fuser.student.record.patients)
    return sorted({s.trained_as for s in subjects} & trained)


def _row(subject: Subject, condition: Condition, method: str, scores: dict[str, float]) -> Row:
    facts = {"kind": subject.kind, "part": condition.part, "condition": condition.name, "method": method}
    return {**facts, "case": subject.name, "series": subject.series, **scores}


def _first(done: Evaluated) -> str:
    return done.notes[0].rstrip(".") if done.notes else "name a folder that holds one"


def _teller(
    progress: Progress | None, number: int, subjects: int, index: int, conditions: int, what: str
) -> Callable[[float], None]:
    if progress is None:
        return lambda share: None
    return lambda share: progress((number + (index + share) / conditions) / subjects, what)
