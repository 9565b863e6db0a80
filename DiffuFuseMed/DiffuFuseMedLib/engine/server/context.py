"""What a handler of the engine is given, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..wire.arrays import ArrayFolder


@dataclass
class Context:
    """Beside its request: the session's arrays, whom to tell progress, and whether to stop."""

    arrays: ArrayFolder
    progress: Callable[[float, str], None]
    cancel: Callable[[], bool]


Handler = Callable[[Any, Any], Any]  # of a request and its Context, None where nobody waits for an answer
