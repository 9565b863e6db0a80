"""What the text headers of MetaImage and NRRD have in common: lines of plain characters, numbers, names of files."""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from .header import not_understood

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
WHOLE = re.compile(r"[+-]?\d{1,18}")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?|[+-]?(?:nan|inf)(?:inity)?", re.IGNORECASE)
PATTERN = re.compile(r"([^%]*%0?[0-9]?d)([^%]*?)[ \t]+([0-9]{1,6})[ \t]+([0-9]{1,6})(?:[ \t]+([0-9]{1,6}))?")
LONGEST_LIST = 10_000  # of one file a slice


def line_of(raw: bytes, path: Path) -> str:
    """A line without its end, \\n or \\r\\n. Raises InputError for control characters in it, a lone \\r among them."""
    text = raw.removesuffix(b"\r").decode("utf-8", "replace")
    if CONTROL.search(text):
        raise not_understood(path, "with control characters in its header")
    return text


def whole(text: str, path: Path, name: str) -> int:
    if not WHOLE.fullmatch(text):
        raise not_understood(path, f"whose {name} is no whole number")
    return int(text)


def wholes(text: str, path: Path, name: str) -> tuple[int, ...]:
    return tuple(whole(word, path, name) for word in text.split())


def number(text: str, path: Path, name: str) -> float:
    """NaN and infinity are numbers here: what may be which is for the image's checks to say."""
    if not NUMBER.fullmatch(text):
        raise not_understood(path, f"whose {name} is no number")
    return float(text)


def numbers(text: str, path: Path, name: str, count: int | None = None) -> tuple[float, ...]:
    found = tuple(number(word, path, name) for word in text.split())
    if count is not None and len(found) != count:
        raise not_understood(path, f"whose {name} is {len(found)} numbers, not {count}")
    return found


def written(values: tuple[float, ...]) -> str:
    """Numbers as a header of our own has them: they are read back as the same ones."""
    return " ".join(repr(float(value)) for value in values)


def beside(path: Path, name: str) -> Path:
    """The file of this name in the header's own folder or below. Raises InputError for one elsewhere, whichever
    system's way it is written, over a link too, and for one that is not there."""
    kinds = (PurePosixPath(name), PureWindowsPath(name))
    leaves = any(p.is_absolute() or p.drive or p.root or ".." in p.parts for p in kinds) or ":" in name
    found = path.parent / name
    try:
        inside = not leaves and found.resolve().is_relative_to(path.parent.resolve())
        there = inside and bool(name) and found.is_file()
    except (OSError, RuntimeError, ValueError):  # a name longer than any system's, a ring of links
        inside, there = True, False
    if not inside:
        raise not_understood(path, "whose voxels are in a file outside its folder")
    if not there:
        raise not_understood(path, "whose voxels are in a file that is not there")
    return found


def listed(path: Path, names: list[str], slices: int) -> tuple[Path, ...]:
    """One file for each slice of the last axis. Raises InputError for more or fewer."""
    if len(names) != slices or slices > LONGEST_LIST:
        raise not_understood(path, f"of {slices} slices that lists {len(names)} files")
    return tuple(beside(path, name) for name in names)


def patterned(name: str) -> list[str] | None:
    """The names that `CT_%03d.raw 0 11 1` stands for: first, last and step of their numbers; None for a plain name."""
    found = PATTERN.fullmatch(name)
    if found is None:
        return None
    first, last, step = int(found[3]), int(found[4]), int(found[5] or 1)
    numbered = range(first, last + 1, max(1, step))[: LONGEST_LIST + 1]
    return [found[1] % n + found[2] for n in numbered]


def is_usable(values: tuple[float, ...]) -> bool:
    """Whether all are finite and of a size that places in millimeters have."""
    return all(math.isfinite(value) and abs(value) < 1e12 for value in values)
