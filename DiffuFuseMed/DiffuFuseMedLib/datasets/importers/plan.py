"""What an importer says of a downloaded set: which files make which case, of which patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Drawn:
    """A label map; labels: of it, those that are the lesion, () for every one above zero."""

    file: Path
    labels: tuple[int, ...] = ()


@dataclass(frozen=True)
class Planned:
    """One case. images: files by modality; masks: label maps by the name of the case's own mask, GTV or GTV_reader1
    without an extension. A file need not be there: that is told when the case is made."""

    name: str
    patient: str
    images: dict[str, Path]
    masks: dict[str, Drawn] = field(default_factory=dict)


@dataclass(frozen=True)
class PublicSet:
    """holds: what it is of; layout: where the names of its files are told; plan: a downloaded folder -> its cases."""

    name: str
    holds: str
    licence: str
    citation: str
    layout: str
    plan: Callable[[Path], Iterator[Planned]]


def either(file: Path) -> Path:
    """The file, or where only that is there the same one with or without .gz."""
    other = file.with_suffix("") if file.name.endswith(".gz") else file.with_name(f"{file.name}.gz")
    return other if not file.is_file() and other.is_file() else file
