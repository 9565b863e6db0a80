"""Files appear together or not at all, whatever raises, refuses or is killed in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.staging import PREFIX, NotSavedError, settle, staged

from Testing.fixtures.full_disk import tree

OLD = {"a.txt": b"old a", "b.txt": b"old b", "mine.txt": b"not of the set"}
NEW = {"a.txt": b"new a", "b.txt": b"new b", "c.txt": b"new c"}


@pytest.fixture
def out(tmp_path):
    """A folder with an earlier set in it."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name, content in OLD.items():
        (folder / name).write_bytes(content)
    return folder


def write(folder, files=NEW):
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_a_set_takes_the_place_of_the_one_before_and_leaves_other_files_alone(out):
    with staged(out) as folder:
        write(folder)
        assert OLD.items() <= tree(out).items()
    assert tree(out) == {**OLD, **NEW}


def test_the_rest_of_the_set_before_goes_with_it(out):
    with staged(out, replacing=["b.txt", "never there.txt"]) as folder:
        write(folder, {"a.txt": b"new a"})
    assert tree(out) == {"a.txt": b"new a", "mine.txt": b"not of the set"}


def test_a_folder_that_was_not_there_is_made_and_goes_again_when_nothing_is_saved(tmp_path):
    with staged(tmp_path / "x" / "y") as folder:
        write(folder)
    assert tree(tmp_path / "x" / "y") == NEW
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "p" / "q") as folder:
        write(folder)
        raise ZeroDivisionError
    assert not (tmp_path / "p").exists()


def test_what_raises_leaves_everything_as_it_was(out):
    with pytest.raises(ZeroDivisionError), staged(out, replacing=["b.txt"]) as folder:
        write(folder)
        raise ZeroDivisionError
    assert tree(out) == OLD


def test_only_this_user_may_look_at_what_is_being_written(out):
    with staged(out) as folder:
        assert folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", range(1, 8))
def test_a_disk_that_refuses_any_one_step_leaves_everything_as_it_was(out, number, monkeypatch):
    """Steps: two old files aside, one rename of the set, three new ones in; the seventh is never reached."""
    real, count = Path.replace, iter(range(1, 100))

    def refusing(self, target):
        if next(count) == number:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    if number > 5:
        with staged(out) as folder:
            write(folder)
        assert tree(out) == {**OLD, **NEW}
        return
    with (
        pytest.raises(NotSavedError, match=r"\(Input/output error\).*what was there is as it was"),
        staged(out) as there,
    ):
        write(there)
    assert tree(out) == OLD


def test_what_the_system_cannot_bring_to_the_disk_is_not_put_in_place(out, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotSavedError, match="No space left on device"), staged(out) as folder:
        write(folder)
    assert tree(out) == OLD


def test_a_folder_of_the_name_of_a_file_is_not_touched(out):
    (out / "c.txt").mkdir()
    (out / "c.txt" / "keep").write_bytes(b"")
    with pytest.raises(InputError, match=r"c\.txt is a folder there"), staged(out) as folder:
        write(folder)
    assert tree(out) == {**OLD, "c.txt/keep": b""}


KILLED = """
import os, signal, sys
from pathlib import Path
from DiffuFuseMedLib.core.staging import staged
real, left = Path.replace, [int(sys.argv[2])]
def killing(self, target):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.replace = killing
with staged(Path(sys.argv[1])) as folder:
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_bytes(b"new " + name[:1].encode())
"""


@pytest.mark.parametrize("number", range(1, 6))
def test_who_writes_next_ends_what_a_killed_one_began(out, number):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(out), str(number)], check=False)
    assert killed.returncode == -signal.SIGKILL
    seen = {name for name, content in tree(out).items() if "/" not in name and content == NEW.get(name)}
    kept = {name for name, content in tree(out).items() if "/" not in name and content == OLD[name] and name in NEW}
    assert not (seen and kept), "new files beside old ones of the set"
    with staged(out) as folder:
        write(folder, {"d.txt": b"d"})
    assert tree(out) == ({**OLD, "d.txt": b"d"} if number <= 2 else {**OLD, **NEW, "d.txt": b"d"})


def test_what_another_process_is_writing_now_is_left_alone(out):
    with staged(out) as first:
        write(first)
        with staged(out) as second:
            write(second, {"d.txt": b"d"})
        assert tree(first) == NEW
    assert tree(out) == {**OLD, **NEW, "d.txt": b"d"}


def test_what_a_killed_process_left_can_be_ended_without_writing(tmp_path):
    left = tmp_path / f"{PREFIX}dead"
    (left / "ready").mkdir(parents=True)
    (left / "lock").touch()
    (left / "ready" / "a").write_bytes(b"whole")
    settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    settle(tmp_path / "nowhere")
