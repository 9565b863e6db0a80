"""JSON from outside as RFC 8259 has it: no NaN, no infinity, bounded in size, depth and length.

Python's own reader takes NaN, 1e999 and a hundred thousand brackets; whoever asks this one need not think of them.
"""

from __future__ import annotations

import json
import math
from typing import Any

LARGEST_BYTES = 4 * 2**20
DEEPEST = 12
LONGEST_TEXT = 20_000


def loads(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, in a phrase, for one that is no JSON or beyond the bounds."""
    if len(text) > LARGEST_BYTES:
        raise ValueError(f"more than {LARGEST_BYTES // 2**20} MiB long")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    _check(value, 0)
    return value


def _check(value: Any, depth: int) -> None:
    """Raises ValueError for the first thing in value that is beyond the bounds."""
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    if isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            _check(part, depth + 1)
    elif isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ValueError(f"with a text of {len(value)} characters")
    elif isinstance(value, (int, float)) and not abs(value) < math.inf:
        raise ValueError(f"with the number {value}")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("with a whole number of more than 63 bits")


def finite(value: Any) -> Any:
    """value with None in place of each number that JSON cannot hold."""
    if isinstance(value, dict):
        return {str(name): finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
