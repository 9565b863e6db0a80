"""A folder of this process alone (0700) that goes with it, however it ends.

The owner holds a lock on the file `lock` for as long as it lives. The operating system drops it when the owner dies,
so sweep() knows an abandoned folder without trusting process ids, which are used again.

Not by the package filelock: its lock makes the file, and the folder, that it does not find, so looking at a folder
whose owner just removed it would bring it back; where a disk knows no locks it leaves a file that outlives its owner;
and Slicer's own Python does not have it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LOCK = "lock"
FAMILY = "diffufusemed-"  # how the names of all private folders among the system's temporary files begin
JUST_MADE_S = 60.0  # a folder without a lock that is younger is just being made


class PrivateFolder:
    """A folder that only this user may enter, owned by this process until remove(). As a context manager, until then.

    Those of dead owners beside it are removed first: of its prefix, or of the whole FAMILY, so that a patient's images
    do not wait for a new start of the very part that left them.
    """

    def __init__(self, prefix: str, base: Path | None = None) -> None:
        """A new one inside base or the system's folder for temporary files, its name beginning with prefix."""
        parent = Path(base or tempfile.gettempdir())
        sweep(parent, FAMILY if prefix.startswith(FAMILY) else prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock: Any = (self.path / LOCK).open("wb")
        try_lock(self._lock)

    def __enter__(self) -> PrivateFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete the folder with everything in it; a second call does nothing."""
        if self._lock is not None:
            self.let_go()
            shutil.rmtree(self.path, ignore_errors=True)

    def let_go(self) -> None:
        """Leave the folder as one without an owner."""
        self._lock.close()
        self._lock = None


def sweep(parent: Path, prefix: str) -> list[Path]:
    """Remove the private folders of this user in `parent` whose owners are dead; returns them."""
    found = abandoned(parent, prefix)
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return found


def abandoned(parent: Path, prefix: str) -> list[Path]:
    """The private folders of this user in `parent` whose owners are dead."""
    return [path for path in parent.glob(f"{prefix}*") if _is_abandoned(path)]


def _is_abandoned(path: Path) -> bool:
    try:
        status = path.lstat()
        if path.is_symlink() or not path.is_dir() or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
            return False
        with (path / LOCK).open("r+b") as file:
            return try_lock(file)
    except FileNotFoundError:  # no lock yet, or the owner just removed the folder
        return path.is_dir() and time.time() - status.st_mtime > JUST_MADE_S
    except OSError:
        return False


def try_lock(file: Any) -> bool:
    """Take the lock, which ends with the open file; False when another open file holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
