"""The session's private folder."""

import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.client.child import environment_for
from DiffuFuseMedLib.engine.wire import arrays
from DiffuFuseMedLib.engine.wire.arrays import ArrayFolder, SpaceError, sweep

OWNER = """
import sys, time
from pathlib import Path
from DiffuFuseMedLib.engine.wire.arrays import ArrayFolder
folder = ArrayFolder.create(Path(sys.argv[1]))
print(folder.path, flush=True)
time.sleep(100)
"""


@pytest.fixture
def folder(tmp_path):
    made = ArrayFolder.create(tmp_path, quota_bytes=100_000)
    yield made
    made.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def an_array():
    return np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_only_its_user_may_enter(folder):
    assert folder.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool", "float64"])
def test_an_array_arrives_as_it_was_and_its_file_goes(folder, an_array, dtype):
    reference = folder.write(an_array.astype(dtype))
    taken = folder.take(reference)
    np.testing.assert_array_equal(taken, an_array.astype(dtype))
    assert taken.dtype == dtype
    assert folder.names() == []


def test_a_mapped_array_stays_and_belongs_to_its_writer(folder, an_array):
    reference = folder.write(an_array)
    mapped = folder.map(reference)
    assert isinstance(mapped, np.memmap)
    mapped[:] = 0
    np.testing.assert_array_equal(folder.map(reference), an_array)


def test_noncontiguous_arrays_are_written_whole(folder, an_array):
    np.testing.assert_array_equal(folder.take(folder.write(an_array[:, ::2, ::-1])), an_array[:, ::2, ::-1])


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/passwd", "lock", "a/b.npy", "..\\b.npy", "", None])
def test_a_name_outside_of_the_folder_is_refused_and_not_removed(folder, tmp_path, an_array, name):
    np.save(tmp_path / "outside.npy", an_array)
    reference = {**folder.write(an_array), "$array": name}
    for read in (folder.map, folder.take):
        with pytest.raises(InputError, match="outside"):
            read(reference)
    assert (tmp_path / "outside.npy").is_file()
    assert (folder.path / "lock").is_file()
    (tmp_path / "outside.npy").unlink()


def test_what_is_not_as_announced_is_refused(folder, an_array):
    reference = folder.write(an_array)
    for change in ({"shape": [24]}, {"dtype": "<f8"}):
        with pytest.raises(InputError, match="another shape or type"):
            folder.map({**reference, **change})
    (folder.path / reference["$array"]).write_bytes(b"\x93NUMPY half")
    with pytest.raises(InputError, match="gone or damaged"):
        folder.map(reference)
    folder.discard(reference["$array"])
    with pytest.raises(InputError, match="gone or damaged"):
        folder.map(reference)


def test_objects_are_never_pickled(folder):
    with pytest.raises(TypeError, match="Python objects"):
        folder.write(np.array([{}], dtype=object))
    np.save(folder.path / "evil.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        folder.take({"$array": "evil.npy", "shape": [1], "dtype": "|O"})


def test_the_quota_holds_and_room_comes_back(folder):
    first = folder.write(np.zeros(60_000, np.uint8))
    with pytest.raises(SpaceError, match="quota"):
        folder.write(np.zeros(60_000, np.uint8))
    folder.discard(first["$array"])
    folder.write(np.zeros(60_000, np.uint8))


def test_a_write_that_the_system_breaks_off_leaves_nothing(folder):
    """A limit on the size of files fails like a full disk: in the middle of writing."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(SpaceError, match="disk"):
            folder.write(np.ones(50_000, np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert folder.names() == []


def test_a_batch_that_fails_takes_its_files_along(folder, an_array):
    kept = folder.write(an_array)
    with pytest.raises(ValueError, match="stop"), folder.batch() as names:
        names.append(folder.write(an_array)["$array"])
        raise ValueError("stop")
    assert folder.names() == [kept["$array"]]


def test_the_folder_of_a_killed_owner_is_swept_and_no_other(tmp_path, folder):
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment_for(sys.executable)) as owner:
        theirs = type(tmp_path)(owner.stdout.readline().decode().strip())
        assert sweep(tmp_path) == []
        owner.kill()
    assert theirs.is_dir()
    assert sweep(tmp_path) == [theirs]
    assert not theirs.exists()
    assert folder.path.is_dir()


def test_a_folder_that_is_just_being_made_is_left_alone(tmp_path, folder):
    young = tmp_path / f"{arrays.PREFIX}young"
    young.mkdir()
    assert sweep(tmp_path) == []
    os.utime(young, (0, 0))
    assert sweep(tmp_path) == [young]


def test_a_link_with_the_folders_name_is_not_followed(tmp_path, folder):
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "lock").touch()
    link = tmp_path / f"{arrays.PREFIX}link"
    link.symlink_to(target)
    assert sweep(tmp_path) == []
    assert (target / "lock").is_file()
    link.unlink()
    (target / "lock").unlink()
    target.rmdir()
