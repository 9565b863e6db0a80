"""Names of files from outside, made safe to write inside one folder on any system."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath

from ...core.printable import printable

_LONGEST_BYTES = 120
_DEEPEST = 16
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)  # what Windows keeps for itself


def safe_path(name: str) -> PurePosixPath | None:
    """A relative path without "..", of names that every system takes; None for what systems add by themselves, such
    as .DS_Store, Thumbs.db and __MACOSX/. Folders beyond the 16 innermost are left away."""
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    if not parts or any(part.startswith("._") for part in parts) or "__MACOSX" in parts:
        return None
    if parts[-1].lower() in (".ds_store", "thumbs.db", "desktop.ini"):
        return None
    return PurePosixPath(*(_safe_part(part) for part in parts[-_DEEPEST:]))


def free_path(folder: Path, wanted: PurePosixPath) -> Path:
    """Where to write `wanted` inside folder: with a number before its suffix where that name is taken."""
    path, number = folder / wanted, 1
    while path.exists():
        number += 1
        path = folder / wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return path


def _safe_part(part: str) -> str:
    cleaned = _UNSAFE.sub("_", unicodedata.normalize("NFC", part)).strip(" ").rstrip(". ")
    kept = (c for c in cleaned if unicodedata.category(c) not in ("Cf", "Cs"))  # invisible, broken
    cleaned = printable("".join(kept)).strip(" ") or "_"
    cleaned = f"_{cleaned}" if _DEVICE.match(cleaned) else cleaned
    return _shortened(cleaned)


def _shortened(name: str) -> str:
    """At most 120 bytes of UTF-8, the end kept: it says what kind of file it is."""
    tail = name.encode()[-_LONGEST_BYTES:].decode(errors="ignore")
    return tail.strip(" ") or "_"
