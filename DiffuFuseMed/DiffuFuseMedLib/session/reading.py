"""Reading: how a session reads folders and scenes: in its own process, or in one apart for files of unknown origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ..io.scene_files import PreparedScene, prepared_scene
from ..io.study import Study, images_in, read_folder


class Reading(Protocol):
    """ReadHere, or io.apart.ReaderApart; each method raises InputError. On any thread."""

    def folder(self, folder: Path, told: Mapping[str, str]) -> tuple[list[str], Study]: ...

    def images(self, folder: Path) -> list[str]: ...

    def scene(self, path: Path, folder: Path, limit_bytes: int) -> PreparedScene: ...

    def stop(self) -> None:
        """Nobody waits any more for what is being read."""


class ReadHere:
    """The reader's own files, in this process."""

    def folder(self, folder: Path, told: Mapping[str, str]) -> tuple[list[str], Study]:
        return read_folder(folder, told)

    def images(self, folder: Path) -> list[str]:
        return images_in(folder)

    def scene(self, path: Path, folder: Path, limit_bytes: int) -> PreparedScene:
        return prepared_scene(path, folder, limit_bytes)

    def stop(self) -> None:
        """What is read here cannot be stopped: it goes on, and is left aside."""
