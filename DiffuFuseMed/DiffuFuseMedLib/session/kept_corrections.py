"""Kept corrections: what autosave writes of a reader's work, and where: small files of one user, one for each case.

Nothing of the patient is in them but the voxels that were drawn and those of the worklist's regions; a case is known by
a digest of its reference image alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.errors import InputError, input_error
from ..core.fields import whole_number
from ..core.pose import Pose
from ..core.staging import staged
from ..core.voxels import Voxels
from ..core.whole_file import write_whole
from ..review import Review
from .segmentation import PLACED

FORMAT = "DiffuFuseMed corrections 1"
MOST_FILES, MOST_DAYS, LARGEST = 20, 30, 64 * 2**20
MADE_BY = ("model", "samples", "seed")


def state_folder() -> Path:
    """Where this user's kept corrections lie."""
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Application Support"
    else:
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "diffufusemed" / "corrections"


def fingerprint(case: Case) -> str:
    """A digest of the image that the case's grid is of, and of that grid: the others may be registered anew."""
    reference, grid = case.volumes[case.reference].array, json.dumps(asdict(case.grid))
    found = hashlib.sha256(f"{case.reference} {grid} {reference.dtype}".encode())
    for plane in reference:
        found.update(np.ascontiguousarray(plane).data)
    return found.hexdigest()[:32]


@dataclass(frozen=True)
class Kept:
    """at: when, with time zone; lesion: as it was drawn; decided: voxels decided on in lists before; review: None where
    there was none yet; accepted: as a whole; made: model, samples, seed and modalities of the run that was corrected,
    and where images lay for it that were registered or moved by hand after they were opened.
    """

    at: datetime
    lesion: Voxels
    decided: Voxels | None
    review: Review | None
    accepted: bool
    made: dict[str, Any]

    def to_json(self) -> str:
        content = {
            "format": FORMAT,
            "at": self.at.isoformat(timespec="seconds"),
            "lesion": self.lesion.to_words(),
            "decided": self.decided and self.decided.to_words(),
            "review": self.review and self.review.to_json(),
            "accepted": self.accepted,
            "made": self.made,
        }
        return json.dumps(content, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Kept:
        """What to_json() wrote. Raises InputError for anything else."""
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError("another format")
            decided, review = content["decided"], content["review"]
            return cls(
                _time(content["at"]),
                Voxels.from_words(content["lesion"]),
                Voxels.from_words(decided) if decided else None,
                Review.from_json(review) if review else None,
                content["accepted"] is True,
                _made(content["made"]),
            )
        except (ValueError, TypeError, LookupError, AttributeError, InputError) as error:
            raise unreadable() from error


def unreadable() -> InputError:
    return input_error("kept corrections that cannot be read", f"those of this case, as {FORMAT!r}", "correct it anew")


class KeptCorrections:
    """folder: private to this user; it holds at most MOST_FILES, none older than MOST_DAYS."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder, self._now = folder, now

    def write(self, name: str, kept: Kept) -> None:
        """name: by new_name(). Whole or not at all; raises InputError where the disk refuses."""
        with suppress(OSError):  # staged() says why it cannot be written
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged(self._folder) as there:
            write_whole(there / name, kept.to_json())
            (there / name).chmod(0o600)  # while it lies in a folder that is private itself
        self._sweep()

    def newest(self, of: str) -> tuple[str, Kept] | None:
        """Name and content of what was kept last of the case with this fingerprint. Raises InputError for a file that
        cannot be read, which is removed: nobody could ever use it."""
        self._sweep()
        names = sorted((path.name for path in self._files() if path.name.startswith(of)), reverse=True)
        if not names:
            return None
        try:
            return names[0], Kept.from_json(self._text(names[0]))
        except InputError:
            self.remove(names[0])
            raise

    def remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()

    def new_name(self, of: str) -> str:
        """Of a file of the case with this fingerprint; later ones come after it."""
        return f"{of}-{int(1000 * self._now()):015d}.json"

    def _text(self, name: str) -> str:
        try:
            path = self._folder / name
            return path.read_text(encoding="utf-8") if path.stat().st_size <= LARGEST else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*-*.json"), key=_written) if self._folder.is_dir() else []

    def _sweep(self) -> None:
        files = self._files()
        oldest = self._now() - MOST_DAYS * 24 * 3600
        for n, path in enumerate(files):
            if n < len(files) - MOST_FILES or _written(path) < oldest:
                self.remove(path.name)


def _written(path: Path) -> float:
    """When, in seconds; of a file that another session has just removed: now."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _made(made: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(made["model"], str) or not all(isinstance(key, str) for key in made["modalities"]):
        raise ValueError("a run of another kind")
    lay = {key: [_pose(numbers) for numbers in poses] for key, poses in made.get(PLACED, {}).items()}
    if not all(len(poses) == 2 for poses in lay.values()):
        raise ValueError("an image that lies nowhere")
    whole = {name: whole_number(made[name]) for name in MADE_BY[1:]}
    return {"model": made["model"], **whole, "modalities": [*made["modalities"]], PLACED: lay}


def _pose(numbers: list[float]) -> list[float]:
    """The six numbers of a Pose. Raises InputError for others."""
    return [*Pose.of(numbers).numbers]


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError("a time without a zone")
    return at
