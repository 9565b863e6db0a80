"""A file that is known to be on the disk: what the disk refuses, cuts off or changes is an OSError."""

import errno
import os
from pathlib import Path

import pytest
from DiffuFuseMedLib.core import whole_file
from DiffuFuseMedLib.core.whole_file import write_whole

from Testing.fixtures.full_disk import files_of_at_most


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 5000, "ä\n"])
def test_what_was_written_is_there(content, tmp_path):
    write_whole(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == (content.encode() if isinstance(content, str) else content)


def test_it_is_brought_to_the_disk_before_it_is_read_back(tmp_path, monkeypatch):
    brought = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: brought.append(os.fstat(descriptor).st_size))
    write_whole(tmp_path / "file", b"12345")
    assert brought == [5]


def test_the_disk_that_is_always_full_is_an_error():
    with pytest.raises(OSError, match="No space left on device"):
        write_whole(Path("/dev/full"), b"x")


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 9999])
def test_a_disk_that_takes_less_is_an_error(size, tmp_path):
    with files_of_at_most(size), pytest.raises(OSError, match="File too large"):
        write_whole(tmp_path / "file", b"x" * 10_000)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: b"y" + data[1:], lambda data: b""])
def test_a_disk_that_gives_back_something_else_is_an_error(change, tmp_path, monkeypatch):
    there = tmp_path / "file"
    monkeypatch.setattr(os, "fsync", lambda _: there.write_bytes(change(there.read_bytes())))
    with pytest.raises(OSError, match="reads back other than it was written"):
        write_whole(there, b"xxxx")


def test_a_disk_without_room_is_called_full(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.statvfs_result([0] * 10) and type("Disk", (), {"free": 100}))
    assert whole_file.not_whole(tmp_path / "file").errno == errno.ENOSPC
