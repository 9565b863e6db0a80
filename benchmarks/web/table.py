"""The figures as a table for a terminal: a row for each that has an aim or is asked for, a column for each case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MISSING = "not measured"


def rows_of(figures: Mapping[str, Any]) -> list[list[str]]:
    """What, then one cell a case, all as words with their unit; the first row is the head."""
    cases = figures["cases"]
    head = ["", *cases]
    return [head] + [[name, *(_cell(tell, case) for case in cases.values())] for name, tell in ROWS.items()]


def _cell(tell: Callable[[Mapping[str, Any]], str], case: Mapping[str, Any]) -> str:
    try:
        return tell(case)
    except (KeyError, TypeError):  # a figure that could not be taken is None
        return MISSING


def _sliders(case: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_latency(found)}" for name, found in case["sliders"].items())


def _tools(case: Mapping[str, Any]) -> str:
    return ", ".join(f"{tool} {max(found.values()):.0f}" for tool, found in case["tools_ms"].items())


def _latency(found: Mapping[str, Any]) -> str:
    return MISSING if found["p50_ms"] is None else f"{found['p50_ms']:.0f} / {found['p95_ms']:.0f}"


def _memory(when: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda case: ", ".join(f"{who} {held['pss_mib']}" for who, held in case["memory"][when].items())


def _growth(case: Mapping[str, Any]) -> str:
    return ", ".join(f"{who} {percent:+.1f}" for who, percent in case["soak"]["growth_percent"].items())


def _soak(case: Mapping[str, Any]) -> str:
    soak = case["soak"]
    return f"{soak['values']} values, {soak['pictures']} pictures in {soak['seconds']:.0f} s"


ROWS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "start to usable page, s": lambda case: f"{case['start']['usable_s']:.1f}",
    "start to whole fused volume, s": lambda case: f"{case['start']['volume_s']:.1f}",
    "slider to picture, p50 / p95, ms": lambda case: f"{case['p50_ms']:.0f} / {case['p95_ms']:.0f}",
    "by slider, ms": _sliders,
    "in fast motion, pictures a second": lambda case: f"{case['alpha_in_fast_motion']['pictures_per_s']:.1f}",
    "longest wait for an answer with a tool, ms": lambda case: f"{case['tool_ms']:.0f}",
    "by tool, ms": _tools,
    "run to contour, s": lambda case: f"{case['run']['run_s']:.1f}",
    "modality off / on, s": lambda case: f"{case['switch_s']['off']:.1f} / {case['switch_s']['on']:.1f}",
    "memory at start, MiB": _memory("at_start"),
    "memory after run and drags, MiB": _memory("after_drags"),
    "soak": _soak,
    "growth during the soak, %": _growth,
}
