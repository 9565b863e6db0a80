"""What an importer says of a downloaded set: which files make which case, of which patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import InputError, input_error
from ...core.volume import Volume


@dataclass(frozen=True)
class Drawn:
    """A label map; labels: of it, those that are the lesion, () for every one above zero."""

    file: Path
    labels: tuple[int, ...] = ()


@dataclass(frozen=True)
class Content:
    """What a case folder gets. images: by modality; masks: by name, without an extension, each on its own grid; notes:
    sentences on what was chosen."""

    images: dict[str, Volume]
    masks: dict[str, Volume]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """One case. images: files by modality; masks: label maps by the name of the case's own mask, GTV or GTV_reader1
    without an extension. A file need not be there: that is told when the case is made.

    read: in their place, for a set that is not of such files; raises InputError for a case that cannot be made.
    """

    name: str
    patient: str
    images: dict[str, Path] = field(default_factory=dict)
    masks: dict[str, Drawn] = field(default_factory=dict)
    read: Callable[[], Content] | None = None


def failing(name: str, patient: str, error: InputError) -> Planned:
    """A case of which is known beforehand that it cannot be made, so that it is told like the others."""

    def read() -> Content:
        raise error

    return Planned(name, patient, read=read)


@dataclass(frozen=True)
class PublicSet:
    """holds: what it is of; layout: where the names of its files are told; plan: a downloaded folder -> its cases.

    targets: labels by name, of a set whose label maps hold several organs: one of them is what a case's mask shows.
    """

    name: str
    holds: str
    licence: str
    citation: str
    layout: str
    plan: Callable[[Path], Iterator[Planned]]
    targets: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def labels_of(self, target: str | None) -> tuple[int, ...]:
        """The target's labels, () for a set without targets. Raises InputError for a target that it does not have, and
        for none where it has some: which organ is meant is not guessed."""
        if target is not None and not self.targets:
            raise input_error(f"--target {target} for {self.name}", "a set with several organs", "leave it out")
        if self.targets and target not in self.targets:
            given = f"{self.name} without --target" if target is None else f"--target {target!r}"
            raise input_error(given, f"one of {', '.join(self.targets)}", "choose with --target what the mask shows")
        return self.targets.get(target or "", ())


def either(file: Path) -> Path:
    """The file, or where only that is there the same one with or without .gz."""
    other = file.with_suffix("") if file.name.endswith(".gz") else file.with_name(f"{file.name}.gz")
    return other if not file.is_file() and other.is_file() else file
