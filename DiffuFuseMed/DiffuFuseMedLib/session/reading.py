"""Reading: how a session reads folders and scenes: in its own process, or in one apart for files of unknown origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ..io.scene_files import prepared_scene
from ..io.study import Study, images_in, read_study


class Reading(Protocol):
    """ReadHere, or io.apart.ReaderApart; each method raises InputError. On any thread."""

    def study(self, folder: Path, modalities: Mapping[str, str] | None = None) -> Study: ...

    def images(self, folder: Path) -> list[str]: ...

    def scene(self, path: Path, folder: Path, limit_bytes: int) -> Path: ...


class ReadHere:
    """The reader's own files, in this process."""

    def study(self, folder: Path, modalities: Mapping[str, str] | None = None) -> Study:
        return read_study(folder, modalities)

    def images(self, folder: Path) -> list[str]:
        return images_in(folder)

    def scene(self, path: Path, folder: Path, limit_bytes: int) -> Path:
        return prepared_scene(path, folder, limit_bytes)
