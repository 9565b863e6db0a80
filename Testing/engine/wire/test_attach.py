"""A running engine that sessions attach to: one after the other, each with nothing of the other's; nobody without the
token; whichever side dies, the other one says so and goes on."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from DiffuFuseMedLib.engine.client.engine import EngineError
from DiffuFuseMedLib.engine.wire import attach, meeting, proof

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
    said = (b'{"token": "guess", "ask": true}\n', b"{}\n", b"hello\n", b'["token"]\n', b'{"word": 1}\n', b"x" * 5000)
    for words in said:
        with socket.create_connection((meeting.HOST, address.port), 10) as connection:
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            try:
                assert connection.recv(100) == b""
            except ConnectionResetError:
                continue  # it left what was said unread


def test_who_cannot_prove_the_token_gets_no_further_than_the_engines_word(running):
    address, word = meeting.look_up(), proof.new_word()
    for token, part in (("guess", proof.SESSION), (address.token, proof.ENGINE)):
        with socket.create_connection((meeting.HOST, address.port), 10) as connection:
            answer = attach._asked(connection, {"word": word})
            assert proof.is_proof(answer["proof"], address.token, proof.ENGINE, word, answer["word"])
            assert address.token not in json.dumps(answer)
            given = proof.proof(token, part, word, answer["word"])
            assert attach._asked(connection, {"proof": given, "ask": True}) == {}


@pytest.fixture
def stranger(meeting_place):
    """Another program on the port of an engine that was announced, with a way to answer; what it heard."""
    heard = []

    def listen(answer):
        server = socket.create_server((meeting.HOST, 0))
        made = meeting.announce(meeting.Address(server.getsockname()[1], "the secret token", os.getpid()))

        def serve():
            connection, _ = server.accept()
            # a session that goes away in the middle of an answer
            with suppress(ConnectionError), connection, connection.makefile("rb") as lines:
                connection.settimeout(10)
                for line in lines:
                    heard.append(line)
                    connection.sendall(answer(json.loads(line)))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        opened.append((server, made, thread))
        return heard

    opened = []
    yield listen
    for server, made, thread in opened:
        server.close()
        made.withdraw()
        thread.join(20)


ANSWERS = {
    "nothing it understands": lambda said: b"{}\n",
    "a welcome": lambda said: b'{"welcome": 1}\n',
    "what it was asked": lambda said: json.dumps({**said, "proof": said["word"]}).encode() + b"\n",
    "a proof of another token": lambda said: json.dumps(
        {"word": said["word"], "proof": proof.proof("guess", proof.ENGINE, said["word"], said["word"])}
    ).encode() + b"\n",
    "a list": lambda said: b"[1]\n",
    "noise without an end": lambda said: b"x" * 10_000,
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_stranger_on_an_old_port_gets_neither_token_nor_names(stranger, answer):
    heard = stranger(ANSWERS[answer])
    with pytest.raises(meeting.NoEngineError, match=r"another program|does not answer"):
        attach.connect({"folder": "/tmp/diffufusemed-engine-Doe", "quota_bytes": 1, "side": "s"})
    [said] = heard
    assert list(json.loads(said)) == ["word"]


@pytest.mark.parametrize("ends", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_the_address_of_an_engine_that_was_ended_is_nobodys_any_more(running, meeting_place, ends):
    there = meeting_place / meeting.FILE
    running.send_signal(ends)
    running.wait(120)
    assert there.exists()
    with pytest.raises(meeting.NoEngineError, match="No engine runs"):
        meeting.look_up()
    assert not there.exists()
    made = meeting.announce(meeting.Address(1, "token", os.getpid()))
    assert len(list(meeting_place.iterdir())) == 2  # nothing of the one before
    made.withdraw()
    assert list(meeting_place.iterdir()) == []


def test_an_engine_that_ends_leaves_the_address_of_the_one_after_it(meeting_place):
    first = meeting.announce(meeting.Address(1, "first", os.getpid()))
    second = meeting.announce(meeting.Address(2, "second", os.getpid()))
    first.withdraw()
    assert meeting.look_up().token == "second"
    second.withdraw()


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
    with pytest.raises(meeting.NoEngineError, match=r"folder for arrays|open to other users"):
        attach.connect({"folder": str(tmp_path / named), "quota_bytes": 1, "side": "s"})


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


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_command_serves_until_it_is_ended_and_leaves_nothing(meeting_place, ends):
    command = [Path(sys.executable).with_name("diffufusemed"), "engine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "runs" in process.stdout.readline()
        assert meeting.look_up().pid == process.pid
        process.send_signal(ends)
        try:
            assert process.wait(120) == 0
        finally:
            process.kill()
    assert list(meeting_place.iterdir()) == []
