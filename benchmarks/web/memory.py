"""Memory of the server, the engine and the page, each as the operating system shares it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psutil

ENGINE = "DiffuFuseMedLib.engine.server"
BROWSERS = ("chrom", "headless_shell")
MIB = 2**20


def engine_of(server_pid: int) -> list[psutil.Process]:
    """The engine's process below the server's, none before it was started."""
    return [p for p in _below(server_pid) if ENGINE in _command(p)]


def server_of(server_pid: int) -> list[psutil.Process]:
    """The server's own processes, without the engine."""
    engine = {p.pid for p in engine_of(server_pid)}
    return [p for p in (psutil.Process(server_pid), *_below(server_pid)) if p.pid not in engine]


def browser_below(pid: int) -> list[psutil.Process]:
    """Chromium's processes among those that this one started."""
    return [p for p in _below(pid) if any(name in _name(p) for name in BROWSERS)]


def memory_of(processes: Iterable[psutil.Process]) -> dict[str, int]:
    """pss_bytes: their share of what is in memory (their own alone where it is not told); uss_bytes: what only they
    hold. One that has ended counts nothing."""
    total = {"pss_bytes": 0, "uss_bytes": 0}
    for process in processes:
        try:
            info: Any = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        total["pss_bytes"] += getattr(info, "pss", info.uss)
        total["uss_bytes"] += info.uss
    return total


def mib(memory: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The same in MiB: pss_mib, uss_mib by who holds it."""
    return {who: {f"{kind[:3]}_mib": n // MIB for kind, n in found.items()} for who, found in memory.items()}


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def _name(process: psutil.Process) -> str:
    try:
        return process.name().lower()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
