"""Unpack an archive from outside: nothing leaves its folder, nothing grows without bound, nothing but plain files."""

from __future__ import annotations

import lzma
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ...core.errors import InputError, input_error
from .limits import Account, TooLargeError, too_many
from .names import free_path, safe_path

_CHUNK = 2**20
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
_SPLIT = re.compile(r"[/\\]")


def unzip(archive: Path, folder: Path, account: Account) -> list[Path]:
    """Unpack into a new `folder`; archives inside stay packed. Returns the files in the archive's order.

    Raises InputError for what is unsafe, encrypted or broken and TooLargeError beyond the limits; what was written
    until then is left to the caller, who owns the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            growth = _Growth(archive.stat().st_size, account)
            _check(entries, growth)
            return [path for entry in entries if (path := _unpack(opened, entry, folder, growth))]
    except InputError:
        raise
    except _BROKEN as error:
        raise _refused("a zip archive that is damaged or of an unknown kind", "a whole one") from error


class _Growth:
    """How far an archive has grown, by what is really written: what it says about itself may be a lie."""

    def __init__(self, packed: int, account: Account) -> None:
        self.account, self.written = account, 0
        limits = account.budget.limits
        self._most = max(limits.zip_free_bytes, packed * limits.zip_ratio)

    def check(self, total: int) -> None:
        if total > self._most:
            wanted = f"one that grows at most {self.account.budget.limits.zip_ratio:.0f} times"
            raise TooLargeError(str(_refused("a zip archive that grows out of proportion", wanted)))

    def take(self, count: int, size: int) -> None:
        self.written += count
        self.check(self.written)
        self.account.take(count, size)


def _check(entries: list[zipfile.ZipInfo], growth: _Growth) -> None:
    """Refuse by the table of contents what need not be unpacked to be known."""
    if len(entries) > growth.account.budget.limits.files:
        raise too_many(growth.account.budget.limits)
    for entry in entries:
        _check_entry(entry)
    announced = sum(entry.file_size for entry in entries)
    growth.check(announced)
    growth.account.budget.check(announced)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    if name.startswith(("/", "\\")) or ".." in _SPLIT.split(name) or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise _refused("a zip archive with names that lead out of it", "names inside it only")
    if entry.flag_bits & 0x1:
        raise _refused("an encrypted zip archive", "one without a password")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _refused("a zip archive with links or devices in it", "plain files and folders")


def _unpack(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, growth: _Growth) -> Path | None:
    wanted = safe_path(entry.orig_filename)
    if wanted is None:
        return None
    growth.account.file()
    path = prepared(folder, wanted)
    size = 0
    with opened.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            growth.take(len(chunk), size)
            target.write(chunk)
    return path


def prepared(folder: Path, wanted: PurePosixPath) -> Path:
    """A free path for `wanted` inside folder, its parents made; raises InputError where one of them is a file."""
    path = free_path(folder, wanted)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused("a file and a folder of the same name", "different names") from error
    return path


def _refused(given: str, wanted: str) -> InputError:
    return input_error(given, wanted, "unpack it yourself and upload its files or folder")
