"""The whole benchmark on tiny networks: twice is once, a stop costs nothing, a failure is told."""

import shutil

import pytest
from DiffuFuseMedLib.benchmark import run as module
from DiffuFuseMedLib.benchmark.alone import alone_in
from DiffuFuseMedLib.benchmark.executor import LocalExecutor
from DiffuFuseMedLib.benchmark.run import run_benchmark
from DiffuFuseMedLib.core.errors import InputError, input_error

HERE = LocalExecutor()


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch):
    """test_figures.py draws: here it would take most of the time."""
    for name in ("figures", "sheet_figure"):
        monkeypatch.setattr(f"DiffuFuseMedLib.benchmark.{name}.png", lambda figure: b"png")


@pytest.fixture
def done_now(monkeypatch):
    """Kinds of the jobs that were really done, in order."""
    done, do = [], module.do

    def noted(job):
        done.append(job.kind)
        return do(job)

    monkeypatch.setattr(module, "do", noted)
    return done


def test_a_second_run_computes_nothing_and_gives_the_same_page(a_request, done_now):
    request = a_request(names=("c",))
    first, files = run_benchmark(request, HERE, "command")
    page = files[1].read_text()
    assert done_now == ["score", "trivial"]
    second, _ = run_benchmark(request, HERE, "command")
    assert done_now == ["score", "trivial"]
    assert second.rows == first.rows
    same = lambda text: [line for line in text.splitlines() if not line.startswith("- made")]  # noqa: E731
    assert same(files[1].read_text()) == same(page)
    assert "| DiffuFuseMed (Ours): tiny |" in page and "| centre ellipsoid |" in page


def test_another_suite_takes_what_is_there(a_request, done_now):
    run_benchmark(a_request(names=("c",)), HERE, "")
    run_benchmark(a_request(names=("c",), suite="missing"), HERE, "")
    assert done_now == ["score", "trivial", *["score"] * 10]


def test_what_was_done_before_a_stop_is_not_done_again(a_request, done_now, monkeypatch):
    do = module.do

    def stopped(job):
        if job.kind == "trivial":
            raise KeyboardInterrupt
        return do(job)

    monkeypatch.setattr(module, "do", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(a_request(names=("c",)), HERE, "")
    monkeypatch.setattr(module, "do", do)
    run_benchmark(a_request(names=("c",)), HERE, "")
    assert done_now == ["score", "trivial"]


def test_a_failed_job_is_a_row_of_the_page_and_tried_again_when_asked(a_request, monkeypatch):
    do = module.do

    def failing(job):
        if job.kind == "score":
            raise input_error("a model that is broken", "another", "mend it")
        return do(job)

    monkeypatch.setattr(module, "do", failing)
    request = a_request(names=("c",))
    results, files = run_benchmark(request, HERE, "")
    assert [d.reason for d in results.failed] == ["Given a model that is broken, wanted another: mend it."]
    assert "| score | tiny | c | clean | Given a model that is broken" in files[1].read_text()
    monkeypatch.setattr(module, "do", do)
    assert run_benchmark(request, HERE, "")[0].failed
    results, files = run_benchmark(request, HERE, "", retry=True)
    assert not results.failed and "Jobs that failed" not in files[1].read_text()


def test_jobs_are_announced_before_they_are_told(a_request):
    told = []
    run_benchmark(
        a_request(names=("c",)), HERE, "",
        announce=lambda jobs: told.append([job.kind for job in jobs]), tell=lambda done: told.append(done.job.kind),
    )  # fmt: skip
    assert told == [[], ["score", "trivial"], "score", "trivial"]


def test_a_model_that_was_taken_away_is_trained_again(a_request, models, monkeypatch):
    trained, request = [], a_request(names=("c",), minutes=1.0, models=("sts-segresnet",))
    do = module.do

    def training(job):
        if job.kind != "train":
            return do(job)
        trained.append(job.spec["recipe"])
        shutil.copytree(models / "tiny", request.out / "models" / "tiny", dirs_exist_ok=True)
        return {"folder": "models/tiny", "record": module_fingerprint(request)}

    monkeypatch.setattr(module, "do", training)
    results, _ = run_benchmark(request, HERE, "")
    run_benchmark(request, HERE, "")
    assert trained == ["sts-segresnet"] and results.systems == {"tiny": "diffufusemed"}
    shutil.rmtree(request.out / "models")
    run_benchmark(request, HERE, "")
    assert trained == ["sts-segresnet"] * 2


def module_fingerprint(request):
    from DiffuFuseMedLib.benchmark.jobs import fingerprint_of

    return fingerprint_of(request.out / "models" / "tiny" / "model.json")


def test_patients_that_a_model_was_trained_on_are_told(a_request, a_cohort, tmp_path, models):
    shutil.copytree(a_cohort / "c", tmp_path / "cases" / "trained_on")
    results, files = run_benchmark(a_request(cases=tmp_path / "cases"), HERE, "")
    assert results.seen == {"tiny": 1}
    assert "tiny was trained on 1 of these patients." in files[1].read_text()


def test_of_those_a_model_was_trained_on_only_who_is_scored_counts(a_request, a_cohort, tmp_path):
    shutil.copytree(a_cohort / "c", tmp_path / "cases" / "c")
    shutil.copytree(a_cohort / "c", tmp_path / "cases" / "trained_on")
    (tmp_path / "cases" / "trained_on" / "GTV.nii.gz").unlink()
    results, files = run_benchmark(a_request(cases=tmp_path / "cases"), HERE, "")
    assert results.seen == {"tiny": 0} and results.patients == 1
    assert "was trained on" not in files[1].read_text()


def test_without_trained_networks_the_rows_of_synthesis_say_so(a_request):
    _, files = run_benchmark(a_request(suite="synthesis", names=("c",)), HERE, "")
    page = files[1].read_text()
    assert "The rows with synthetic cases" in page and "| U-Net w/ Diff4MMLiTS |  | 77.41 |" in page
    assert "| c |" in page.split("Dice, %, by lesion")[1]


def test_while_another_one_works_in_the_folder_nothing_is_begun(a_request, done_now):
    request = a_request(names=("c",))
    with alone_in(request.out / module.JOBS), pytest.raises(InputError, match="another benchmark is at work"):
        run_benchmark(request, HERE, "")
    assert done_now == []
    run_benchmark(request, HERE, "")
    assert done_now == ["score", "trivial"]


@pytest.mark.parametrize("told", [{"names": ("z",)}, {"models": ("none",)}, {"suite": "fusion"}])
def test_a_request_that_is_refused_leaves_nothing_behind(a_request, told):
    request = a_request(**told)
    with pytest.raises(InputError):
        run_benchmark(request, HERE, "")
    assert not request.out.exists()
