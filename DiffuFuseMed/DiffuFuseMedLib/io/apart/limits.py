"""What a process that reads files of unknown origin may take: memory, time, the size of files, and which files.

Memory, processor time and size are POSIX's resource limits; which files is Landlock's affair, on Linux. Where a system
lacks one of them, as Windows lacks all, what headers announce is bounded all the same, and who waits stops waiting.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import landlock

FILES = 1024  # that are open at once
MEMORY_BYTES = 16 * 2**30  # where the machine does not say how much it has


def most_of_the_memory() -> int:
    """Three quarters of what this machine has, in bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return MEMORY_BYTES


@dataclass(frozen=True)
class Limits:
    """memory_bytes: beyond what the process has when it begins, by default three quarters of the machine's; wait_s:
    until the answer is there; written_bytes: of each file that it writes, in its own folder alone."""

    memory_bytes: int = field(default_factory=most_of_the_memory)
    processor_s: int = 900
    wait_s: float = 900.0
    written_bytes: int = 16 * 2**30


def impose(limits: Limits, reads: Iterable[Path], writes: Iterable[Path]) -> tuple[str, ...]:
    """Limit this process for good, and to these folders and those that Python itself is in; which of "memory", "time",
    "size" and "folders" this system can hold."""
    held = _impose_resources(limits)
    if landlock.only([*reads, *_of_python()], list(writes)):
        held += ("folders",)
    return held


def _impose_resources(limits: Limits) -> tuple[str, ...]:
    if sys.platform == "win32":
        return ()
    import resource

    used_s = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])) + 1
    wanted = {
        resource.RLIMIT_CPU: used_s + limits.processor_s,
        resource.RLIMIT_FSIZE: limits.written_bytes,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
    }
    held: tuple[str, ...] = ("time", "size")
    if sys.platform == "linux":  # macOS does not hold it
        wanted[resource.RLIMIT_AS] = _taken_bytes() + limits.memory_bytes
        held = ("memory", *held)
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))
    return held


def _taken_bytes() -> int:
    import resource

    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _of_python() -> list[Path]:
    """Where modules, their libraries and what these look up lie."""
    here = [Path(part) for part in sys.path if part]
    system = [Path(part) for part in ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share", "/usr/local/lib",
              "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices",
              "/dev/null", "/dev/urandom")]  # fmt: skip
    return [*here, Path(sys.prefix), Path(sys.base_prefix), *system]
