"""Files that are on the disk whole, all of a set together, or not at all.

They are written beside their place, brought to the disk (fsync), and put into their place once all of them are there.
Whoever is killed while they change places leaves a hidden folder from which the next one who writes there ends the
change: forward when all the old ones were aside, else back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError, input_error
from .private_folder import PrivateFolder, abandoned

PREFIX = ".writing-"
NEW, READY, OLD = "new", "ready", "old"  # READY: NEW, once the files that it replaces are in OLD


class NotSavedError(InputError):
    """The disk did not take the files; what was there before is there as it was."""


@contextmanager
def staged(folder: Path, replacing: Collection[str] = ()) -> Iterator[Path]:
    """A hidden folder inside `folder` to write files into; at the end they are put into `folder`, all or none.

    `folder` is made when it is missing. replacing: names of files that go when the new ones come, though there may be
    no new one of that name, such as the rest of an earlier set. When the block raises, `folder` is as it was. Raises
    NotSavedError when `folder` cannot be written or the disk refuses (the path is not repeated: it may hold a patient's
    name).
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _finish_abandoned(folder)
        # On the same file system as its end, so that the rename is atomic (POSIX rename, Windows ReplaceFile).
        with PrivateFolder(PREFIX, folder) as private:
            (private.path / NEW).mkdir()
            yield private.path / NEW
            _put_in_place(private, folder, replacing)
    except OSError as cause:
        raise not_saved(cause) from cause
    finally:
        for path in made:
            with suppress(OSError):  # there are files in it, as there should be
                path.rmdir()


def settle(folder: Path) -> None:
    """End what a process that was killed has begun in `folder`, as the next one who writes there would; does nothing
    where there is none, or it cannot be written."""
    with suppress(OSError):
        _finish_abandoned(folder)


def not_saved(cause: OSError) -> NotSavedError:
    """The sentence for a reader."""
    given = f"an output folder that cannot be written ({cause.strerror or 'the disk refused the file'})"
    wanted = "a folder with write permission and free space"
    remedy = "nothing was saved and what was there is as it was, so make room or choose another folder"
    return NotSavedError(str(input_error(given, wanted, remedy)))


def _put_in_place(private: PrivateFolder, folder: Path, replacing: Collection[str]) -> None:
    new, ready, old = (private.path / name for name in (NEW, READY, OLD))
    names = {path.name for path in new.iterdir()}
    replaced = sorted(name for name in names | set(replacing) if os.path.lexists(folder / name))
    if blocked := [name for name in replaced if (folder / name).is_dir()]:
        raise IsADirectoryError(0, f"{blocked[0]} is a folder there")
    for name in sorted(names):
        _to_disk(new / name)
    old.mkdir()
    try:
        if len(names) > 1 or set(replaced) - names:  # one file alone takes the place of the old one at once
            _move(folder, old, replaced)
        new.rename(ready)
        _move(ready, folder, sorted(names))
    except OSError:
        _undo(private, folder, names)
        raise
    _to_disk(folder)


def _undo(private: PrivateFolder, folder: Path, names: set[str]) -> None:
    """All as it was; where even that is refused, the hidden folder stays for the next one who writes there."""
    ready, old = private.path / READY, private.path / OLD
    try:
        if ready.is_dir():
            _move(folder, ready, sorted(names - {path.name for path in ready.iterdir()}))
            ready.rename(private.path / NEW)
        _move(old, folder, sorted(path.name for path in old.iterdir()))
    except OSError:
        private.let_go()
        raise


def _finish_abandoned(folder: Path) -> None:
    """End what a process that was killed has begun, and remove what it left."""
    for path in abandoned(folder, PREFIX):
        left = path / READY if (path / READY).is_dir() else path / OLD
        if left.is_dir():
            _move(left, folder, sorted(file.name for file in left.iterdir()))
        shutil.rmtree(path, ignore_errors=True)


def _move(here: Path, there: Path, names: list[str]) -> None:
    for name in names:
        (here / name).replace(there / name)


def _to_disk(path: Path) -> None:
    """What the system still holds of a file, or of a folder's list of names, is written out. Raises OSError."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
