"""Roots: the folders below which a session opens anything: whoever holds the page's token is not to see the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..core.errors import input_error


class Roots:
    """folders: as they are when it is made, links followed; raises InputError for one that is not there."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = [_there(Path(folder)) for folder in folders]

    def check(self, path: Path) -> None:
        """Raise InputError for a path that leads elsewhere, over links and .. too, whether anything is there or not."""
        try:
            found = path.resolve()
        except (OSError, RuntimeError, ValueError):  # a ring of links, a null character
            found = Path(path.anchor or "/")
        if not any(found.is_relative_to(folder) for folder in self._folders):
            shown = ", ".join(str(folder) for folder in self._folders[:3])
            remedy = "choose one there, upload it, or start with its folder as --root"
            raise input_error("a path outside the folders that may be opened", f"one below {shown}", remedy)


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        raise input_error(f"the root '{folder}' that is no folder", "a folder that is there", "check --root")
    return folder.resolve()
