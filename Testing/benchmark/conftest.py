"""Jobs so small that only their keeping takes time."""

import json

import pytest
from DiffuFuseMedLib.benchmark.jobs import Done, Job, JobStore
from DiffuFuseMedLib.benchmark.request import Request
from DiffuFuseMedLib.benchmark.results import Results


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


@pytest.fixture(scope="module")
def a_cohort(tmp_path_factory, a_case, write_case):
    """A folder of three tiny patients in two folds, "b" and "c" held out; "b" is evaluated on a crop."""
    folder = tmp_path_factory.mktemp("cohort")
    for name in ("a", "b", "c"):
        write_case(a_case(name=name), folder / name)
    crops = {"b": {"start_kji": [1, 2, 3], "stop_kji": [11, 34, 30]}}
    (folder / "split.json").write_text(json.dumps({"folds": [["b", "c"], ["a"]], "crops": crops}))
    return folder


@pytest.fixture
def a_request(a_cohort, tmp_path, models, monkeypatch):
    """A function of overriding fields: the suite sts on the cohort with the tiny model and one sample."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))

    def make(**told):
        usual = {"suite": "sts", "cases": a_cohort, "out": tmp_path / "out", "models": ("tiny",), "samples": 1}
        return Request(**{**usual, **told})

    return make


@pytest.fixture
def results_of(a_request):
    """A function (scores, **told): Results of made-up scores, {method: {case: {condition: {metric: value}}}}, the first
    method ours; a method called "trivial ..." is one that no network is needed for."""

    def make(scores, request=None, done=(), systems=None, seen=None, paper_rows=None):
        jobs = [*done]
        for method, cases in scores.items():
            for case, conditions in cases.items():
                if method.startswith("trivial"):
                    jobs.append(Done(Job("trivial", {"case": case}), {method: conditions["clean"]}))
                    continue
                for condition, own in conditions.items():
                    spec = {"method": method, "seed": own.get("seed", 0), "case": case, "condition": condition}
                    result = {"scores": own, "gates": {}, "seconds": 1.0}
                    jobs.append(Done(Job("score", spec), result))
        known = systems or {m: "diffufusemed" if m == "ours" else "x" for m in scores if not m.startswith("trivial")}
        return Results(request or a_request(models=()), tuple(jobs), known, seen or {}, paper_rows or {})

    return make
