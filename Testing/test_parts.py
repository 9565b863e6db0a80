"""scripts/test.sh runs every test once, in parts, and fails when any part does."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAKE = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in *"$FAILS"*) exit "$STATUS" ;; esac
"""


@pytest.fixture(scope="module")
def parts():
    """The arguments for pytest of each part."""
    shown = subprocess.run(
        ["bash", ROOT / "scripts" / "test.sh", "pytest", "--show-parts"], capture_output=True, text=True, check=True
    )
    told = (line.split(": ", 1) for line in shown.stdout.splitlines())
    return {name: arguments.split() for name, arguments in told}


@pytest.fixture
def run(tmp_path):
    """A function (fails, status, lint): a run whose pytest ends so where its arguments hold this word, after the
    command that lints where there is one; status and calls."""
    (tmp_path / "pytest").write_text(FAKE, encoding="utf-8")
    (tmp_path / "pytest").chmod(0o755)

    def once(fails, status, lint=""):
        calls = tmp_path / "calls"
        told = os.environ | {"CALLS": str(calls), "FAILS": fails, "STATUS": str(status), "LINT": lint}
        command = ["bash", ROOT / "scripts" / "test.sh", tmp_path / "pytest", "-q"]
        ended = subprocess.run(command, env=told, capture_output=True, check=False)
        return ended.returncode, calls.read_text(encoding="utf-8").splitlines()

    return once


def test_everything_is_in_one_part_and_what_is_named_nowhere_in_the_rest(parts):
    named = [place for name, told in parts.items() if name != "rest" for place in told if not place.startswith("--")]
    assert len(named) == len(set(named)) and all((ROOT / place).exists() for place in named)
    assert parts["rest"] == ["Testing", *(f"--ignore={place}" for place in named)]
    for told in parts.values():
        inner = [place for place in named if any(place.startswith(f"{outer}/") for outer in told)]
        assert [place for place in told if place.startswith("--")] == [f"--ignore={place}" for place in inner] or (
            told == parts["rest"]
        )


def test_qt_vtks_windows_and_pytorch_have_processes_of_their_own(parts):
    assert parts["slicer"] == ["Testing/host", "Testing/desktop"]
    assert parts["browser"][0] == "Testing/web" and parts["reading"] == ["Testing/web/test_reading.py"]


def test_each_part_runs_once_with_the_options(run, parts):
    status, calls = run("none of them", 1)
    assert status == 0
    assert sorted(calls) == sorted(" ".join([*told, "-q"]) for told in parts.values())


@pytest.mark.parametrize("part", ["Testing/host", "Testing/cli", "Testing --ignore"])
def test_a_part_that_fails_fails_the_run_after_the_others_ran(run, parts, part):
    status, calls = run(part, 1)
    assert status != 0 and len(calls) == len(parts)


def test_a_part_of_which_nothing_was_chosen_is_no_failure(run):
    assert run("Testing/host", 5)[0] == 0


def test_what_lints_runs_beside_the_tests_and_fails_the_run_after_they_ran(run, parts, tmp_path):
    assert run("none of them", 1, f"touch {tmp_path / 'linted'}")[0] == 0
    assert (tmp_path / "linted").is_file()
    (tmp_path / "calls").unlink()
    status, calls = run("none of them", 1, "false")
    assert status != 0 and len(calls) == len(parts)


def test_an_interrupt_ends_all_three_lanes_and_begins_no_further_part(tmp_path):
    calls = tmp_path / "calls"
    waits = f'#!/usr/bin/env bash\necho "$*" >>"{calls}"\ntrap "exit 2" INT\nsleep 60 & wait\n'
    (tmp_path / "pytest").write_text(waits, encoding="utf-8")
    (tmp_path / "pytest").chmod(0o755)
    command = ["bash", ROOT / "scripts" / "test.sh", tmp_path / "pytest"]
    started = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        while not calls.is_file() or len(calls.read_text(encoding="utf-8").splitlines()) < 3:
            time.sleep(0.05)
        os.killpg(started.pid, signal.SIGINT)  # as a terminal does
        assert started.wait(30) != 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 3
