"""The child process from start to end: killed, hung, choked, crowded. Always one clear error, nothing left behind, and
the next request works. What is left behind is checked by the fixture `sessions`."""

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from DiffuFuseMedLib.engine.client import child, watch
from DiffuFuseMedLib.engine.client import engine as engine_module
from DiffuFuseMedLib.engine.client.engine import EngineError
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.engine.wire.arrays import ArrayFolder
from DiffuFuseMedLib.engine.wire.protocol import Failure, Progress, Result


def value(handle):
    return handle.result(120).image.flat[0]


def slices(engine, case_id, do="echo", view=None, progress=None, **settings):
    """A request in the live lane."""
    return engine.fuse_slice(case_id, "axial", 0, {"do": do, **settings}, view, progress=progress)


def volumes(engine, case_id, do="echo", progress=None, **settings):
    """A request in the lane of what is made meanwhile."""
    return engine.fuse_volume(case_id, {"do": do, **settings}, progress=progress)


class Told(queue.Queue):
    """A progress callback that a test waits for."""

    def __call__(self, *report):
        self.put(report)


def test_starts_only_with_the_first_request(a_session):
    assert a_session.pid is None
    assert a_session.start().result(120)["pid"] == a_session.pid
    assert psutil.pid_exists(a_session.pid)


def test_results_come_from_the_child_and_leave_no_file(a_session, an_open_case):
    held = set(a_session._arrays.names())
    assert value(slices(a_session, an_open_case, value=7)) == 7
    volume = volumes(a_session, an_open_case, value=8).result(120)
    assert (volume.image.flat[0], volume.timings) == (8, {"value": 8})
    assert set(a_session._arrays.names()) == held


def test_a_probe_is_asked_for_with_all_that_it_takes_and_leaves_no_file(a_session, an_open_case):
    held, lesion = set(a_session._arrays.names()), np.arange(24).reshape(2, 3, 4) % 2 == 0
    where = {"center_lps": np.array([1.0, -2.5, 3.0]), "lesion": lesion, "inpainter": "filler"}
    told = {"samples": 3, "seed": 7, "modalities": ("CT", "PET"), "device": "cpu"}
    found = a_session.probe(an_open_case, "drawer", "0", 20, 0.5, **where, **told).result(120)
    np.testing.assert_array_equal(found["mask"], lesion)
    wanted = {"synthesizer": "drawer", "model": "0", "diameter_mm": 20.0, "contrast": 0.5, "inpainter": "filler"}
    wanted |= {"center_lps": [1.0, -2.5, 3.0], **told, "modalities": ["CT", "PET"], "options": {}}
    assert found["asked"] == wanted
    assert a_session.probe(an_open_case, "drawer", "0", 20).result(120)["mask"] is None
    assert set(a_session._arrays.names()) == held


def test_a_probe_is_cancelled_between_its_steps_and_goes_before_what_nobody_waits_for(a_session, an_open_case, failure):
    told = Told()
    behind = volumes(a_session, an_open_case, "loop", seconds=0.5)
    handle = a_session.probe(an_open_case, "drawer", "60", 20, progress=told)
    told.get(timeout=120)
    assert not behind.done()
    handle.cancel()
    assert failure(handle).code == "cancelled"
    assert value(behind) == 0


def test_progress_tells_share_words_and_the_time_left(a_session, an_open_case):
    told = Told()
    volumes(a_session, an_open_case, "loop", told, seconds=0.6).result(120)
    reports = [told.get_nowait() for _ in range(told.qsize())]
    shares = [share for share, _, _ in reports]
    assert len(shares) > 3
    assert shares == sorted(shares)
    share, words, left = reports[-1]
    assert words.startswith("step ")
    assert 0 < left < 1.5 * (1 - share) + 0.5


def test_what_a_library_prints_does_not_reach_the_protocol(a_session, an_open_case):
    assert value(slices(a_session, an_open_case, "print", value=5)) == 5
    assert value(slices(a_session, an_open_case, value=6)) == 6


# Cancelling, at every stage


def test_a_running_request_is_cancelled_between_its_steps(a_session, an_open_case, failure):
    told = Told()
    handle = volumes(a_session, an_open_case, "loop", told, seconds=60)
    told.get(timeout=120)
    pid = a_session.pid
    assert handle.cancel()
    assert failure(handle).code == "cancelled"
    assert value(volumes(a_session, an_open_case, value=2)) == 2
    assert a_session.pid == pid


def test_a_queued_request_is_cancelled_before_it_runs(a_session, an_open_case, failure):
    running = slices(a_session, an_open_case, "loop", seconds=0.5, value=1)
    waiting = slices(a_session, an_open_case, view="other")
    waiting.cancel()
    assert failure(waiting).code == "cancelled"
    assert value(running) == 1


def test_a_request_that_does_not_stop_is_ended_with_the_child(a_session, an_open_case, failure):
    told = Told()
    handle = volumes(a_session, an_open_case, "hang", told)
    told.get(timeout=120)
    pid = a_session.pid
    handle.cancel(grace_s=0.3)
    assert failure(handle).code == "cancelled"
    assert value(slices(a_session, an_open_case, value=3)) == 3  # the case was opened again by itself
    assert a_session.pid != pid
    assert not psutil.pid_exists(pid)


def test_what_is_lost_with_a_request_that_did_not_stop_is_told(sessions, a_case, failure):
    ends = queue.Queue()
    engine = sessions(on_exit=ends.put)
    case_id, told = engine.open(a_case(), timeout=120), Told()
    hanging = volumes(engine, case_id, "hang", told)
    told.get(timeout=120)
    run = engine.segment(case_id, "loop", 600)
    hanging.cancel(grace_s=0.3)
    assert (failure(hanging).code, failure(run).code) == ("cancelled", "died")
    assert ends.get(timeout=120).code == "died"


def test_the_result_of_a_cancelled_request_is_thrown_away(a_session, an_open_case, failure):
    told, held = Told(), a_session._arrays.names()
    handle = volumes(a_session, an_open_case, "ignore", told, seconds=0.3)
    told.get(timeout=120)
    handle.cancel()
    assert failure(handle).code == "cancelled"
    assert a_session._arrays.names() == held


def test_cancelling_what_is_done_changes_nothing(a_session, an_open_case):
    handle = slices(a_session, an_open_case, value=4)
    assert value(handle) == 4
    assert not handle.cancel()
    assert value(handle) == 4


def test_opening_can_be_cancelled(a_session, a_case, failure):
    blocker = a_session.open(a_case())
    busy = slices(a_session, blocker, "loop", seconds=60)
    opening = a_session.start_open(a_case())
    files = len(a_session._arrays.names())
    opening.cancel()
    assert failure(opening).code == "cancelled"
    busy.cancel()
    failure(busy)
    assert len(a_session._arrays.names()) == files / 2
    assert value(slices(a_session, blocker, value=9)) == 9


def test_closing_a_case_stops_its_work_and_frees_its_files(a_session, an_open_case, failure):
    told = Told()
    handle = volumes(a_session, an_open_case, "loop", told, seconds=60)
    told.get(timeout=120)
    a_session.close_case(an_open_case).result(120)
    assert failure(handle).code == "cancelled"
    assert a_session._arrays.names() == []
    assert failure(slices(a_session, an_open_case)).code == "unknown_case"


def test_closing_the_session_fails_what_is_pending(a_session, an_open_case, failure):
    handle = volumes(a_session, an_open_case, "hang")
    a_session.close()
    assert failure(handle).code in ("closed", "cancelled")
    with pytest.raises(EngineError, match="closed"):
        slices(a_session, an_open_case)


# The newest wins


def test_of_a_drag_the_first_and_the_last_are_drawn(a_session, an_open_case, failure):
    told = Told()
    first = slices(a_session, an_open_case, "loop", progress=told, seconds=0.4, value=0)
    told.get(timeout=120)
    drag = [slices(a_session, an_open_case, value=i) for i in range(1, 30)]
    other = slices(a_session, an_open_case, value=-1, view="another")
    assert {failure(handle).code for handle in drag[:-1]} == {"superseded"}
    assert (value(first), value(drag[-1]), value(other)) == (0, 29, -1)


def test_a_newer_volume_stops_the_older(a_session, an_open_case, failure):
    told = Told()
    older = volumes(a_session, an_open_case, "loop", told, seconds=60)
    told.get(timeout=120)
    newer = volumes(a_session, an_open_case, value=1)
    assert failure(older).code == "superseded"
    assert value(newer) == 1


class Noted:
    """A progress callback that is looked at while the work goes on."""

    def __init__(self):
        self.reports = []

    def __call__(self, *report):
        self.reports.append(report)


def stands_still(noted, other, until):
    """Whether one goes no farther than the step that it was in, while the other goes ten steps."""
    assert until(lambda: other.reports)
    before, since = len(noted.reports), len(other.reports)
    assert until(lambda: len(other.reports) >= since + 10)
    return len(noted.reports) <= before + 1


ENDS = [(None, "loop", 20), ("cancelled", "loop", 600), ("internal", "fault", 1)]


@pytest.mark.parametrize(("end", "model", "samples"), ENDS)
def test_a_run_goes_before_a_volume_which_goes_on_where_it_stood(
    a_session, an_open_case, failure, until, end, model, samples
):
    refining, running = Noted(), Noted()
    volume = volumes(a_session, an_open_case, "loop", refining, seconds=2, value=7)
    assert until(lambda: refining.reports)
    run = a_session.segment(an_open_case, model, samples, 3, progress=running)
    assert model == "fault" or stands_still(refining, running, until)
    if end == "cancelled":
        run.cancel(grace_s=60)
    assert failure(run).code == end if end else run.result(120)["value"] == 3
    assert not volume.done()
    assert volume.result(120).timings["value"] == 7
    shares = [share for share, *_ in refining.reports]
    assert shares == sorted(shares)  # not begun anew


def test_a_search_behind_the_readers_back_stands_still_for_a_run_and_not_for_a_volume(a_session, an_open_case, until):
    searching, running = Noted(), Noted()
    search = a_session.segment(an_open_case, "loop", 10, 4, progress=searching, behind=True)
    assert until(lambda: searching.reports)
    run = a_session.segment(an_open_case, "loop", 600, progress=running)
    assert stands_still(searching, running, until)
    run.cancel()
    volume = volumes(a_session, an_open_case, "echo", value=5)
    assert search.result(120)["value"] == 4
    assert volume.result(120).timings["value"] == 5


def test_what_stands_still_is_cancelled_all_the_same(a_session, an_open_case, failure, until):
    refining, running = Noted(), Noted()
    volume = volumes(a_session, an_open_case, "loop", refining, seconds=60)
    assert until(lambda: refining.reports)
    run = a_session.segment(an_open_case, "loop", 600, progress=running)
    assert stands_still(refining, running, until)
    volume.cancel(grace_s=60)
    assert failure(volume).code == "cancelled"
    assert not run.done()


def test_a_slice_does_not_wait_for_a_volume(a_session, an_open_case, failure):
    told = Told()
    long = volumes(a_session, an_open_case, "loop", told, seconds=60)
    told.get(timeout=120)
    assert value(slices(a_session, an_open_case, value=1)) == 1
    assert not long.done()
    long.cancel()
    failure(long)


# The child dies


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_child_killed_in_the_middle_is_one_error_and_starts_anew(sessions, a_case, failure, until, how):
    ends = queue.Queue()
    engine = sessions(on_exit=ends.put)
    case_id, told = engine.open(a_case(), timeout=120), Told()
    handle = volumes(engine, case_id, "loop", told, seconds=60)
    told.get(timeout=120)
    pid = engine.pid
    os.kill(pid, how)
    error = failure(handle)
    assert error.code == "died"
    assert f"signal {int(how)}" in str(error)
    assert "nothing on the screen was lost" in str(error)
    assert ends.get(timeout=120).code == "died"
    assert until(lambda: engine.pid is None)
    assert value(slices(engine, case_id, value=3)) == 3
    assert engine.pid != pid
    assert ends.empty()


def test_a_child_that_ends_by_itself_leaves_its_last_words(a_session, an_open_case, failure):
    error = failure(slices(a_session, an_open_case, "crash"))
    assert (error.code, "status 3" in str(error)) == ("died", True)
    assert "the last words" in error.detail
    assert value(slices(a_session, an_open_case, value=3)) == 3


def test_half_a_result_of_a_killed_child_is_removed(a_session, an_open_case, failure):
    held = a_session._arrays.names()
    (a_session.folder / f"{a_session._child[0].side}0123.npy").write_bytes(b"half")
    failure(slices(a_session, an_open_case, "crash"))
    assert a_session._arrays.names() == held


def test_a_python_that_is_not_there_is_one_error(sessions, failure):
    with pytest.raises(EngineError, match="could not be started") as caught:
        sessions(python="/nowhere/python").start()
    assert caught.value.code == "unstarted"


def test_a_python_without_the_library_says_so(sessions, failure):
    error = failure(sessions(module="no_such_module").start())
    assert error.code == "died"
    assert "no_such_module" in error.detail


PARENT = """
import sys, time
from DiffuFuseMedLib.engine.client import Engine
engine = Engine(folder=sys.argv[1], module="echo_server")
engine.start().result(120)
print(engine.pid, flush=True)
{then}
"""


def run_parent(folder, then):
    """A host process with an open session; (process, pid of its child)."""
    code = PARENT.format(then=then)
    environment = child.environment_for(sys.executable)
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, env=environment)
    return process, int(process.stdout.readline())


FORK = "import os\nif not os.fork(): time.sleep(4); os._exit(0)\nprint('forked', flush=True)\ntime.sleep(60)"


@pytest.mark.parametrize("then", ["print('alone', flush=True)\ntime.sleep(60)", FORK], ids=["alone", "with a fork"])
def test_a_killed_parent_leaves_neither_child_nor_folder(tmp_path, echo_path, until, then):
    """A process that the parent forked holds the pipe open, so the end of stdin does not come."""
    parent, pid = run_parent(tmp_path, then)
    with parent:
        parent.stdout.readline()
        parent.kill()
    assert until(lambda: not psutil.pid_exists(pid))
    assert until(lambda: list(tmp_path.iterdir()) == [])


def test_a_forked_copy_of_the_parent_ends_without_taking_the_session_along(tmp_path, echo_path):
    then = "import os\nif not os.fork(): raise SystemExit\nos.wait()\n"
    then += "print(engine.start().result(120)['pid'], engine.folder.is_dir())"
    parent, pid = run_parent(tmp_path, then)
    with parent:
        assert parent.stdout.readline().decode().split() == [str(pid), "True"]


@pytest.mark.parametrize("end", ["pass", "raise SystemExit(3)", "del engine; time.sleep(0.1)"])
def test_a_parent_that_forgets_to_close_leaves_nothing(tmp_path, echo_path, end):
    parent, pid = run_parent(tmp_path, end)
    with parent:
        parent.wait(120)
    assert not psutil.pid_exists(pid)
    assert list(tmp_path.iterdir()) == []


def test_a_child_ends_with_its_stdin(tmp_path, echo_path):
    folder = ArrayFolder(tmp_path / "session")
    folder.path.mkdir()
    command = [sys.executable, "-m", "echo_server", "--folder", str(folder.path)]
    done = subprocess.run(
        command, input=b"", env=child.environment_for(sys.executable), capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    assert not folder.path.exists()


# Bad input, and too little of everything


GARBAGE = [b"garbage\n", b"\xff\xfe\x00\n", b"[]\n", b'{"kind":"segment"}\n', b"\n\n", b'{"kind":"hello","id":1}\n']


def test_garbage_on_stdin_is_answered_and_the_next_request_works(tmp_path, echo_path):
    command = [sys.executable, "-m", "echo_server", "--folder", str(tmp_path / "session")]
    lines = [
        *GARBAGE,
        b"x" * (protocol.LONGEST_LINE + 10) + b"\n",
        protocol.to_line(protocol.Hello(5, protocol.VERSION)),
    ]
    done = subprocess.run(
        command,
        input=b"".join(lines),
        env=child.environment_for(sys.executable),
        capture_output=True,
        timeout=120,
        check=False,
    )
    replies = [protocol.reply_from(line) for line in done.stdout.splitlines()]
    assert [r.code for r in replies[:-1]] == ["bad_request"] * 7  # the overlong line counts twice, the empty ones not
    assert isinstance(replies[-1], Result)
    assert replies[-1].value["version"] == protocol.VERSION


def test_another_version_is_refused_in_one_sentence(a_session, failure):
    error = failure(a_session._request({"kind": "hello", "version": 99}))
    assert error.code == "input"
    assert "install one version" in str(error)


# An engine that lives and does not answer


@pytest.fixture
def impatient(monkeypatch):
    """Looks after an engine many times a second."""
    monkeypatch.setattr(watch, "LOOK_S", 0.05)


def test_what_a_computation_raises_of_whatever_kind_is_an_answer_and_its_lane_goes_on(a_session, an_open_case, failure):
    assert failure(slices(a_session, an_open_case, "leave")).code == "internal"
    assert value(slices(a_session, an_open_case, value=3)) == 3


def test_a_deaf_engine_is_ended_and_the_next_one_works(a_session, an_open_case, failure, impatient, monkeypatch):
    first = a_session.pid
    psutil.Process(first).suspend()
    with monkeypatch.context() as deaf:  # no longer than that: the next one has to start first
        deaf.setattr(engine_module, "DEAF_S", 0.3)
        error = failure(slices(a_session, an_open_case))
    assert error.code == "died"
    assert value(slices(a_session, an_open_case, value=3)) == 3
    assert a_session.pid != first


def test_a_request_that_the_engine_has_lost_is_not_waited_for(a_session, an_open_case, failure, impatient, monkeypatch):
    running = a_session._child[0]
    with monkeypatch.context() as broken:
        broken.setattr(running, "send", lambda line: None)
        lost = slices(a_session, an_open_case)
    assert failure(lost).code == "died"
    assert value(slices(a_session, an_open_case, value=4)) == 4


def test_an_engine_at_long_work_is_left_alone(a_session, an_open_case, impatient):
    first = a_session.pid
    assert volumes(a_session, an_open_case, "ignore", seconds=1.2).result(120).timings == {"value": 1}
    assert a_session.pid == first


def test_an_engine_that_owes_nothing_is_not_asked(a_session, an_open_case, impatient, until):
    asked = next(a_session._numbers)
    assert until(lambda: a_session._watch._timer is None, 10)
    time.sleep(0.2)
    assert next(a_session._numbers) <= asked + 2


def test_running_out_of_memory_is_one_error(a_session, an_open_case, failure):
    error = failure(slices(a_session, an_open_case, "memory"))
    assert error.code == "out_of_memory"
    assert "close other programs" in str(error)
    assert value(slices(a_session, an_open_case, value=1)) == 1


def test_a_fault_is_one_sentence_with_its_detail(a_session, an_open_case, failure):
    error = failure(slices(a_session, an_open_case, "fault"))
    assert error.code == "internal"
    assert "ZeroDivisionError" in error.detail
    assert value(slices(a_session, an_open_case, value=1)) == 1


def test_a_case_in_another_state_keeps_its_id_and_a_new_child_gets_it_as_it_is_now(a_session, an_open_case, a_case):
    before = set(a_session._arrays.names())
    a_session.reopen(an_open_case, a_session.stage(a_case())).result(120)
    now = set(a_session._arrays.names())
    assert now and now.isdisjoint(before)
    os.kill(a_session.pid, signal.SIGKILL)
    a_session._child[0].wait(60)
    assert value(slices(a_session, an_open_case, value=3)) == 3
    assert set(a_session._arrays.names()) >= now


def test_a_request_that_is_not_served_is_one_error(a_session, an_open_case, failure):
    assert failure(a_session.replace_rois(an_open_case)).code == "bad_request"


def test_a_case_larger_than_the_quota_is_refused_whole(sessions, a_case):
    engine = sessions(quota_bytes=100_000)
    with pytest.raises(EngineError, match="larger quota") as caught:
        engine.open(a_case())
    assert caught.value.code == "no_space"
    assert engine._arrays.names() == []
    small = a_case((4, 8, 8))
    assert value(slices(engine, engine.open(small, timeout=120), value=1)) == 1


def test_a_result_that_fills_the_quota_is_one_error_and_leaves_nothing(sessions, a_case, failure):
    engine = sessions(quota_bytes=1_000_000)
    case_id = engine.open(a_case(), timeout=120)
    held = engine._arrays.names()
    error = failure(slices(engine, case_id, shape=(300, 400)))  # one of its two arrays fits
    assert error.code == "no_space"
    assert engine._arrays.names() == held
    assert value(slices(engine, case_id, value=1)) == 1


def test_a_disk_filled_by_others_is_one_error(a_session, an_open_case, a_case, monkeypatch, failure):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(EngineError, match="free on the disk"):
        a_session.open(a_case())
    monkeypatch.undo()
    assert value(slices(a_session, an_open_case, value=1)) == 1


# Several at once


def test_two_sessions_do_not_touch_each_other(sessions, a_case, failure):
    first, second = sessions(), sessions()
    cases = [engine.open(a_case(), timeout=120) for engine in (first, second)]
    handles = [
        slices(e, c, "loop", seconds=0.3, value=i) for i, (e, c) in enumerate(zip((first, second), cases, strict=True))
    ]
    assert [value(h) for h in handles] == [0, 1]
    assert first.folder != second.folder
    os.kill(first.pid, signal.SIGKILL)
    assert value(slices(second, cases[1], value=5)) == 5
    second.close()
    time.sleep(0.1)
    assert value(slices(first, cases[0], value=6)) == 6


def test_many_threads_may_ask_at_once(a_session, an_open_case):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(lambda i: value(slices(a_session, an_open_case, value=i, view=str(i))), range(60))
    assert list(asked) == list(range(60))


def test_an_event_driven_host_hears_every_reply(sessions, a_case):
    heard = queue.Queue()
    engine = sessions(on_reply=lambda handle, reply: heard.put((handle, reply)))
    opening = engine.start_open(a_case())
    handle = volumes(engine, opening.case_id, "loop", seconds=0.2)
    kinds = []
    while not kinds or kinds[-1] != (handle.id, Result):
        got, reply = heard.get(timeout=120)
        kinds.append((got.id, type(reply)))
        assert isinstance(reply, Progress) or got.done()
    assert (opening.id, Result) in kinds
    assert (handle.id, Progress) in kinds
    engine.close_case("no-such-case")
    assert isinstance(heard.get(timeout=120)[1], Failure)


def test_an_asyncio_host_awaits_a_handle(a_session, an_open_case):
    import asyncio

    async def ask():
        return await asyncio.wrap_future(slices(a_session, an_open_case, value=3).future)

    assert asyncio.run(ask()).image[0, 0] == 3


def test_a_broken_callback_does_not_end_the_conversation(sessions, a_case, caplog):
    engine = sessions(on_reply=lambda *_: 1 / 0)
    case_id = engine.open(a_case(), timeout=120)
    assert value(slices(engine, case_id, value=2)) == 2
    assert "could not be handed over" in caplog.text


# How the child finds the library


def test_another_python_is_spared_what_was_set_for_this_one(monkeypatch):
    for name in child.OF_ANOTHER_PYTHON:
        monkeypatch.setenv(name, "/slicer")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    other = child.environment_for("/usr/bin/another-python")
    assert not {"PYTHONHOME", "LD_LIBRARY_PATH"} & set(other)
    assert other["PYTHONPATH"] == str(child.ROOT)
    assert other["CUDA_VISIBLE_DEVICES"] == "0"
    assert child.environment_for(sys.executable)["PYTHONPATH"] == os.pathsep.join([str(child.ROOT), "/slicer"])


def test_site_packages_of_this_python_are_not_given_to_another(monkeypatch):
    monkeypatch.setattr(child, "ROOT", Path("/slicer/lib/site-packages"))
    assert "PYTHONPATH" not in child.environment_for("/usr/bin/another-python")


def test_the_client_needs_neither_torch_nor_monai():
    code = (
        "import sys; import DiffuFuseMedLib.engine.client, DiffuFuseMedLib.engine.server.server;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'monai', 'scipy', 'psutil'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child.environment_for(sys.executable),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "[]"
