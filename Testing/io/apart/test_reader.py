"""A process apart reads what is there, and nothing else: not other files, not more than it may, and no harm is done."""

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.apart import Limits, ReaderApart, child, landlock, messages
from DiffuFuseMedLib.io.apart import reader as r
from DiffuFuseMedLib.io.study import images_in, read_study

from Testing.fixtures.source_series import write_series

CASE = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"
on_linux = pytest.mark.skipif(landlock._version() < 1, reason="this system has no Landlock")


@pytest.fixture(scope="module")
def reader():
    """One whose next child is always there."""
    reader = ReaderApart()
    reader.start()
    yield reader
    reader.close()


@contextmanager
def apart(**limits):
    reader = ReaderApart(Limits(**limits))
    try:
        yield reader
    finally:
        reader.close()


def same(found, wanted):
    assert found.name == wanted.name and found.notes == wanted.notes and list(found.volumes) == list(wanted.volumes)
    for key, volume in wanted.volumes.items():
        np.testing.assert_array_equal(found.volumes[key].array, volume.array)
        assert found.volumes[key].array.dtype == volume.array.dtype
        assert found.volumes[key].grid == volume.grid
        assert found.volumes[key].meta == volume.meta


def test_the_real_case_is_the_same_from_apart(reader):
    (names, found), wanted = reader.folder(CASE, {}), read_study(CASE)
    assert names == images_in(CASE)
    same(found, wanted)
    np.testing.assert_array_equal(found.reference_mask.array, wanted.reference_mask.array)


def test_masks_of_several_annotators_come_from_apart(reader, tmp_path):
    for name, voxels in (("CT", 100), ("GTV_reader1", 3), ("GTV_reader2", 5)):
        array = np.linspace(-1000, 10, 120, dtype=np.float32).reshape(4, 5, 6)
        if name != "CT":
            array = (np.arange(120) < voxels).astype(np.uint8).reshape(4, 5, 6)
        sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / f"{name}.nii.gz"))
    found, wanted = reader.folder(tmp_path, {})[1], read_study(tmp_path)
    same(found, wanted)
    assert {name: mask.array.sum() for name, mask in found.references.items()} == {"reader 1": 3, "reader 2": 5}
    assert found.reference_mask is None


def test_a_dicom_series_is_the_same_from_apart_under_every_limit_that_linux_holds(reader, tmp_path):
    folder = write_series(tmp_path / "series")
    same(reader.folder(folder, {})[1], read_study(folder))
    if landlock._version():
        assert reader.held == ("memory", "time", "size", "folders")


def test_what_is_refused_is_refused_in_the_same_words(reader, tmp_path):
    (tmp_path / "CT.mha").write_bytes(b"NDims = -1\n")
    with pytest.raises(InputError) as here:
        read_study(tmp_path)
    with pytest.raises(InputError) as found:
        reader.folder(tmp_path, {})
    assert str(found.value) == str(here.value)


def test_a_scene_is_written_anew_by_the_process_apart_into_the_folder_that_it_is_given(reader, tmp_path):
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    sitk.WriteImage(image, str(tmp_path / "CT.nrrd"), True)
    folder, path = tmp_path / "folder", tmp_path / "a.mrb"
    folder.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/x.mrml", '<MRML><VolumeArchetypeStorage fileName="CT.nrrd"/><Model name="M"/></MRML>')
        archive.write(tmp_path / "CT.nrrd", "x/CT.nrrd")
    prepared = reader.scene(path, folder, 1 << 24)
    mrml = prepared.mrml
    assert prepared.left_out.endswith("not read: Model 'M'.")
    assert mrml.is_relative_to(folder)
    [written] = mrml.parent.glob("Data/*")
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(written))).ravel().tolist() == list(range(60))


@on_linux
def test_a_link_that_leads_out_of_the_folder_shows_nothing(reader, tmp_path):
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "CT.nii.gz").symlink_to(CASE / "CT.nii.gz")
    with pytest.raises(InputError, match="leads out of the folder"):
        reader.folder(folder, {})


PROBE = """
import json, os, pathlib, socket, sys
from DiffuFuseMedLib.io.apart.limits import Limits, impose
inside, scratch, outside = map(pathlib.Path, sys.argv[1:])
impose(Limits(written_bytes=1000), [inside], [scratch])
def tried(act):
    try:
        act()
    except Exception as error:
        return type(error).__name__
    return "done"
acts = {
    "read inside": lambda: (inside / "a").read_text(), "read outside": lambda: outside.read_text(),
    "list outside": lambda: os.listdir(outside.parent), "write inside": lambda: (inside / "b").write_text("b"),
    "write scratch": lambda: (scratch / "b").write_text("b"), "write much": lambda: (scratch / "c").write_bytes(bytes(2000)),
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), 1), "run": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "take memory": lambda: bytearray(20 << 30),
}
print(json.dumps({name: tried(act) for name, act in acts.items()}))
"""  # noqa: E501


@on_linux
def test_the_process_may_read_its_folder_and_write_its_own_and_nothing_else(tmp_path):
    inside, scratch, outside = tmp_path / "in", tmp_path / "scratch", tmp_path / "secret.txt"
    inside.mkdir()
    scratch.mkdir()
    (inside / "a").write_text("a")
    outside.write_text("secret")
    path = os.pathsep.join(p for p in sys.path if p)
    command = [sys.executable, "-c", PROBE, str(inside), str(scratch), str(outside)]
    said = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=True)
    assert json.loads(said.stdout) == {
        "read inside": "done", "read outside": "PermissionError", "list outside": "PermissionError",
        "write inside": "PermissionError", "write scratch": "done", "write much": "OSError",
        "connect": "PermissionError", "run": "PermissionError", "take memory": "MemoryError",
    }  # fmt: skip


@on_linux
def test_an_image_that_needs_more_memory_than_allowed_is_one_sentence(tmp_path):
    header = sitk.GetImageFromArray(np.zeros((2, 2, 2), np.uint8))
    sitk.WriteImage(header, str(tmp_path / "CT.nii"))
    head = bytearray((tmp_path / "CT.nii").read_bytes()[:352])
    head[42:48] = np.array([400, 400, 400], "<i2").tobytes()
    (tmp_path / "CT.nii.gz").write_bytes(gzip.compress(bytes(head) + bytes(400**3), 1))
    (tmp_path / "CT.nii").unlink()
    with apart(memory_bytes=100 << 20) as reader, pytest.raises(InputError, match="need more memory"):
        reader.folder(tmp_path, {})


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't start new thread"), RuntimeError("bad allocation")]
)
def test_no_memory_is_told_whoever_got_none(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setitem(child.KINDS, "images", fail)
    assert "need more memory" in child._answered({"kind": "images"})[0]["error"]


def test_who_takes_too_long_is_ended(tmp_path):
    with apart(wait_s=0.05) as reader, pytest.raises(InputError, match="take longer to read than allowed"):
        reader.folder(CASE, {})


def test_a_process_that_dies_is_one_sentence_and_the_next_one_reads(monkeypatch):
    with apart() as reader:
        monkeypatch.setattr(r, "CHILD", "antigravity.not_there")
        with pytest.raises(InputError, match="ended the process that read them"):
            reader.images(CASE)
        monkeypatch.undo()
        reader.close()
    with apart() as reader:
        assert reader.images(CASE) == images_in(CASE)


def test_no_process_and_no_folder_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    reader = ReaderApart()
    reader.start()
    waiting = reader._waiting
    reader.close()
    assert waiting.poll() is not None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        {}, {"name": "x", "notes": [], "keys": ["CT"], "volumes": [{"shape": [10**6] * 3, "dtype": "float32"}]},
        {"name": "x", "notes": [], "keys": ["CT"], "volumes": [{"shape": [2, 2, 2], "dtype": "object"}]},
        {"name": "x", "notes": [], "keys": ["CT"], "volumes": [{"shape": [-2, 2, 2], "dtype": "uint8"}]},
        {"name": "x", "notes": [], "keys": ["CT"], "volumes": [{"shape": [2, 2, 2], "dtype": "uint8"}]},
        {"name": "x", "notes": [], "keys": [], "volumes": "x"},
    ],
)  # fmt: skip
def test_an_answer_that_is_none_makes_nothing(words):
    with pytest.raises(messages.BrokenError):
        messages.study_of(words, BytesIO(b"1234"), 1 << 20)


@pytest.mark.parametrize("line", [b"", b"{", b"[]\n", b"\xff\xfe\n"])
def test_a_line_that_is_no_answer_is_none(line):
    with pytest.raises(messages.BrokenError):
        messages.received(BytesIO(line))


def test_the_limits_of_this_process_are_as_they_were():
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process is made to stand still here")
def test_what_is_stopped_ends_at_once_and_the_next_question_is_answered():
    """Who reads may wait for a disk, or be at work for minutes, when nobody wants the answer any more."""
    with apart() as reader:
        reader.start()
        os.kill(reader._waiting.pid, signal.SIGSTOP)
        ended = []

        def ask():
            with pytest.raises(InputError):
                reader.images(CASE)
            ended.append(True)

        asking = threading.Thread(target=ask)
        asking.start()
        assert wait_for(lambda: reader._reading) and not ended
        reader.stop()
        asking.join(60)
        assert ended and not reader._reading
        assert reader.images(CASE) == images_in(CASE)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the id of a parent that is gone")
def test_a_child_ends_with_the_one_that_asked_however_busy_it_is(monkeypatch):
    ended = []
    monkeypatch.setattr(child, "WATCH_S", 0.01)
    monkeypatch.setattr(os, "getppid", iter([7, 7, 1]).__next__)
    monkeypatch.setattr(os, "_exit", ended.append)
    child._watch(7)
    assert ended == [1]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()
