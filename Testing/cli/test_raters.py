"""`diffufusemed evaluate --raters`: the paper's layout, its figures beside ours, and whose masks they are against."""

import csv
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.benchmark.papers.caldiff import LIDC, MS, TABLE_1, TABLE_2, paper_row
from DiffuFuseMedLib.cli.raters import (
    beside_table,
    mean_and_sd,
    paper_tables,
    score_raters,
    significance_table,
    with_readers,
)
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from rich.console import Console

OURS = {"s_ncc": 0.5, "d_max": 0.75, "ci": 0.25, "ged2": 0.125}


def rows(method, readers="4 simulated readers", **others):
    return [{"method": method, "case": f"case {n}", "readers": readers, **OURS, **others} for n in (1, 2)]


def printed(table):
    text = StringIO()
    Console(width=300, file=text).print(table)
    return text.getvalue()


def line(text, start):
    return next(part for part in text.splitlines() if part.lstrip("│ ").startswith(start))


def cells(row):
    return row.replace("│", " ").split()


def a_record(system, **config):
    return SimpleNamespace(system=system, config=config, id="x")


@pytest.mark.parametrize(
    ("record", "row"),
    [
        (a_record("caldiff"), "CalDiff"),
        (a_record("caldiff", step_uc=True, consecutive=1), "Step-UC"),
        (a_record("caldiff", step_uc=False, consecutive=3), "Seq-UC, S = 3"),
        (a_record("caldiff", step_uc=False, consecutive=1), "SegDiff"),
        (a_record("prob_unet"), "Prob U-Net"),
        (a_record("phiseg"), "PHiSeg"),
        (a_record("unet"), ""),
        (a_record("diffufusemed", step_uc=True), ""),
    ],
)
def test_a_model_stands_beside_its_row_of_the_paper(record, row):
    assert paper_row(record) == row
    assert not row or row in TABLE_1[LIDC] or row in TABLE_2[MS]


def test_the_papers_figures_stand_in_the_second_column():
    (table,) = paper_tables([*rows("sts-caldiff"), *rows("centre ellipsoid")], {"sts-caldiff": "CalDiff"}, LIDC)
    text = printed(table)
    assert "Table I: here against 4 simulated readers on 2 cases; paper on LIDC-IDRI" in text
    assert cells(line(text, "CalDiff: sts-caldiff"))[2:] == [
        *("0.5000±0.00", "0.8857±0.07", "0.7500±0.00", "0.9019±0.08"),
        *("0.2500±0.00", "0.8171±0.16", "0.1250±0.00", "0.2240±0.18"),
    ]
    assert cells(line(text, "CIMD"))[1:] == [
        "0.8688±0.08",
        "0.8811±0.11",
        "0.7955±0.19",
        "0.2413±0.21",
    ]
    assert "0.5000±0.00" in line(text, "centre ellipsoid")


def test_ablations_make_the_second_table():
    named = {"sts-caldiff": "CalDiff", "sts-caldiff-s3": "Seq-UC, S = 3"}
    first, second = paper_tables([*rows("sts-caldiff"), *rows("sts-caldiff-s3")], named, MS)
    assert "sts-caldiff-s3" not in printed(first)
    text = printed(second)
    assert "Table II" in text and "paper on MS-MRI" in text
    assert "0.7266±0.14" in line(text, "Seq-UC, S = 3: sts-caldiff-s3")
    assert "0.7602±0.11" in line(text, "CalDiff: sts-caldiff")


def test_a_measure_that_some_cases_lack_says_so():
    found = [*rows("a")[:1], {**rows("a")[1], "s_ncc": float("nan")}]
    assert mean_and_sd(found, "s_ncc") == "0.5000±0.00 (1 of 2)"
    assert mean_and_sd(found, "nll") == ""


def test_what_else_was_measured_names_the_readers():
    text = printed(beside_table(rows("a", "4 readers", hm_iou=0.75)))
    assert "Also, against 4 readers" in text
    assert "HM-IoU" in text and "CRPS" not in text


@pytest.fixture
def refused(command):
    def run(*arguments):
        code, _, err = command(*arguments)
        assert code == 2
        return " ".join(err.split())

    return run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--simulated-readers", 4], "--simulated-readers without --raters"),
        (["--raters", "--paper", "brats"], "--paper 'brats', wanted one of lidc, ms"),
        (["--raters", "--corruptions"], "--raters with --corruptions"),
        (["--raters"], "without several annotators"),
        (["--raters", "--simulated-readers", 1], "--simulated-readers 1, wanted two or more"),
    ],
)
def test_options_that_do_not_go_together_are_refused(refused, a_real_folder, tmp_path, options, words):
    folder = a_real_folder.parent
    assert words in refused("evaluate", folder, "--csv", tmp_path / "t.csv", "--model", "tiny", *options)


def test_evaluate_prints_the_papers_layout(command, a_real_folder, tmp_path):
    table = tmp_path / "raters.csv"
    options = ["--model", "tiny", "--samples", 2, "--raters", "--simulated-readers", 3]
    code, out, _ = command("evaluate", a_real_folder.parent, "--csv", table, *options, "--markdown", tmp_path / "t.md")
    assert code == 0
    assert "Table I: here against 3 simulated readers on 1 case; paper" in out
    assert "0.8857±0.07" in line(out, "CalDiff")
    assert "simulated readers" in (tmp_path / "t.md").read_text(encoding="utf-8")
    with table.open() as file:
        written = list(csv.DictReader(file))
    assert {row["readers"] for row in written} == {"3 simulated readers"}
    assert {"tiny", "majority of the readers", "centre ellipsoid"} <= {row["method"] for row in written}
    assert all(0 <= float(row["d_max"]) <= 1 for row in written)
    assert float(written[0]["ece"]) >= 0


def test_where_there_are_real_readers_none_are_simulated(capsys):
    grid = Grid((6, 6, 6), (2.0, 2.0, 2.0))
    mask = Volume(np.pad(np.ones((2, 2, 2), np.uint8), 2), grid)
    one = Case("one", grid, "CT", {}, {}, reference_mask=mask)
    real = replace(one, name="real").with_references({"reader 1": mask, "reader 2": mask})
    assert [list(case.references) for case in with_readers([one, real], 2, 0)] == [
        ["simulated reader 1", "simulated reader 2"],
        ["reader 1", "reader 2"],
    ]
    told = capsys.readouterr().err
    assert told == "Note: 1 of 2 cases (real is the first) are compared with their own readers.\n"
    with_readers([one], 2, 0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("dims", "by_slice"), [((2, 2), True), ((2, 3), False)])
def test_the_trivial_rows_are_by_slice_where_every_model_is(monkeypatch, dims, by_slice):
    """Rows of one table are of one kind; with a model of volumes beside it they are of volumes."""
    asked = []
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.raters.evaluate_raters", lambda *_: [])
    monkeypatch.setattr(
        "DiffuFuseMedLib.tasks.segment.raters.trivial_raters", lambda _, by_slice: asked.append(by_slice) or []
    )
    networks = [SimpleNamespace(config=SimpleNamespace(spatial_dims=n)) for n in dims]
    models = [SimpleNamespace(record=SimpleNamespace(id="x", patients=()), network=n) for n in networks]
    assert score_raters(models, [SimpleNamespace(name="a case")], None) == []
    assert asked == [by_slice]


def scored(method, values, name="ged2"):
    return [{"method": method, "case": f"case {n}", "readers": "two", name: v} for n, v in enumerate(values)]


def test_the_first_model_is_held_against_each_other_on_the_cases_of_both():
    ours, worse = scored("a", [0.1] * 6 + [0.9]), scored("b", [0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    same = scored("c", [0.1] * 6)
    text = printed(significance_table([*ours, *worse, *same], "a", ["b", "c"]))
    # six of six alike: p = 2 / 2^6, doubled as the smaller of two; equal values give 1
    assert cells(line(text, "less b"))[2:4] == ["GED²", "-0.350"]
    assert cells(line(text, "less b"))[-3:] == ["0.0312", "0.0625", "6"]
    assert cells(line(text, "less c"))[-3:] == ["1", "1", "6"]
    assert "no p here could be under 0.031" in " ".join(text.split())


def test_what_was_not_measured_twice_is_not_compared():
    ours, other = scored("a", [0.1, 0.2]), scored("b", [0.3, float("nan")])
    assert significance_table([*ours, *other], "a", ["b"]) is None
    assert significance_table(ours, "a", []) is None
