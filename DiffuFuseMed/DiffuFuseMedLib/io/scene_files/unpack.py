"""The members of a .mrb, which is a zip, in a folder: bounded in number and bytes, none outside it, no links."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from ...core.errors import InputError, input_error
from .refusals import REMEDY, refused

MOST_MEMBERS = 5_000


def unpack_scene(path: Path, folder: Path, limit_bytes: int) -> Path:
    """Everything in folder; the .mrml. Raises InputError for what is no zip, is damaged, holds names outside itself or
    links, no .mrml or several, or unpacks to more than limit_bytes or the disk has room for."""
    if not path.is_file():  # a pipe, say, would be waited at for ever
        raise refused("a scene file that is missing or no plain file")
    with _refusing(), zipfile.ZipFile(path) as archive:
        _check_members(archive.infolist(), limit_bytes)
        if sum(member.file_size for member in archive.infolist()) > shutil.disk_usage(folder).free:
            raise input_error("a scene file larger than the free disk space", "room for it", "make room on the disk")
        archive.extractall(folder)  # checks each member's CRC, and stops at the announced size
    mrml = [p for p in folder.rglob("*") if p.suffix == ".mrml"]
    if len(mrml) != 1:
        raise refused(f"a scene file with {len(mrml)} .mrml files")
    return mrml[0]


def leaves(name: str) -> bool:
    """Whether a path, read the way of any operating system, leads out of the folder it is unpacked to, or is a URL."""
    kinds = (PurePosixPath(name), PureWindowsPath(name))
    return "://" in name or any(p.is_absolute() or p.drive or p.root or ".." in p.parts for p in kinds)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    # RuntimeError: a password; NotImplementedError: an unknown compression; both are zipfile's.
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile) as cause:
        raise refused("a file that is missing, damaged or no scene") from cause


def _check_members(members: list[zipfile.ZipInfo], limit_bytes: int) -> None:
    if len(members) > MOST_MEMBERS:
        raise refused(f"a scene file of {len(members)} files")
    if any(leaves(m.filename) for m in members):
        raise refused("a scene file with names outside itself")
    if any(stat.S_IFMT(m.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR) for m in members):
        raise refused("a scene file with links in it")
    size = sum(m.file_size for m in members)
    if size > limit_bytes:
        given = f"a scene file that unpacks to {size / 2**30:.1f} GiB"
        raise input_error(given, f"at most {limit_bytes / 2**30:.1f} GiB", REMEDY)
