"""One benchmark at a time works in a folder."""

import errno
import os
import subprocess
import sys

import pytest
from DiffuFuseMedLib.benchmark import alone as module
from DiffuFuseMedLib.benchmark.alone import alone_in
from DiffuFuseMedLib.core.errors import InputError

HOLDER = """
import sys, time
from pathlib import Path
from DiffuFuseMedLib.benchmark.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("has it", flush=True)
    time.sleep(600)
"""


def test_another_process_is_refused_until_the_first_is_gone_however_it_went(tmp_path):
    folder = tmp_path / "out" / "jobs"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", HOLDER, folder], env=env, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline().strip() == b"has it"
        told = r"another benchmark is at work \(out\), .* wait until it is over"
        with pytest.raises(InputError, match=told), alone_in(folder):
            pytest.fail("two at once")
        holder.kill()
        holder.wait()
    with alone_in(folder):
        pass


def test_one_after_the_other_may_work_there(tmp_path):
    for _ in range(2):
        with alone_in(tmp_path / "jobs"):
            pass


def test_a_disk_that_knows_no_locks_lets_all_in(tmp_path, monkeypatch):
    def unknown(file):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(module, "_lock", unknown)
    with alone_in(tmp_path), alone_in(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    told, folder = "an output folder that cannot be written", tmp_path / "file" / "jobs"
    with pytest.raises(InputError, match=told), alone_in(folder):
        pytest.fail("it is no folder")
