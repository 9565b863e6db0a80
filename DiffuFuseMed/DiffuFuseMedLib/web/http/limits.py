"""How much a session may upload, counted while it is written."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, input_error


@dataclass(frozen=True)
class Limits:
    """Of one session. total_bytes: all uploads together, unpacked; file_bytes, files: each file, each upload's count;
    an archive may not grow more than zip_ratio times once it is beyond zip_free_bytes."""

    total_bytes: int = 4 * 2**30
    file_bytes: int = 2 * 2**30
    files: int = 20_000
    zip_ratio: float = 200.0
    zip_free_bytes: int = 256 * 2**20


class TooLargeError(InputError):
    """More than the limits of a session allow."""


class NoSpaceError(InputError):
    """The disk is full."""


class Budget:
    """Bytes of one session, taken by several uploads at once, also from threads."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self.limits, self._folder = limits, folder
        self._used, self._lock = 0, threading.Lock()

    @property
    def used_bytes(self) -> int:
        return self._used

    def check(self, count: int) -> None:
        """Raise TooLargeError or NoSpaceError where so many bytes more would not fit."""
        left = self.limits.total_bytes - self._used
        if count > left:
            remedy = "upload less, close a case or start with a larger limit"
            raise TooLargeError(
                str(input_error("more than the upload limit", f"at most {mb(left)} more in this session", remedy))
            )
        if count > shutil.disk_usage(self._folder).free:
            raise no_space()

    def take(self, count: int) -> None:
        """Count bytes that are about to be written; raises like check()."""
        with self._lock:
            self.check(count)
            self._used += count

    def give_back(self, count: int) -> None:
        """Bytes that were removed from the disk again."""
        with self._lock:
            self._used -= count


class Account:
    """What one upload has taken of the budget, and how many files it has."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.taken, self.files = budget, 0, 0

    def file(self) -> None:
        """Count one file more."""
        self.files += 1
        if self.files > self.budget.limits.files:
            raise too_many(self.budget.limits)

    def take(self, count: int, size: int) -> None:
        """Count bytes of a file that then has `size` of them."""
        if size > self.budget.limits.file_bytes:
            wanted = f"at most {mb(self.budget.limits.file_bytes)} in one file"
            raise TooLargeError(str(input_error("a file that is too large", wanted, "split or leave it out")))
        self.budget.take(count)
        self.taken += count

    def give_back(self, count: int | None = None) -> None:
        """Bytes whose file was removed; default: all."""
        count = self.taken if count is None else count
        self.budget.give_back(count)
        self.taken -= count


def too_many(limits: Limits) -> TooLargeError:
    return TooLargeError(
        str(input_error(f"more than {limits.files} files", "fewer in one upload", "upload one study at a time"))
    )


def no_space() -> NoSpaceError:
    remedy = "free some space, or start with its temporary files (TMPDIR) on another disk"
    return NoSpaceError(str(input_error("more than the disk has room for", "less", remedy)))


def mb(count: int) -> str:
    return f"{max(count, 0) / 1e6:.0f} MB" if count >= 1e6 else f"{max(count, 0) / 1e6:.3f} MB"
