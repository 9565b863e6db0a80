"""A model over several cases and conditions."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.tasks.segment.evaluate import (
    CLEAN,
    METRICS,
    conditions,
    conditions_of,
    evaluate,
    read_cases,
    said_of_intervals,
    sampler_conditions,
    summary,
    write_csv,
)
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.trivial import trivial_rows

KNOWN = ("CT", "PET", "MR_T1")
TRIVIAL = ("centre ellipsoid", "PET 41 %", "PET > 2.5")


@pytest.fixture(scope="module")
def cases(a_case):
    return [a_case(name="A"), a_case((13, 34, 36), "another")]


@pytest.fixture(scope="module")
def rows(cases, a_model):
    """Clean, one corruption, one modality withheld with gating off, over two cases."""
    chosen = [c for c in conditions(KNOWN, True, 0) if c.name in (CLEAN, "bias field (MR)", "no PET, gating off")]
    return evaluate(a_model, cases, chosen, Settings(samples=1))


def test_without_corruptions_there_is_only_the_clean_condition(a_case):
    (only,) = conditions(KNOWN, False, 0)
    case = a_case()
    assert (only.name, only.options, only.change(case) is case) == (CLEAN, {}, True)


def test_with_corruptions_come_the_papers_tables_3_and_4():
    names = [c.name for c in conditions(KNOWN, True, 0)]
    assert len(names) == len(set(names)) == 1 + 7 + 3 * 3 + 1
    assert names[1:8] == [
        "gaussian noise 0.1", "gaussian noise 0.3", "gaussian noise 0.5", "motion blur mild", "motion blur strong",
        "intensity drift 20 %", "bias field (MR)",
    ]  # fmt: skip
    withheld = [f"no {m}{end}" for m in KNOWN for end in ("", ", gating off", ", duplicated")]
    assert names[8:] == [*withheld, "clean, gating off"]
    off = [c.name for c in conditions(KNOWN, True, 0) if c.options == {"gating": False}]
    assert off == [*withheld[1::3], "clean, gating off"]
    assert [c.name for c in conditions(KNOWN, True, 0) if c.duplicate] == withheld[2::3]


def test_a_mask_diffusion_is_compared_by_its_steps_and_ways():
    network = SimpleNamespace(options={"steps": 10, "stochastic": False})
    made = sampler_conditions(SimpleNamespace(network=network, record=SimpleNamespace(id="toy")), [1, 8, 1000])
    assert [c.name for c in made[:2]] == ["1 step, deterministic", "1 step, stochastic"]
    assert [(c.name, c.options) for c in made[2:]] == [
        ("8 steps, deterministic", {"steps": 8, "stochastic": False}),
        ("8 steps, stochastic", {"steps": 8, "stochastic": True}),
        ("1000 steps, deterministic", {"steps": 1000, "stochastic": False}),
        ("1000 steps, stochastic", {"steps": 1000, "stochastic": True}),
    ]


def test_a_model_without_such_a_sampler_is_not_asked_for_its_steps(a_model):
    with pytest.raises(InputError, match="whose system has no steps and no stochastic"):
        sampler_conditions(a_model, [8])


def test_a_system_without_gates_has_no_gating_to_switch_off(a_model):
    ungated = replace(a_model, network=SimpleNamespace(config=a_model.network.config))
    assert [c.name for c in conditions_of(ungated, True, 0)][8:] == [
        f"no {m}{end}" for m in KNOWN for end in ("", ", duplicated")
    ]
    assert [c.name for c in conditions_of(a_model, True, 0)] == [c.name for c in conditions(KNOWN, True, 0)]


def test_each_condition_does_what_its_name_says(a_case):
    case = a_case()
    changed = {c.name: c.change(case) for c in conditions(KNOWN, True, 5)}
    for missing in KNOWN:
        kept = tuple(m for m in KNOWN if m != missing)
        assert changed[f"no {missing}"].modalities == changed[f"no {missing}, gating off"].modalities == kept
        assert changed[f"no {missing}, duplicated"].modalities == kept
    assert "bias field (MR)" in changed["bias field (MR)"].volumes["MR_T1"].meta["corruption"]
    assert "seed 5" in changed["gaussian noise 0.3"].volumes["CT"].meta["corruption"]
    assert changed["clean, gating off"] is case


def test_one_row_per_method_condition_and_case(rows):
    keys = [(r["method"], r["condition"], r["case"]) for r in rows]
    assert len(set(keys)) == len(keys) == 2 * (3 + 3)
    assert [k[1] for k in keys if k[0] == "tiny" and k[2] == "A"] == [CLEAN, "bias field (MR)", "no PET, gating off"]


def test_trivial_rows_stand_once_per_case_in_the_clean_condition(rows, cases):
    for name in TRIVIAL:
        assert [(r["condition"], r["case"]) for r in rows if r["method"] == name] == [(CLEAN, c.name) for c in cases]
    assert set(TRIVIAL) == set(trivial_rows(cases[0]))
    found = next(r["dice"] for r in rows if (r["method"], r["case"]) == ("PET 41 %", "A"))
    assert found > 0.95  # the toy's lesion is hot


def test_a_models_row_holds_every_metric_and_gate(rows):
    row = next(r for r in rows if r["method"] == "tiny")
    # the tiny model's errors in PET were not measured, so that it has no intervals of them
    assert set(METRICS) - {"suv_mean_hit", "mtv_hit", "tlg_hit"} <= set(row)
    assert sum(row[f"gate_{m}"] for m in KNOWN) == pytest.approx(1)
    off = next(r for r in rows if r["condition"] == "no PET, gating off")
    assert (off["gate_CT"], off["gate_MR_T1"], "gate_PET" in off) == (0.5, 0.5, False)


def test_progress_names_the_case_and_the_condition(cases, a_model):
    told = []
    evaluate(a_model, cases[:1], conditions(KNOWN, False, 0), Settings(samples=1), told.append)
    assert told == ["A: clean"]


def test_the_summarys_mean_is_the_mean_and_its_interval_holds_it(rows):
    lines = summary(rows)
    assert len(lines) == 3 * (3 + 3)
    for mean, low, high in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        assert [x["case"] for x in (mean, low, high)] == ["mean", "low 95 %", "high 95 %"]
        group = [r for r in rows if (r["method"], r["condition"]) == (mean["method"], mean["condition"])]
        for metric in {"dice", "iou", "nsd_2mm", "recall"}:
            assert mean[metric] == pytest.approx(np.mean([r[metric] for r in group]))
            assert low[metric] <= mean[metric] <= high[metric]
    assert any(low["dice"] < high["dice"] for low, high in zip(lines[1::3], lines[2::3], strict=True))


def test_a_single_case_has_a_mean_without_an_interval_and_none_gives_nan():
    row = {"method": "m", "condition": CLEAN, "case": "A", "dice": 0.5, "hd95_mm": float("nan")}
    assert [line["dice"] for line in summary([row])] == [0.5] * 3
    assert np.isnan([line["hd95_mm"] for line in summary([row])]).all()


def test_a_score_that_is_not_finite_is_left_out_of_the_mean():
    group = [
        {"method": "m", "condition": CLEAN, "case": n, "hd95_mm": v} for n, v in (("A", 4.0), ("B", np.inf), ("C", 8.0))
    ]
    assert summary(group)[0]["hd95_mm"] == 6.0


def test_a_score_that_the_first_case_lacks_has_a_mean_over_those_that_have_it():
    """Such as whether an interval held, where it was withheld from the first."""
    group = [{"method": "m", "condition": CLEAN, "case": "A", "dice": 0.5}]
    group += [{**group[0], "case": case, "volume_hit": hit} for case, hit in (("B", True), ("C", False))]
    assert summary(group)[0]["volume_hit"] == 0.5


def test_of_how_many_an_interval_was_shown_and_held_is_told():
    """Of the cases as they are, not of spoilt ones or of another method."""
    case = {"method": "m", "condition": CLEAN}
    rows = [{**case, "volume_hit": True, "mtv_hit": False}, {**case, "volume_hit": False}, {**case, "dice": 1.0}]
    rows += [{**case, "condition": "noise", "volume_hit": True}, {**case, "method": "n", "volume_hit": True}]
    assert said_of_intervals(rows, "m") == [
        "m: the 95 % interval is shown of the volume in 2 of 3, held in 1; the MTV in 1 of 3, held in 0."
    ]
    assert said_of_intervals(rows[2:3], "m") == []


def test_the_csv_reads_back(rows, tmp_path):
    path = tmp_path / "out" / "table.csv"
    write_csv([*rows, *summary(rows)], path)
    with path.open(newline="", encoding="utf-8") as stream:
        back = list(csv.DictReader(stream))
    assert len(back) == len(rows) + 18
    assert float(back[0]["dice"]) == pytest.approx(rows[0]["dice"], abs=5e-5)
    assert back[0]["volume_hit"] in ("True", "False")
    assert next(r for r in back if r["method"] == "PET 41 %")["coverage"] == ""


def test_refuses_a_table_that_cannot_be_written(rows, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"table\.csv that cannot be written"):
        write_csv(rows, tmp_path / "file" / "table.csv")


def test_reads_the_cases_cut_to_their_crops(a_case, write_case, tmp_path):
    write_case(a_case(name="A"), tmp_path / "A")
    crop = {"start_kji": [0, 4, 2], "stop_kji": [12, 30, 30]}
    (tmp_path / "split.json").write_text(json.dumps({"folds": [["A"]], "crops": {"A": crop}}))
    (cut,) = read_cases(tmp_path, ["A"], read_split(tmp_path / "split.json"))
    (whole,) = read_cases(tmp_path, ["A"], None)
    assert (cut.grid.shape, whole.grid.shape) == ((12, 26, 28), (12, 36, 32))
    assert cut.reference_mask.array.any()


def test_refuses_a_case_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"^Given no case folder B, wanted every case"):
        read_cases(tmp_path, ["B"], None)


def test_a_duplicated_modality_is_asked_for_in_the_run(a_case, a_model):
    withheld = [c for c in conditions(a_model.modalities, True, 0) if c.name in ("no PET", "no PET, duplicated")]
    plain, doubled = (r for r in evaluate(a_model, [a_case()], withheld, Settings(samples=1)) if r["method"] == "tiny")
    assert plain["brier"] != doubled["brier"]
