"""One file written so that it is known to be on the disk: closed, brought there (fsync), read back and compared."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

FULL_BYTES = 2**16  # a disk with less room than this is full


def write_whole(path: Path, content: bytes | str) -> None:
    """Write the file. Raises OSError when the disk refuses it, takes less, or gives back anything else."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").digest()
    if path.stat().st_size != len(data) or found != hashlib.sha256(data).digest():
        raise not_whole(path)


def not_whole(path: Path) -> OSError:
    """For a file that is not what was written; a library that wrote it may have kept the disk's refusal to itself."""
    if shutil.disk_usage(path.parent).free < FULL_BYTES:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return OSError(errno.EIO, "what the disk took reads back other than it was written")
