"""Jobs so small that only their keeping takes time."""

import pytest
from DiffuFuseMedLib.benchmark.jobs import Job, JobStore


@pytest.fixture
def store(tmp_path):
    return JobStore(tmp_path / "jobs")


@pytest.fixture
def calls(tmp_path):
    """A function that tells which numbers work was called with, in order."""
    path = tmp_path / "calls"

    def told():
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    told.path = path
    return told


@pytest.fixture
def jobs(calls):
    """A function (count): jobs whose numbers are 1 to count."""
    places = {"calls": str(calls.path)}
    return lambda count: [Job("square", {"number": n}, {"data": "ab"}, places) for n in range(1, count + 1)]
