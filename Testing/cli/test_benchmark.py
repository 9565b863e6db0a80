"""`diffufusemed benchmark`: what it prints, what it refuses, and how it is stopped."""

import json
import time

import pytest
from DiffuFuseMedLib.benchmark import run
from DiffuFuseMedLib.benchmark.executor import LocalExecutor
from DiffuFuseMedLib.benchmark.jobs import Done, Job
from DiffuFuseMedLib.benchmark.suites import SUITES
from DiffuFuseMedLib.cli.benchmark import SuiteName
from DiffuFuseMedLib.cli.benchmark_progress import BenchmarkProgress
from DiffuFuseMedLib.cluster import executor
from DiffuFuseMedLib.models.registry import models_folder
from rich.console import Console


@pytest.fixture(scope="module")
def cases(tmp_path_factory, a_case, write_case):
    folder = tmp_path_factory.mktemp("cases")
    for name in ("a", "b"):
        write_case(a_case(name=name), folder / name)
    (folder / "split.json").write_text(json.dumps({"folds": [["a", "b"]]}))
    return folder


def test_the_suites_offered_are_those_that_there_are():
    assert [name.value for name in SuiteName] == list(SUITES)


def test_a_suite_is_printed_and_its_page_written(command, cases, tmp_path):
    options = ["--suite", "sts", "--out", tmp_path / "out", "--models", "tiny", "--samples", 1, "--cases", "a"]
    code, out, err = command("benchmark", cases, *options)
    assert code == 0
    assert "Table 1: segmentation" in out and "DiffuFuseMed (Ours): tiny" in out and "centre ellipsoid" in out
    assert out.splitlines()[-2:] == [str(tmp_path / "out" / f"sts.{end}") for end in ("html", "md")]
    assert "score" in err and "1/1" in err
    page = (tmp_path / "out" / "sts.md").read_text()
    told = f"diffufusemed benchmark {cases} --suite sts --out {tmp_path / 'out'} --models tiny --samples 1 --cases a"
    assert f"`{told}`" in page


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--suite", "none"], "Invalid value for '--suite'"),
        (["--suite", "sts", "--models", "none"], "the model 'none'"),
        (["--suite", "sts", "--models", "tiny", "--cases", "z"], "the case 'z', which is not in the folder"),
        (["--suite", "sts", "--models", "tiny", "--seeds", "one"], "--seeds 'one', wanted whole numbers"),
        (["--suite", "sts", "--models", "tiny", "--seeds", ","], "--seeds ',', wanted at least one"),
        (["--suite", "sts", "--models", "tiny", "--seeds", "0,-1"], "the seed -1, wanted one from 0 to 2147483647"),
        (["--suite", "sts", "--models", "tiny", "--seeds", "2147483648"], "the seed 2147483648, wanted one from 0"),
        (["--suite", "sts", "--models", ","], "--models ',', wanted at least one"),
        (["--suite", "sts", "--models", "tiny", "--cases", " , "], "--cases ' , ', wanted at least one"),
        (["--suite", "efficiency", "--processes", "2"], "--processes for the suite efficiency"),
        (["--suite", "efficiency", "--cluster", "local"], "--cluster for the suite efficiency"),
        (["--suite", "sts", "--cluster", "local", "--processes", "2"], "--processes with --cluster"),
        (["--suite", "fusion", "--minutes", "1"], "--minutes for the suite fusion"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(command, cases, tmp_path, options, sentence):
    code, _, err = command("benchmark", cases, "--out", tmp_path / "out", *options)
    assert code == 2
    assert sentence in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err and "time left" not in err
    assert not (tmp_path / "out").exists()


def test_jobs_go_to_a_cluster_with_the_folders_that_its_nodes_have_to_see(command, cases, tmp_path, monkeypatch):
    asked = {}

    class Here(LocalExecutor):
        def __init__(self, address, device, cores, folders, say):
            super().__init__()
            asked.update(address=address, device=device, cores=cores, folders=folders)

    monkeypatch.setattr(executor, "RayExecutor", Here)
    options = ["--suite", "sts", "--out", tmp_path / "out", "--models", "tiny", "--samples", 1, "--cases", "a"]
    code, out, _ = command("benchmark", cases, *options, "--cluster", "head:1", "--cores", 3, "--device", "cpu")
    assert code == 0 and "DiffuFuseMed (Ours): tiny" in out
    assert (asked["address"], asked["device"], asked["cores"]) == ("head:1", "cpu", 3)
    assert asked["folders"] == (cases.resolve(), (tmp_path / "out").resolve(), models_folder().resolve())


def test_an_out_that_is_a_file_is_refused_before_anything_is_computed(command, cases, tmp_path):
    (tmp_path / "out").write_text("")
    code, _, err = command("benchmark", cases, "--suite", "synthesis", "--out", tmp_path / "out")
    assert code == 2 and "--out that is a file" in err


def test_a_stop_says_what_is_kept_and_how_to_go_on(command, cases, tmp_path, monkeypatch):
    do, options = run.do, ["--suite", "sts", "--out", tmp_path / "out", "--models", "tiny", "--samples", 1]

    def stopped(job):
        if job.spec["case"] == "b":
            raise KeyboardInterrupt
        return do(job)

    monkeypatch.setattr(run, "do", stopped)
    code, _, err = command("benchmark", cases, *options)
    assert code == 130
    assert "Stopped: 1 of 4 planned jobs are done and kept; the same command goes on." in err
    assert not (tmp_path / "out" / "sts.html").exists()


def test_a_failure_is_printed_with_its_reason(command, cases, tmp_path, monkeypatch):
    def broken(job):
        raise RuntimeError("no luck")

    monkeypatch.setattr(run, "do", broken)
    code, out, _ = command("benchmark", cases, "--suite", "sts", "--out", tmp_path / "out", "--models", "tiny")
    assert code == 1
    for name in ("a", "b"):
        assert f"Failed: score, tiny, {name}, clean: RuntimeError: no luck" in out
        assert f"Failed: trivial, {name}: RuntimeError: no luck" in out
    assert (tmp_path / "out" / "sts.html").is_file()


def test_the_time_left_is_that_of_the_jobs_that_were_done_now(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    shown = BenchmarkProgress()
    jobs = [Job("score", {"n": n}) for n in range(5)]
    shown.announce([*jobs, Job("train", {})])
    shown.tell(Done(jobs[0], 1, seconds=50.0))  # kept from before: it took no time now
    assert shown.left(shown.kinds["score"]) is None
    for job in jobs[1:3]:
        now[0] += 10.0
        shown.tell(Done(job, 1, seconds=10.0))
    now[0] += 40.0
    shown.tell(Done(jobs[3], reason="no", seconds=40.0))
    assert shown.left(shown.kinds["score"]) == pytest.approx(20.0)  # one left, 60 s for three
    assert (shown.done, shown.total) == (4, 6)
    console = Console(width=100)
    with console.capture() as told:
        console.print(shown.table())
    row = next(line for line in told.get().splitlines() if "score" in line)
    assert "4/5" in row and "1" in row and "20 s" in row
    assert "not known yet" in told.get()
