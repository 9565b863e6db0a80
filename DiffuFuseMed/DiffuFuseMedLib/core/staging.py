"""Files that appear whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import input_error


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` to write into; what lies there at the end is moved into `folder`.

    `folder` is made when it is missing. When the block raises, nothing is moved and the hidden folder is gone. Files of
    the same names are replaced. Raises InputError when `folder` cannot be written or the disk refuses (the path is not
    repeated: it may hold a patient's name).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # On the same file system as its end, so that the rename is atomic (POSIX rename, Windows ReplaceFile).
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as name:
            yield Path(name)
            for file in sorted(Path(name).iterdir()):
                file.replace(folder / file.name)
    except OSError as cause:
        reason = cause.strerror or "the disk refused the file"
        raise input_error(
            f"an output folder that cannot be written ({reason})",
            "a folder with write permission and free space",
            "choose another output folder",
        ) from cause
