"""Where a running engine and those who attach to it meet: a file that this user alone can read, with port and token.

The file lies in a folder of mode 0700 and has mode 0600; whoever can read it may use the engine, nobody else.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
FOLDER = "DIFFUFUSEMED_ENGINE"  # environment variable: another folder than the user's own
FILE = "address.json"


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


def announce(address: Address) -> Path:
    """Write the address for those who attach; NoEngineError where the folder is not this user's alone."""
    folder = place()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_private(folder)
    path = folder / FILE
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    return path


def look_up() -> Address:
    """What was announced; NoEngineError for nothing."""
    path = place() / FILE
    try:
        check_private(path.parent)
        check_private(path)
        return Address(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError) as error:
        raise NoEngineError("No engine runs on this computer: start one with `diffufusemed engine`.") from error


def check_private(path: Path) -> None:
    """NoEngineError unless the file or folder is this user's and nobody else may enter, read or write it."""
    if os.name == "nt":
        return  # below the user's profile, which Windows keeps from others
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise NoEngineError("The engine's meeting place is open to other users: remove it and start the engine again.")
