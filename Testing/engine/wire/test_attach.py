"""A running engine that sessions attach to: one after the other, each with nothing of the other's; nobody without the
token; whichever side dies, the other one says so and goes on."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from DiffuFuseMedLib.engine.client.engine import EngineError
from DiffuFuseMedLib.engine.wire import meeting

HERE = Path(__file__).resolve().parent
ATTACH = "DiffuFuseMedLib.engine.wire.attach"


@pytest.fixture
def meeting_place(tmp_path, monkeypatch):
    monkeypatch.setenv(meeting.FOLDER, str(tmp_path / "meeting"))
    return tmp_path / "meeting"


@pytest.fixture
def running(meeting_place, echo_path):
    """The process of a running engine."""
    process = subprocess.Popen([sys.executable, HERE.parent / "echo_listener.py"], stdout=subprocess.PIPE, text=True)
    assert int(process.stdout.readline()) == process.pid
    yield process
    process.kill()
    process.wait(120)
    process.stdout.close()


@pytest.fixture
def attached(running, sessions):
    """A function: a session at the running engine."""
    return lambda **options: sessions(module=ATTACH, **options)


def picture(engine, case_id, **settings):
    return engine.fuse_slice(case_id, "axial", 0, settings).result(120).image.flat[0]


def refusal(engine):
    """What a session is told that cannot attach: the end of its process, and the last words."""
    with pytest.raises(EngineError) as caught:
        engine.start().result(120)
    assert caught.value.code == "died"
    return caught.value.detail


def test_a_session_is_served_by_the_running_engine(running, attached, a_case):
    engine = attached()
    assert engine.start().result(120)["pid"] == running.pid != engine.pid
    case_id = engine.open(a_case(), timeout=120)
    assert picture(engine, case_id, value=7) == 7


def test_the_address_is_the_users_alone_and_goes_with_the_engine(running, meeting_place):
    assert stat.S_IMODE(meeting_place.stat().st_mode) == 0o700
    assert stat.S_IMODE((meeting_place / meeting.FILE).stat().st_mode) == 0o600
    assert meeting.look_up().pid == running.pid


def test_a_place_that_others_can_enter_is_not_trusted(running, attached, meeting_place):
    meeting_place.chmod(0o755)
    assert "open to other users" in refusal(attached())
    meeting_place.chmod(0o700)


def test_nobody_is_answered_without_the_token(running):
    address = meeting.look_up()
    for words in (b'{"token": "guess", "ask": true}\n', b"{}\n", b"hello\n", b'["token"]\n', b"x" * 5000):
        with socket.create_connection((meeting.HOST, address.port), 10) as connection:
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            try:
                assert connection.recv(100) == b""
            except ConnectionResetError:
                continue  # it left what was said unread


def test_a_second_session_is_told_why_not_and_served_after_the_first(running, attached, until):
    first = attached()
    first.start().result(120)
    assert "another session" in refusal(attached())
    first.close()
    second = attached()
    assert until(lambda: second.start().future.exception(120) is None)


def test_a_session_that_is_gone_leaves_no_case_to_the_next(running, attached, a_case, until):
    first = attached()
    case_id = first.open(a_case(), timeout=120)
    os.kill(first.pid, signal.SIGKILL)  # the session's side of it, without a goodbye
    assert until(lambda: first.pid is None)
    first.close()
    second = attached()
    assert until(lambda: second.start().future.exception(120) is None)
    with pytest.raises(EngineError) as caught:
        picture(second, case_id)
    assert caught.value.code == "unknown_case"


def test_an_engine_that_is_killed_fails_what_it_owed_and_says_how_to_start_one(running, attached, a_case, until):
    ends = []
    engine = attached(on_exit=ends.append)
    case_id = engine.open(a_case(), timeout=120)
    handle = engine.fuse_volume(case_id, {"do": "loop", "seconds": 60})
    os.kill(running.pid, signal.SIGKILL)
    with pytest.raises(EngineError) as caught:
        handle.result(120)
    assert caught.value.code == "died"
    assert "running engine has ended" in caught.value.detail
    assert until(lambda: ends)
    assert "diffufusemed engine" in refusal(engine)


def test_a_run_is_cancelled_and_the_next_one_works(running, attached, a_case):
    engine = attached()
    case_id = engine.open(a_case(), timeout=120)
    handle = engine.fuse_volume(case_id, {"do": "loop", "seconds": 60})
    assert handle.cancel()
    with pytest.raises(EngineError, match="cancel"):
        handle.result(120)
    assert picture(engine, case_id, value=3) == 3


@pytest.mark.parametrize("named", ["/", "elsewhere", "diffufusemed-engine-not-there", "diffufusemed-engine-open"])
def test_a_folder_that_is_no_sessions_is_refused(running, tmp_path, named):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "diffufusemed-engine-open").mkdir()
    (tmp_path / "diffufusemed-engine-open").chmod(0o755)  # others could read the images in it
    address = meeting.look_up()
    greeting = {"token": address.token, "folder": str(tmp_path / named), "quota_bytes": 1, "side": "s"}
    with socket.create_connection((meeting.HOST, address.port), 10) as connection:
        connection.sendall(json.dumps(greeting).encode() + b"\n")
        assert b"refused" in connection.recv(1000)


def test_without_an_engine_one_is_told_how_to_start_it(meeting_place, sessions):
    assert "diffufusemed engine" in refusal(sessions(module=ATTACH))


def test_asking_says_whether_one_answers(running):
    def asked():
        command = [sys.executable, "-m", ATTACH, "--ask"]
        return subprocess.run(
            command, cwd=HERE.parents[2] / "DiffuFuseMed", capture_output=True, text=True, check=False
        )

    assert asked().returncode == 0
    running.kill()
    running.wait(120)
    assert asked().returncode == 1
    assert "diffufusemed engine" in asked().stderr


def test_attaching_needs_nothing_but_pythons_own_library():
    code = (
        "import sys; import DiffuFuseMedLib.engine.wire.attach as _; "
        "print([m for m in sys.modules if m in ('numpy', 'torch')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE.parents[2] / "DiffuFuseMed", capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_the_command_serves_until_it_is_interrupted(meeting_place):
    command = [Path(sys.executable).with_name("diffufusemed"), "engine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "runs" in process.stdout.readline()
        assert meeting.look_up().pid == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    assert list(meeting_place.iterdir()) == []
