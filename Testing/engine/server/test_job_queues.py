"""Queues: the newest wins, a stop reaches what waits and what runs, and later work waits for what prepares it."""

import threading
from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.engine.server.job_queues import Job, JobQueue


class Record:
    """Lanes whose jobs run until let go; what happened to each, in order."""

    def __init__(self):
        self.told, self.gates, self.started = [], {}, {}

    def job(self, name, held=False, **options):
        self.gates[name], self.started[name] = threading.Event(), threading.Event()
        if not held:
            self.gates[name].set()
        return Job(SimpleNamespace(name=name), **options)

    def run(self, job):
        name = job.request.name
        self.started[name].set()
        while not self.gates[name].wait(0.01) and not job.cancel():
            pass
        self.told.append((name, job.stopped or "done"))

    def refuse(self, job):
        self.told.append((job.request.name, job.stopped))


@pytest.fixture
def record():
    return Record()


@pytest.fixture
def queue(record):
    made = JobQueue("test", record.run, record.refuse)
    made.start()
    return made


@pytest.fixture
def busy(record, queue):
    """A job that runs until its gate is opened."""
    job = record.job("first", held=True, key=("slice", "red"))
    queue.submit(job)
    assert record.started["first"].wait(5)
    return job


def test_only_the_newest_of_a_view_is_run(record, queue, busy):
    for name in ("second", "third", "fourth"):
        queue.submit(last := record.job(name, key=("slice", "red")))
    record.gates["first"].set()
    assert last.done.wait(5)
    assert sorted(record.told) == [
        ("first", "done"),
        ("fourth", "done"),
        ("second", "superseded"),
        ("third", "superseded"),
    ]
    assert record.told[-1] == ("fourth", "done")


def test_other_views_and_jobs_without_a_key_are_left_alone(record, queue, busy):
    jobs = [record.job("green", key=("slice", "green")), record.job("x"), record.job("y")]
    for job in jobs:
        queue.submit(job)
    record.gates["first"].set()
    assert jobs[-1].done.wait(5)
    assert record.told == [("first", "done"), ("green", "done"), ("x", "done"), ("y", "done")]


def test_the_running_one_is_stopped_only_when_asked(record, queue, busy):
    queue.submit(record.job("second", key=("slice", "red")))
    assert busy.stopped is None
    queue.submit(last := record.job("third", key=("slice", "red")), stop_running=True)
    assert last.done.wait(5)
    assert record.told == [("second", "superseded"), ("first", "superseded"), ("third", "done")]


def test_a_stop_says_where_it_found_the_job(record, queue, busy):
    queue.submit(record.job("second"))
    assert queue.stop(lambda job: job.request.name == "second") == "queued"
    assert queue.stop(lambda job: job.request.name == "first") == "running"
    assert busy.done.wait(5)
    assert record.told == [("second", "cancelled"), ("first", "cancelled")]
    assert queue.stop(lambda job: True) == "unknown"


def test_work_waits_for_what_prepares_it_in_the_other_lane(record, queue, busy):
    other = JobQueue("other", record.run, record.refuse)
    other.start()
    other.submit(last := record.job("segment", after=busy))
    assert not record.started["segment"].wait(0.2)
    record.gates["first"].set()
    assert last.done.wait(5)
    assert record.told == [("first", "done"), ("segment", "done")]


def test_what_waits_for_its_preparation_can_be_stopped(record, queue, busy):
    other = JobQueue("other", record.run, record.refuse)
    other.start()
    other.submit(last := record.job("segment", after=busy))
    while other.stop(lambda job: True) == "unknown":
        pass
    assert last.done.wait(5)
    assert record.told == [("segment", "cancelled")]


def test_a_lane_is_idle_when_nothing_waits_or_runs(record, queue, busy):
    assert not queue.idle.is_set()
    record.gates["first"].set()
    assert queue.idle.wait(5)


def test_a_job_that_cannot_be_answered_does_not_end_its_lane():
    ran = []

    def run(job):
        ran.append(job.request.name)
        if job.request.name == "first":
            raise SystemExit

    lane = JobQueue("test", run, lambda job: None)
    lane.start()
    jobs = [Job(SimpleNamespace(name=name)) for name in ("first", "second")]
    for job in jobs:
        lane.submit(job)
    assert all(job.done.wait(10) for job in jobs)
    assert ran == ["first", "second"]


def test_a_lane_tells_what_it_owes(queue, record):
    held, waiting = record.job("held", held=True), record.job("waiting")
    queue.submit(held)
    queue.submit(waiting)
    assert record.started["held"].wait(10)
    assert queue.owed() == [held, waiting]
    record.gates["held"].set()
    assert waiting.done.wait(10)
    assert waiting not in queue._queue
