"""The session's private folder: arrays as .npy files that both processes map, under a quota, gone with the session."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...core import private_folder
from ...core.errors import InputError, input_error

log = logging.getLogger(__name__)
PREFIX = "diffufusemed-engine-"
QUOTA_BYTES = 8 * 2**30


class SpaceError(InputError):
    """The folder's quota is used up, or its disk is full."""


class ArrayFolder:
    """Arrays of one session. side: how the names of files written here begin, "c" at the client, "s..." at a server.

    The quota is checked before each write by either process, so both writing at once may pass it by one array.
    """

    def __init__(self, path: Path, quota_bytes: int = QUOTA_BYTES, side: str = "s") -> None:
        self.path, self.quota_bytes, self.side = Path(path), quota_bytes, side
        self._owned: private_folder.PrivateFolder | None = None

    @classmethod
    def create(cls, base: Path | None = None, quota_bytes: int = QUOTA_BYTES) -> ArrayFolder:
        """A new folder that only this user may enter (0700), owned by this process, inside base or the system's
        folder for temporary files; those of dead owners beside it are removed first."""
        owned = private_folder.PrivateFolder(PREFIX, base)
        folder = cls(owned.path, quota_bytes, "c")
        folder._owned = owned
        return folder

    def write(self, array: np.ndarray) -> dict[str, Any]:
        """Save an array and return the reference that the other process reads it by; raises SpaceError."""
        array = np.asarray(array)
        if array.dtype.hasobject:
            raise TypeError("an array of Python objects cannot be shared")
        self._check_space(array.nbytes)
        name = f"{self.side}{uuid.uuid4().hex}.npy"
        try:
            with (self.path / name).open("xb") as file:  # plain writing: a full disk under a map would be SIGBUS
                np.save(file, array, allow_pickle=False)
        except OSError as error:
            self.discard(name)
            raise _no_space(array.nbytes, "a disk that took less") from error
        return {"$array": name, "shape": list(array.shape), "dtype": array.dtype.str}

    @contextmanager
    def batch(self) -> Iterator[list[str]]:
        """Collect names of files written inside; if anything fails there, all of them are removed again."""
        names: list[str] = []
        try:
            yield names
        except BaseException:
            self.discard(*names)
            raise

    def map(self, reference: dict[str, Any]) -> np.ndarray:
        """The array behind a reference, mapped copy-on-write: writing to it changes nobody else's. The file stays."""
        return self._checked(reference, "c")

    def take(self, reference: dict[str, Any]) -> np.ndarray:
        """The array behind a reference, copied out; its file is removed."""
        try:
            return self._checked(reference, None)
        finally:
            self.discard(str(reference.get("$array")))

    def discard(self, *names: str) -> None:
        """Remove files of this folder by name; one that is not there is no error."""
        for name in names:
            if _is_plain(name):
                try:
                    (self.path / name).unlink(missing_ok=True)
                except OSError:  # Windows, while the other process still maps it: goes with the folder
                    log.debug("an array's file could not be removed yet")

    def discard_side(self, side: str) -> None:
        """Remove all files that one side wrote."""
        self.discard(*(name for name in self.names() if name.startswith(side)))

    def names(self) -> list[str]:
        """The arrays' file names."""
        return sorted(p.name for p in self.path.glob("*.npy"))

    def used_bytes(self) -> int:
        total = 0
        for name in self.names():
            try:
                total += (self.path / name).stat().st_size
            except FileNotFoundError:  # taken by the other process in between
                continue
        return total

    def remove(self) -> None:
        """Delete the folder with everything in it."""
        if self._owned is not None:
            self._owned.remove()
        shutil.rmtree(self.path, ignore_errors=True)

    def _check_space(self, extra_bytes: int) -> None:
        used = self.used_bytes()
        if used + extra_bytes > self.quota_bytes:
            raise _no_space(extra_bytes, f"{_mb(self.quota_bytes - used)} left of the quota of {_mb(self.quota_bytes)}")
        free = shutil.disk_usage(self.path).free
        if extra_bytes > free:
            raise _no_space(extra_bytes, f"{_mb(free)} free on the disk of temporary files")

    def _checked(self, reference: dict[str, Any], mode: Literal["c"] | None) -> np.ndarray:
        name = reference.get("$array")
        remedy = "send the case again"
        if not isinstance(name, str) or not _is_plain(name):
            raise input_error("an array by a name outside of the session's folder", "one inside", remedy)
        try:
            array = np.load(self.path / name, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise input_error("an array whose file is gone or damaged", "the file that was written", remedy) from error
        if list(array.shape) != reference.get("shape") or array.dtype.str != reference.get("dtype"):
            raise input_error("an array of another shape or type than announced", "the one written", remedy)
        return array


def sweep(parent: Path) -> list[Path]:
    """Remove the session folders of this user in `parent` whose owners are dead; returns them."""
    return private_folder.sweep(parent, PREFIX)


def _is_plain(name: str) -> bool:
    return name.endswith(".npy") and Path(name).name == name and "\\" not in name


def _no_space(needed_bytes: int, wanted: str) -> SpaceError:
    remedy = "close a case, free disk space or give the session a larger quota or another folder"
    return SpaceError(str(input_error(f"an array of {_mb(needed_bytes)}", wanted, remedy)))


def _mb(count: int) -> str:
    return f"{max(count, 0) / 1e6:.1f} MB"
