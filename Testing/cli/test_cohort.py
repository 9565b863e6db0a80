"""`diffufusemed run --cohort`: every case of a folder has its results or its reason, here and without Ray."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.cli import cohort as cohort_module
from DiffuFuseMedLib.cli import console
from DiffuFuseMedLib.cluster import connection

OPTIONS = ["--model", "tiny", "--samples", 1, "--no-fusion"]


@pytest.fixture
def cohort(tmp_path, write_case, a_case):
    """A folder with two cases and, between them in the order of names, one without an image."""
    for name in ("a", "c"):
        write_case(a_case(name=name), tmp_path / "cohort" / name)
    (tmp_path / "cohort" / "b").mkdir()
    return tmp_path / "cohort"


def row_of(name, stdout):
    (line,) = [line for line in stdout.splitlines() if line.startswith(f"│ {name} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_bad_case_is_a_row_with_its_reason_and_the_others_have_their_results(command, cohort, tmp_path):
    code, told, errors = command("run", cohort, "--out", tmp_path / "out", "--cohort", *OPTIONS)
    assert code == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "c"}
    measured = json.loads((tmp_path / "out" / "a" / "prediction.json").read_text())
    row = row_of("a", told)
    assert float(row[1]) == round(measured["measures"]["volume_ml"]["value"])
    assert float(row[2]) == round(measured["scores"]["dice"], 3)
    assert row[5] == ""
    assert row_of("b", told)[5].startswith("Given ")
    assert f"2 of 3 cases in {tmp_path / 'out'}" in told
    assert "a:\n" in errors


def test_a_cohort_of_good_cases_ends_with_nought_and_each_is_as_if_run_alone(command, cohort, tmp_path):
    (cohort / "b").rmdir()
    shutil.rmtree(cohort / "a")
    code, *_ = command("run", cohort, "--out", tmp_path / "out", "--cohort", *OPTIONS)
    alone, *_ = command("run", cohort / "c", "--out", tmp_path / "alone", *OPTIONS)
    assert (code, alone) == (0, 0)
    for name in ("segmentation.seg.nrrd", "probability.nrrd", "uncertainty.nrrd"):
        assert (tmp_path / "out" / "c" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


def test_a_model_that_there_is_not_ends_the_run_before_any_case(command, cohort, tmp_path):
    code, told, errors = command("run", cohort, "--out", tmp_path / "out", "--cohort", "--model", "none")
    assert (code, told) == (2, "")
    assert "the model 'none'" in errors
    assert not (tmp_path / "out").exists()


def test_a_stop_tells_what_was_done_and_what_was_not(command, cohort, tmp_path, monkeypatch):
    def stopped_at_c(case, out, *_):
        if case.name == "c":
            raise KeyboardInterrupt
        out.mkdir()
        (out / "report.html").touch()
        lesion = SimpleNamespace(volume_ml=SimpleNamespace(value=7.0))
        return SimpleNamespace(prediction=lesion, scores=None, count=1)

    monkeypatch.setattr("DiffuFuseMedLib.cli.cohort.run_case", stopped_at_c)
    code, told, _ = command("run", cohort, "--out", tmp_path / "out", "--cohort", *OPTIONS)
    assert code not in (0, 2)
    assert row_of("c", told)[5] == "not done"
    assert row_of("a", told)[1:3] == ["7", ""]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "b"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "cohort/out"], "an --out inside the cohort"),
        (["--out", "out", "--dicom-series", "."], "--dicom-series"),
    ],
    ids=["out", "series"],
)
def test_what_cannot_be_meant_is_refused(command, cohort, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    code, _, errors = command("run", cohort, "--cohort", *OPTIONS, *options)
    assert code == 2
    assert words in errors


def test_without_ray_a_cluster_is_refused_with_what_to_install(command, cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    code, _, errors = command("run", cohort, "--out", tmp_path / "out", "--cluster", "local", *OPTIONS)
    assert code == 2
    assert "pip install 'DiffuFuseMedLib[cluster]'" in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_what_a_node_tells_of_a_case_has_what_the_run_said(monkeypatch):
    def run_case(case, out, asked, tools):
        console.err_console.print("WARNING: doubtful")
        volume = SimpleNamespace(volume_ml=SimpleNamespace(value=12.5))
        return SimpleNamespace(prediction=volume, scores={"dice": 0.9}, count=7)

    monkeypatch.setattr(cohort_module, "run_case", run_case)
    told = cohort_module._told(Path("cohort"), Path("out"), None, None, "a")
    assert told == cohort_module.Told(12.5, 0.9, 7, "WARNING: doubtful\n")
