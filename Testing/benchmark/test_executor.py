"""Jobs are done once, whoever does them and however often it is begun again; a failure is a row, a stop is none."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from DiffuFuseMedLib.benchmark.executor import LocalExecutor, done_of, run_jobs
from DiffuFuseMedLib.benchmark.jobs import JobStore
from DiffuFuseMedLib.benchmark.pool import DIED

from Testing.benchmark import work

ROOT = Path(__file__).resolve().parents[2]
HERE, BESIDE = LocalExecutor(), LocalExecutor(2)


@pytest.mark.parametrize("executor", [HERE, BESIDE], ids=["here", "beside"])
def test_a_second_run_computes_nothing_and_gives_the_same(executor, jobs, calls, store):
    first = run_jobs(jobs(3), work.square, executor, store)
    assert [done.result for done in first] == [{"square": 1}, {"square": 4}, {"square": 9}]
    assert run_jobs(jobs(3), work.square, executor, store) == first
    assert sorted(calls()) == [1, 2, 3]


def test_only_what_is_new_is_computed(jobs, calls, store):
    run_jobs(jobs(2), work.square, HERE, store)
    found = run_jobs(jobs(4), work.square, HERE, store)
    assert calls() == [1, 2, 3, 4]
    assert [done.job.spec["number"] for done in found] == [1, 2, 3, 4]


def test_a_job_that_is_asked_for_twice_is_done_once(jobs, calls, store):
    assert len(run_jobs([*jobs(2), *jobs(2)], work.square, HERE, store)) == 4
    assert calls() == [1, 2]


@pytest.mark.parametrize("executor", [HERE, BESIDE], ids=["here", "beside"])
def test_a_job_that_fails_is_a_row_with_its_reason_and_costs_no_other(executor, jobs, calls, store):
    found = run_jobs(jobs(4), work.fails_at_three, executor, store)
    assert [done.failed for done in found] == [False, False, True, False]
    assert found[2].reason == "Given a three, wanted another number: choose one."
    assert sorted(calls()) == [1, 2, 4]


def test_a_job_that_failed_is_tried_again_only_when_asked(jobs, calls, store):
    run_jobs(jobs(3), work.fails_at_three, HERE, store)
    assert run_jobs(jobs(3), work.square, HERE, store)[2].failed
    assert calls() == [1, 2]
    assert run_jobs(jobs(3), work.square, HERE, store, retry=True)[2].result == {"square": 9}
    assert calls() == [1, 2, 3]


def test_what_was_known_and_what_is_new_is_told_as_it_comes(jobs, store):
    run_jobs(jobs(1), work.square, HERE, store)
    told = []
    run_jobs(jobs(3), work.square, HERE, store, tell=lambda done: told.append(done.job.spec["number"]))
    assert told == [1, 2, 3]


def test_any_other_exception_is_a_reason_on_one_line(jobs):
    def breaks(job):
        raise RuntimeError("two\nlines")

    assert done_of(jobs(1)[0], breaks).reason == "RuntimeError: two lines"


def test_a_result_that_is_no_plain_json_is_a_failure(jobs):
    assert "TypeError" in done_of(jobs(1)[0], lambda job: {"set": {1}}).reason
    assert done_of(jobs(1)[0], lambda job: {"dice": float("inf")}).result == {"dice": None}


def test_the_time_that_a_job_took_is_told(jobs, monkeypatch):
    now = iter([10.0, 12.5])
    monkeypatch.setattr("DiffuFuseMedLib.benchmark.executor.time.monotonic", lambda: next(now))
    assert done_of(jobs(1)[0], lambda job: 1).seconds == 2.5


def test_a_process_that_dies_costs_only_its_own_job(jobs, calls, store):
    found = run_jobs(jobs(4), work.dies_at_three, BESIDE, store)
    assert [done.reason for done in found] == ["", "", DIED, ""]
    assert [done.result for done in found if not done.failed] == [{"square": n * n} for n in (1, 2, 4)]


def test_what_was_done_before_a_stop_is_kept_and_the_rest_is_done_after_it(jobs, calls, store):
    def stopped(job):
        if job.spec["number"] == 3:
            raise KeyboardInterrupt
        return work.square(job)

    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs(4), stopped, HERE, store)
    assert [store.get(job) is not None for job in jobs(4)] == [True, True, False, False]
    assert not any(done.failed for done in run_jobs(jobs(4), work.square, HERE, store))
    assert calls() == [1, 2, 3, 4]


SCRIPT = """
    from DiffuFuseMedLib.benchmark.executor import LocalExecutor, run_jobs
    from DiffuFuseMedLib.benchmark.jobs import Job, JobStore
    from Testing.benchmark import work
    from pathlib import Path

    if __name__ == "__main__":
        jobs = [Job("square", {"number": n}, {}, {"calls": "calls"}) for n in range(1, 9)]
        try:
            run_jobs(jobs, work.slow, LocalExecutor(2), JobStore(Path("jobs")))
        except KeyboardInterrupt:
            print("stopped")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "a scheduler's", "kill"]
)
def test_a_stop_ends_the_processes_beside_it_and_begins_no_other_job(tmp_path, number):
    (tmp_path / "go.py").write_text(textwrap.dedent(SCRIPT))
    path = os.pathsep.join([str(ROOT), str(ROOT / "DiffuFuseMed")])
    process = subprocess.Popen(
        [sys.executable, "go.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    begun = lambda: len((tmp_path / "calls").read_text().split()) if (tmp_path / "calls").exists() else 0  # noqa: E731
    until = time.monotonic() + 60
    while begun() < 2 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    if number == signal.SIGTERM:  # as `timeout` does
        time.sleep(0.02)
        process.send_signal(number)
    out, err = process.communicate(timeout=60)  # the pipes close once the processes beside it have ended too
    assert "Traceback" not in err
    assert (out, process.returncode) == (("stopped\n", 0) if number != signal.SIGKILL else ("", -signal.SIGKILL))
    assert begun() == 2
    assert not JobStore(tmp_path / "jobs").folder.exists()
