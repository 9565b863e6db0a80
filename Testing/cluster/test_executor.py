"""A benchmark's jobs on a cluster come to what they come to here, and are done once."""

from collections import Counter
from pathlib import Path

import pytest
from DiffuFuseMedLib.benchmark.executor import LocalExecutor, run_jobs
from DiffuFuseMedLib.benchmark.jobs import Job, JobStore
from DiffuFuseMedLib.cluster import executor as module
from DiffuFuseMedLib.cluster.executor import RayExecutor
from DiffuFuseMedLib.cluster.work import Outcome

from Testing.benchmark import work


@pytest.fixture
def jobs(tmp_path):
    places = {"calls": str(tmp_path / "calls")}
    return [Job("square", {"number": n}, {"data": "ab"}, places) for n in range(1, 5)]


def test_jobs_on_a_cluster_come_to_the_same_once_and_who_dies_is_a_row(cluster, jobs, tmp_path):
    store, others = JobStore(tmp_path / "there"), RayExecutor(cluster.address, "cpu", folders=(tmp_path,))
    found = run_jobs(jobs, work.dies_at_three, others, store)
    assert [done.result for done in found] == [{"square": 1}, {"square": 4}, None, {"square": 16}]
    assert "ended before its time, twice" in found[2].reason
    here = run_jobs([jobs[0], jobs[1], jobs[3]], work.square, LocalExecutor(), JobStore(tmp_path / "here"))
    assert [done.result for done in here] == [found[n].result for n in (0, 1, 3)]
    assert Counter(Path(jobs[0].places["calls"]).read_text().split()) == {"1": 2, "2": 2, "4": 2}  # there and here
    assert run_jobs(jobs, work.square, RayExecutor("nowhere:1"), store) == found  # nothing is left to do, nor asked for


def test_a_worker_gets_the_cores_of_the_largest_job_and_failures_keep_their_words(jobs, monkeypatch):
    asked = []

    def outcomes(address, items, work, want, tell, say):
        asked.append((address, want))
        yield from (Outcome(job, work.do(None, job)) for job in items[:2])
        yield Outcome(items[2], reason="No node of the cluster is left.")

    monkeypatch.setattr(module, "outcomes_on", outcomes)
    wide = Job("square", {"number": 9}, {}, jobs[0].places, cores=6)
    folder = Path(jobs[0].places["calls"]).parent
    found = list(RayExecutor("head:1", "cuda", 2, (folder,)).run([jobs[0], jobs[2], wide], work.fails_at_three))
    assert asked == [("head:1", module.Want("cuda", 6, (folder,)))]
    assert [(done.job, done.result) for done in found] == [(jobs[0], {"square": 1}), (jobs[2], None), (wide, None)]
    assert found[1].reason == "Given a three, wanted another number: choose one."
    assert found[2].reason == "No node of the cluster is left."
