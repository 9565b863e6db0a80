"""Engines in a folder of their own that must leave nothing behind."""

import os
import time
from pathlib import Path

import psutil
import pytest
from DiffuFuseMedLib.engine.client.engine import Engine, EngineError

HERE = Path(__file__).resolve().parent


def wait_until(condition, seconds=120.0):
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture(scope="session")
def until():
    return wait_until


@pytest.fixture(scope="session")
def failure():
    """A function (handle): the EngineError that it ends with."""

    def of(handle, timeout=120):
        with pytest.raises(EngineError) as caught:
            handle.result(timeout)
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return caught.value

    return of


@pytest.fixture
def echo_path(monkeypatch):
    """A child started by a test finds echo_server."""
    told = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *([told] if told else [])]))


@pytest.fixture
def sessions(tmp_path, echo_path):
    """A function (**options): an Engine on the echo server. Afterwards no process and no file of it may be left."""
    engines, processes = [], {p.pid for p in psutil.Process().children(recursive=True)}
    folder = tmp_path / "sessions"
    folder.mkdir()

    def start(**options):
        engines.append(Engine(**{"folder": folder, "module": "echo_server", **options}))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()

    def left():
        return [p for p in psutil.Process().children(recursive=True) if p.pid not in processes]

    assert wait_until(lambda: not left()), left()
    assert list(folder.iterdir()) == []


@pytest.fixture
def a_session(sessions):
    return sessions()


@pytest.fixture
def an_open_case(a_session, a_case):
    """Its id in a_session."""
    return a_session.open(a_case(), timeout=120)
