"""PresetLibrary: the shipped ones and the reader's own, kept as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..core.errors import InputError, input_error
from ..core.presets import PRESETS, VALUES, Preset, find_preset, save_preset, user_presets
from .context import SessionContext

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
CUSTOM = "custom"  # the preset's name once a slider left it


class PresetLibrary:
    """folder: where the reader's own lie; without one there are only the shipped."""

    def __init__(self, context: SessionContext, folder: Path | None) -> None:
        self._context, self._folder = context, folder
        self._read: tuple[Any, dict[str, Preset]] = (None, {})

    def known(self) -> dict[str, Preset]:
        """All, by name; a file that is none is told once."""
        if self._folder is None:
            return dict(PRESETS)
        files = tuple((file, file.stat().st_mtime_ns) for file in sorted(self._folder.glob("*.json")))
        if files != self._read[0]:
            own, complaints = user_presets(self._folder)
            self._read = files, own  # before anybody is told, who may well ask for them
            for sentence in complaints:
                self._context.say("warning", sentence)
        return {**PRESETS, **self._read[1]}

    def values_of(self, name: str) -> dict[str, Any]:
        """The parameters that a preset, or a preset's file, sets. Raises InputError for one that is not known."""
        preset = self.known().get(name) or find_preset(name)
        return {"preset": preset.name, **{entry: getattr(preset, entry) for entry in VALUES}}

    def save(self, name: str, title: str, reason: str) -> None:
        """Keep the present sliders. Raises InputError for a name that cannot be, or when they cannot be written."""
        if self._folder is None:
            raise InputError("There is no folder for your own presets; start the workspace with one.")
        if not SLUG.fullmatch(name) or name in {*PRESETS, CUSTOM}:
            wanted = "small letters, digits and hyphens, and no shipped preset's name"
            raise input_error(f"the preset name {name[:40]!r}", wanted, "choose another name")
        values = {key: getattr(self._context.parameters, key) for key in VALUES}
        save_preset(Preset(name, title, reason, **values), self._folder / f"{name}.json")
