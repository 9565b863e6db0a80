"""Nothing of a patient outlives its process for longer than to the next start."""

import os
import signal
import subprocess
import sys
import time

import pytest
from DiffuFuseMedLib.core.private_folder import JUST_MADE_S, PrivateFolder, sweep

OWNER = """
import sys, time
from pathlib import Path
from DiffuFuseMedLib.core.private_folder import PrivateFolder
folder = PrivateFolder(sys.argv[2], Path(sys.argv[1]))
(folder.path / "patient").write_bytes(b"Doe")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def an_owner(tmp_path):
    """A function of a prefix: a process with a private folder; it is killed at the end."""
    made = []

    def start(prefix):
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(tmp_path), prefix], stdout=subprocess.PIPE, text=True
        )
        made.append(process)
        process.folder = tmp_path / process.stdout.readline().strip()
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ends", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_the_next_start_of_any_part_removes_what_a_killed_one_left(ends, an_owner, tmp_path):
    living, dead = an_owner("diffufusemed-web-"), an_owner("diffufusemed-scene-")
    dead.send_signal(ends)
    dead.wait()
    assert (dead.folder / "patient").exists()
    with PrivateFolder("diffufusemed-engine-", tmp_path) as mine:
        assert not dead.folder.exists()
        assert (living.folder / "patient").exists()
        assert mine.path.stat().st_mode & 0o777 == 0o700
    assert not mine.path.exists()


def test_a_folder_without_a_lock_is_abandoned_once_it_is_not_just_being_made(tmp_path):
    folder = tmp_path / "diffufusemed-x"
    folder.mkdir()
    assert sweep(tmp_path, "diffufusemed-") == []
    long_ago = time.time() - JUST_MADE_S - 1
    os.utime(folder, (long_ago, long_ago))
    assert sweep(tmp_path, "diffufusemed-") == [folder]


def test_a_link_of_such_a_name_leads_nowhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lock").write_bytes(b"")
    (tmp_path / "diffufusemed-link").symlink_to(tmp_path / "elsewhere")
    assert sweep(tmp_path, "diffufusemed-") == []
    assert (tmp_path / "elsewhere" / "lock").exists()
