"""Where a running engine and those who attach to it meet: a file that this user alone can read, with port and token.

The file lies in a folder of mode 0700 and has mode 0600; whoever can read it may use the engine, nobody else. Beside it
lies a file that the engine holds a lock on while it lives: by that, who looks up sees that the address of one that was
killed is nobody's any more, and removes it.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...core.private_folder import try_lock

HOST = "127.0.0.1"
FOLDER = "DIFFUFUSEMED_ENGINE"  # environment variable: another folder than the user's own
FILE = "address.json"
LOCK = "alive-"


@dataclass(frozen=True)
class Address:
    """port: on the loopback interface; token: to be said first; pid: of the engine."""

    port: int
    token: str
    pid: int


class NoEngineError(OSError):
    """str() is one sentence: nothing that runs, or a place that others could have written to."""


def place() -> Path:
    """The folder of the meeting, which need not be there."""
    told = os.environ.get(FOLDER)
    return Path(told) if told else Path.home() / ".config" / "diffufusemed" / "engine"


class Announced:
    """An address that stands as long as this process lives, or until withdraw()."""

    def __init__(self, folder: Path, address: Address) -> None:
        self._path, self._address, self._held = folder / FILE, address, folder / lock_name(address)
        self._lock: Any = _own(self._held)
        try_lock(self._lock)
        self._path.unlink(missing_ok=True)
        with _own(self._path) as file:
            file.write(json.dumps(asdict(address)).encode())

    def withdraw(self) -> None:
        """Remove it, unless another engine has announced itself since."""
        self._lock.close()
        self._held.unlink(missing_ok=True)
        if _read(self._path) == self._address:
            self._path.unlink(missing_ok=True)


def announce(address: Address) -> Announced:
    """Write the address for those who attach; NoEngineError where the folder is not this user's alone."""
    folder = place()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_private(folder)
    for path in folder.glob(f"{LOCK}*"):
        if is_dead(path):
            path.unlink(missing_ok=True)
    return Announced(folder, address)


def look_up() -> Address:
    """What was announced by an engine that lives; NoEngineError for nothing."""
    path = place() / FILE
    address = _read(path)
    if address is None or is_dead(path.parent / lock_name(address)):
        path.unlink(missing_ok=True)
        raise NoEngineError("No engine runs on this computer: start one with `diffufusemed engine`.")
    return address


def lock_name(address: Address) -> str:
    return f"{LOCK}{address.port}-{address.pid}"


def is_dead(lock: Path) -> bool:
    """Whether nobody holds this lock."""
    try:
        with lock.open("r+b") as file:
            return try_lock(file)
    except OSError:  # it is not there
        return True


def _read(path: Path) -> Address | None:
    """The address in a file; None for a file that is not there, or is something else. NoEngineError for one that others
    could have written."""
    try:
        check_private(path.parent)
        check_private(path)
        return Address(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _own(path: Path) -> Any:
    """A new file, opened for writing, that this user alone can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def check_private(path: Path) -> None:
    """NoEngineError unless the file or folder is this user's and nobody else may enter, read or write it."""
    if os.name == "nt":
        return  # below the user's profile, which Windows keeps from others
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise NoEngineError("The engine's meeting place is open to other users: remove it and start the engine again.")
