"""Figures from what was noted: percentiles, growth, the moment at which the last picture was there."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SAME_RMS = 3.0  # gray values between two JPEG qualities of one picture, with room
ENDS = 5  # the first and the last fifth of a soak are compared
AIMS = {"usable_s": 8, "p95_ms": 250, "tool_ms": 200, "growth_percent": 5}


def percentiles(latencies_ms: Iterable[float]) -> dict[str, Any]:
    """The 50th and 95th and how many pictures they are of; None for none."""
    shown = list(latencies_ms)
    p50, p95 = np.percentile(shown, (50, 95)).round(1).tolist() if shown else (None, None)
    return {"p50_ms": p50, "p95_ms": p95, "pictures": len(shown)}


def pictures_of(kept: Iterable[Sequence[Any]]) -> list[tuple[float, np.ndarray]]:
    """(seconds since 1970, gray values) of each picture that the probe kept: [milliseconds, base64 of its bytes]."""
    return [(at_ms / 1000, np.frombuffer(b64decode(gray), np.uint8).astype(float)) for at_ms, gray in kept]


def first_like_last(pictures: Sequence[tuple[float, np.ndarray]], since_s: float = 0.0) -> float | None:
    """When the picture that stayed was first seen, at or after `since_s`; None without pictures."""
    if not pictures:
        return None
    last = pictures[-1][1]
    return next(at for at, gray in pictures if (at >= since_s and _rms(gray, last) < SAME_RMS) or gray is last)


def growth_percent(bytes_over_time: Sequence[float]) -> float | None:
    """Median of the last fifth against that of the first, in %; None for fewer than two values."""
    if len(bytes_over_time) < 2:
        return None
    count = max(1, len(bytes_over_time) // ENDS)
    before, after = np.median(bytes_over_time[:count]), np.median(bytes_over_time[-count:])
    return round(100 * float(after - before) / float(before), 2)


def missed(case: Mapping[str, Any], aims: Mapping[str, float] = AIMS) -> list[str]:
    """What of one case's figures misses its aim, in words; a figure that could not be taken misses it too."""
    growths = [g for g in case["soak"]["growth_percent"].values() if g is not None]
    figures = {
        "usable_s": case["start"]["usable_s"],
        "p95_ms": case["p95_ms"],
        "tool_ms": case["tool_ms"],
        "growth_percent": max(growths, default=None),
    }
    return [
        f"{name} {'not measured' if figures[name] is None else f'{figures[name]:g}'}, wanted {aim}"
        for name, aim in aims.items()
        if figures[name] is None or figures[name] > aim
    ]


def _rms(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.sqrt(np.mean((first - second) ** 2)))
