"""The whole measurement of a case: start, run, switch, drags, memory, soak."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from DiffuFuseMedLib.core.errors import input_error
from DiffuFuseMedLib.core.parallel import processors

from benchmarks.web import memory
from benchmarks.web.figures import AIMS, growth_percent, missed
from benchmarks.web.large import SHAPE, write_large
from benchmarks.web.reader import VIEWPORT, Reader, a_browser, check_browser
from benchmarks.web.server import WebServer
from benchmarks.web.tools import hold_tools, longest
from benchmarks.web.unrecorded import UnrecordedTab

SLIDERS = ("alpha", "beta", "gamma")
SWITCHED = "PET"
FAST_S = 5.0
# An hour of reading as slider values: a drag of one second every ten seconds (360 of them), in which a hand that
# watches the picture takes the slider through ten values. More moves than that are superseded before anybody sees them.
VALUES_PER_DRAG = 10
VALUES_PER_MINUTE = 60
WARM_UP_DRAGS = 30  # caches fill, the allocators find their size
SAMPLES = 40  # of the memory during a soak, at most
LARGE_SHARE = 0.1  # of the soak is made on the large case, whose pictures take several times as long
WAIT_S = {"shipped": 300.0, "large": 3600.0}
READY = "!!document.querySelector('#fusion-state.ready')"
BEHIND_S = 300.0  # then it goes on without what nobody has to wait for, such as the last slice of a large volume


@dataclass(frozen=True)
class Plan:
    """values: moves of each drag; soak_minutes: of reading, whose slider values are made as fast as pictures come;
    wait_s: the longest that one thing may take; switch: a modality too, which is two more runs."""

    values: int = 60
    soak_minutes: float = 60.0
    wait_s: float = WAIT_S["shipped"]
    switch: bool = True


def bench_web(
    folder: Path,
    values: int = 60,
    soak_minutes: float = 60.0,
    large: bool = False,
    say: Callable[[str], None] = lambda _: None,
    so_far: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Figures of the workspace on the case in `folder`, and on one of 512 x 512 x 300 made of it when `large`.

    say: is told what is measured now; so_far: gets the figures after each case, since a large one may take an hour.
    Raises InputError without Chromium or playwright, for a folder that is no case, and for a page that does not show
    what it should.
    """
    if values < 2:
        raise input_error(f"a drag of {values} values", "at least 2", "choose more")
    executable = check_browser()
    figures = {"machine": _machine(), "page": "", "values": values, "cases": {}, "aims": AIMS, "missed": []}
    with a_browser(executable) as browser, tempfile.TemporaryDirectory(prefix="diffufusemed-bench-") as temporary:
        figures["page"] = f"Chromium {browser.version}, {VIEWPORT['width']} x {VIEWPORT['height']}"
        _add(figures, folder.resolve().name, "as it is", _bench_case(browser, folder, Plan(values, soak_minutes), say))
        so_far(figures)
        if large:
            target = Path(temporary) / "x".join(map(str, SHAPE[::-1]))
            say("tiling the case to 512 x 512 x 300")
            write_large(folder, target)
            plan = Plan(values, LARGE_SHARE * soak_minutes, WAIT_S["large"], switch=False)
            _add(figures, target.name, "tiled: its voxels again and again", _bench_case(browser, target, plan, say))
            so_far(figures)
    return figures


def _add(figures: dict[str, Any], name: str, made: str, case: dict[str, Any]) -> None:
    figures["cases"][name] = {"made_from": f"the case {made}", **case}
    figures["missed"] += [f"{name}: {sentence}" for sentence in missed(case)]


def _bench_case(browser: Any, folder: Path, plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """start: seconds from the command; p50_ms, p95_ms: the slowest slider's; switch_s: of one modality off and on."""
    say(f"starting the workspace on {folder.name}")
    with WebServer(folder) as server:
        reader = Reader(browser, plan.wait_s, BEHIND_S)
        try:
            start = {"address_s": round(server.address_s, 2), **reader.open(server.address, server.began_s)}
            held = {"at_start": _held(server.pid)}
            say("segmenting")
            run = reader.run()
            reader.quiet()
            switches = _switches(reader, say) if plan.switch else None
            sliders = {}
            for name in SLIDERS:
                say(f"dragging {name}")
                sliders[name] = reader.drag(name, plan.values)
            fast = reader.fast_drag("alpha", FAST_S)
            say("editing with each tool")
            held_ms = hold_tools(reader)
            held["after_drags"] = _held(server.pid)
            say(f"dragging as in {plan.soak_minutes:g} min of reading")
            cookies = reader.page.context.cookies()
            reader.close()  # one tab holds the case
            soak = _soak_in_its_tab(browser, server, cookies, plan)
            return {
                "start": start,
                **_worst(sliders),
                "sliders": sliders,
                "alpha_in_fast_motion": fast,
                "tools_ms": held_ms,
                "tool_ms": longest(held_ms),
                "run": run,
                "switch_s": switches,
                "memory": {when: memory.mib(found) for when, found in held.items()},
                "soak": soak,
                "console_errors": reader.errors,
            }
        finally:
            reader.close()


def _switches(reader: Reader, say: Callable[[str], None]) -> dict[str, float]:
    say("switching a modality off and on")
    switches = {"off": reader.switch(SWITCHED, False), "on": reader.switch(SWITCHED, True)}
    reader.quiet()
    return switches


def _soak_in_its_tab(browser: Any, server: WebServer, cookies: list[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    tab = UnrecordedTab(browser, server.address.partition("?")[0], cookies)
    try:
        tab.wait(READY, plan.wait_s)
        return _soak(tab, server.pid, plan.soak_minutes)
    finally:
        tab.close()


def _soak(reader: UnrecordedTab, server_pid: int, minutes: float) -> dict[str, Any]:
    """The slider values of so many minutes of reading after a warm-up; growth_percent: of what each holds, from the end
    of the warm-up on."""
    drags = max(len(SLIDERS), round(minutes * VALUES_PER_MINUTE / VALUES_PER_DRAG))
    every = -(-drags // SAMPLES)
    _drags(reader, min(WARM_UP_DRAGS, drags))
    samples, seen, began = [_sample(reader, server_pid)], 0, time.monotonic()
    for start in range(0, drags, every):
        seen += _drags(reader, min(every, drags - start), start)
        samples.append(_sample(reader, server_pid))
    return {
        "reading_minutes": round(minutes, 2),
        "values": drags * VALUES_PER_DRAG,
        "pictures": seen,
        "seconds": round(time.monotonic() - began, 1),
        "samples": len(samples),
        "growth_percent": {who: growth_percent([s[who]["pss_bytes"] for s in samples]) for who in samples[0]},
        "first": memory.mib(samples[0]),
        "last": memory.mib(samples[-1]),
    }


def _drags(reader: UnrecordedTab, count: int, start: int = 0) -> int:
    """One slider after the other; how many values had a picture."""
    return sum(reader.take_through(SLIDERS[n % len(SLIDERS)], VALUES_PER_DRAG) for n in range(start, start + count))


def _sample(reader: UnrecordedTab, server_pid: int) -> dict[str, dict[str, int]]:
    reader.collect_garbage()
    return _held(server_pid)


def _held(server_pid: int) -> dict[str, dict[str, int]]:
    """Bytes of the server, the engine and the whole browser."""
    found = {
        "server": memory.server_of(server_pid),
        "engine": memory.engine_of(server_pid),
        "page": memory.browser_below(os.getpid()),
    }
    return {who: memory.memory_of(processes) for who, processes in found.items()}


def _worst(sliders: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Of the sliders whose pictures could be told apart."""
    return {
        name: max((s[name] for s in sliders.values() if s[name] is not None), default=None)
        for name in ("p50_ms", "p95_ms")
    }


def _machine() -> str:
    """What it is measured on, and how busy that was before: what other programs take, the workspace does not get."""
    busy = psutil.cpu_percent(interval=1.0)
    cores = f"{processors()} of {psutil.cpu_count()} cores, {busy:.0f} % of all busy with other programs before"
    return f"{platform.machine()}, {cores}, software rendering unless a GPU drives EGL"
