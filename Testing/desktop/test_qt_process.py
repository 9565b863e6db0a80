"""The engine's process over QProcess, and the host's event loop: as their counterparts with threads."""

import sys
import threading
import time

import pytest

ECHO = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line.upper()); sys.stdout.buffer.flush()"


@pytest.fixture
def process(slicer_host):
    """A function (code): a QtProcess that runs Python code, its lines and its end, each in a list."""
    from DiffuFuseMedLib.desktop.qt_process import QtProcess

    made = []

    def start(code, environment=None):
        lines, ends = [], []
        child = QtProcess(
            [sys.executable, "-c", code],
            environment or {},
            lambda _child, line: lines.append(line),
            lambda _child, status, words: ends.append((status, words)),
            "s1-",
        )
        made.append(child)
        return child, lines, ends

    yield start
    for child in made:
        child.kill()
        child.wait(5)


def test_lines_come_back_whole_and_in_order(process, slicer_host):
    child, lines, _ = process(ECHO)
    for n in range(300):
        child.send(b"line %d\n" % n)
    assert slicer_host.process_events(until=lambda: len(lines) == 300, limit_s=120)
    assert lines == [b"LINE %d\n" % n for n in range(300)]
    assert child.usable and child.pid > 0


def test_pieces_of_a_line_are_put_together(process, slicer_host):
    parts = [b'{"a"', b": 1}", b"\nsecond\nthi", b"rd\n"]
    code = f"import os, time\nfor part in {parts!r}:\n os.write(1, part); time.sleep(0.1)"
    _, lines, ends = process(code)
    assert slicer_host.process_events(until=lambda: ends, limit_s=120)
    assert lines == [b'{"a": 1}\n', b"second\n", b"third\n"]


def test_the_end_tells_status_and_last_words(process, slicer_host):
    _, _, ends = process("import sys; sys.stderr.write('last words'); sys.exit(3)")
    assert slicer_host.process_events(until=lambda: ends, limit_s=120)
    assert ends == [(3, "last words\n")]


def test_a_killed_process_ends_by_a_signal_and_takes_no_more(process, slicer_host):
    child, _, ends = process("import time; time.sleep(60)")
    child.kill()
    assert child.wait(10)
    slicer_host.process_events(0.05)
    assert not child.usable
    assert len(ends) == 1
    assert ends[0][0] == -9 or sys.platform == "win32"
    child.send(b"too late\n")


def test_a_program_that_is_not_there_is_an_os_error(slicer_host):
    from DiffuFuseMedLib.desktop.qt_process import QtProcess

    with pytest.raises(OSError, match=r"."):
        QtProcess(["/no/such/python"], {}, print, print)


def test_the_environment_is_the_one_given(process, slicer_host):
    _, lines, ends = process(
        "import os; print(sorted(k for k in os.environ if k.startswith('ONLY')))", {"ONLY_THIS": "1"}
    )
    assert slicer_host.process_events(until=lambda: ends, limit_s=120)
    assert lines == [b"['ONLY_THIS']\n"]


@pytest.fixture
def qt_host(slicer_host):
    from DiffuFuseMedLib.desktop.qt_host import QtHost

    told = []
    made = QtHost(told.append)
    made.told = told
    yield made
    made.close()


def test_a_call_from_a_thread_runs_on_the_main_thread(qt_host, slicer_host):
    where = []
    threading.Thread(target=lambda: qt_host.post(lambda: where.append(threading.current_thread()))).start()
    assert slicer_host.process_events(until=lambda: where, limit_s=120)
    assert where == [threading.main_thread()]


def test_work_runs_beside_and_its_result_comes_back(qt_host, slicer_host):
    future = qt_host.work(lambda: threading.current_thread() is not threading.main_thread())
    assert slicer_host.process_events(until=future.done, limit_s=120)
    assert future.result() is True


def test_what_work_raises_is_its_futures(qt_host, slicer_host):
    future = qt_host.work(lambda: 1 / 0)
    assert slicer_host.process_events(until=future.done, limit_s=120)
    assert isinstance(future.exception(), ZeroDivisionError)


def test_later_waits_and_a_cancelled_timer_never_fires(qt_host, slicer_host):
    fired, start = [], time.monotonic()
    qt_host.later(0.15, lambda: fired.append(time.monotonic() - start))
    qt_host.later(0.05, lambda: fired.append("cancelled")).cancel()
    assert slicer_host.process_events(until=lambda: fired, limit_s=120)
    assert fired[0] >= 0.14
    slicer_host.process_events(0.1)
    assert len(fired) == 1


def test_what_a_call_raises_is_told_and_the_next_runs(qt_host, slicer_host):
    ran = []
    qt_host.post(lambda: 1 / 0)
    qt_host.post(lambda: ran.append(True))
    assert slicer_host.process_events(until=lambda: ran, limit_s=120)
    assert [type(error) for error in qt_host.told] == [ZeroDivisionError]


def test_nothing_runs_after_it_was_closed(qt_host, slicer_host):
    ran = []
    qt_host.later(0.01, lambda: ran.append("later"))
    qt_host.post(lambda: ran.append("posted"))
    qt_host.close()
    slicer_host.process_events(0.1)
    assert ran == []


def test_an_engine_over_qprocess_answers_and_is_killed_by_a_timer_of_qt(slicer_host, qt_host, quick_engine, tmp_path):
    """No thread of Python takes part: neither for reading nor for the patience of a cancel."""
    from DiffuFuseMedLib.desktop.qt_process import QtProcess
    from DiffuFuseMedLib.engine.client.engine import Engine

    before = threading.active_count()
    engine = Engine(folder=tmp_path, module="quick_server", spawn=QtProcess, later=qt_host.later)
    try:
        handle = engine.start()
        assert slicer_host.process_events(until=handle.done, limit_s=120)
        assert handle.result()["pid"] == engine.pid
        assert threading.active_count() == before
    finally:
        engine.close()
    assert list(tmp_path.glob("*/*.npy")) == []
