"""One benchmark at a time in a folder: two would do the same jobs twice, and train in one checkpoint."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import input_error
from ..core.staging import not_saved

LOCK = ".running"  # stays, empty: whoever removed it might remove that of the next one
TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The folder, which is made, is this process's for as long as the block takes or the process lives.

    Raises InputError where another one has it, and where it cannot be written. A disk that knows no locks lets all in.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("wb")
    except OSError as cause:
        raise not_saved(cause) from cause
    with file:
        try:
            _lock(file)
        except OSError as cause:
            if cause.errno in TAKEN:
                given = f"an --out in which another benchmark is at work ({folder.parent.name})"
                remedy = "wait until it is over, or choose another --out"
                raise input_error(given, "one benchmark at a time in it", remedy) from cause
        yield


def _lock(file: Any) -> None:
    """Ends with the open file. Raises OSError."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
