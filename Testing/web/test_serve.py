"""Starting where nothing can be rendered: one sentence, at once, and no process left behind."""

import os
import sys

import psutil
import pytest

MAIN = "from DiffuFuseMedLib.cli import main; main()"


@pytest.fixture
def started(tmp_path):
    """A function (environment): `diffufusemed web` as it ended; (status, what it said, processes that it left)."""

    def run(**environment):
        command = [sys.executable, "-c", MAIN, "web", "--no-browser", "--presets", str(tmp_path)]
        path = os.pathsep.join(p for p in sys.path if p)
        output = tmp_path / "output.txt"
        with output.open("w") as file:
            marked = {**os.environ, "PYTHONPATH": path, "STARTED_BY": str(tmp_path), **environment}
            process = psutil.Popen(command, env=marked, stdout=file, stderr=file)
            status = process.wait(300)
        return status, " ".join(output.read_text().split()), [p for p in psutil.process_iter() if _marked(p, tmp_path)]

    return run


def _marked(process, mark):
    try:
        return process.environ().get("STARTED_BY") == str(mark)
    except psutil.Error:
        return False


def test_without_a_driver_it_says_what_to_install_and_leaves_no_engine(started):
    status, said, left = started(__EGL_VENDOR_LIBRARY_FILENAMES="/nowhere/driver.json")
    assert status not in (0, None)
    assert "nothing can be rendered" in said and "apt-get install -y libegl1 libgl1-mesa-dri" in said
    assert "Traceback" not in said and "token=" not in said
    psutil.wait_procs(left, timeout=60)
    assert [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
