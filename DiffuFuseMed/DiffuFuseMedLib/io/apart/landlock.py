"""Landlock: a process gives up all files but those below a few folders, and every connection, without being root
(Linux 5.13 and newer; docs.kernel.org/userspace-api/landlock.html). Elsewhere it holds nothing, and says so."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
VERSION, PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
ACCESSES = {1: 13, 2: 14, 3: 15, 5: 16}  # how many kinds of access each version of it knows
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15  # the others are a folder's


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("connections", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("accesses", ctypes.c_uint64), ("folder", ctypes.c_int32))


def only(reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """Leave to this thread, and to those that it starts, reading below `reads` and everything below `writes`; False
    where the system does not hold it."""
    version = _version()
    if version < 1:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    every = (1 << max(count for since, count in ACCESSES.items() if since <= version)) - 1
    handled = _Ruleset(every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        for paths, accesses in ((reads, EXECUTE | READ_FILE | READ_DIR), (writes, every)):
            for path in paths:
                _allow(libc, ruleset, path, accesses)
        held = libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)
    return held


def _version() -> int:
    """Of the kernel's Landlock; 0 for none."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, accesses: int) -> None:
    """What is not there needs no leave."""
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        kinds = accesses if path.is_dir() else accesses & OF_A_FILE
        rule = _Beneath(kinds, folder)
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(folder)
