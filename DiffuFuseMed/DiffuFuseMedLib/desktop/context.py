"""What the sections of the panel share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..session import Session
from .editor import Editor
from .environment import Found
from .wire import Wire


@dataclass
class Panel:
    """ui: the .ui's widgets by name; resource: a path below Resources; found: what the engine's Python has, None while
    it is asked; ready(call): call when the engine can run, explain when it cannot."""

    ui: Any
    session: Session
    wire: Wire
    editor: Editor
    resource: Callable[[str], str]
    ready: Callable[[Callable[[], None]], None]
    choose_python: Callable[[str], None]
    python: str = ""
    found: Found | None = None
    folder: Path | None = None  # where the reader saved last
