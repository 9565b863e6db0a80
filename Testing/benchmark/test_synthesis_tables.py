"""Diff4MMLiTS's tables and DRGO's, against made-up scores whose means are worked out by hand."""

import pytest
from DiffuFuseMedLib.benchmark import synthesis_tables as made
from DiffuFuseMedLib.benchmark.drgo_table import PAIRS, drgo_table
from DiffuFuseMedLib.benchmark.jobs import Done, Job, fingerprint_of
from DiffuFuseMedLib.benchmark.scoring import look
from DiffuFuseMedLib.benchmark.suites import SUITES
from DiffuFuseMedLib.core.errors import InputError


def scored(*dice):
    own = lambda d: {"dice": d, "iou": d / 2, "recall": 0.9, "precision": 0.4, "hd95_mm": 10 * d, "nsd_2mm": d}  # noqa: E731
    return {f"case {n}": {"clean": own(d)} for n, d in enumerate(dice)}


def row(table, start):
    return next(line for line in table.rows if line[0].startswith(start))


def test_table_iii_has_each_backbone_twice_and_the_difference_patient_by_patient(results_of):
    one, both = "sts-multi-encoder", "sts-multi-encoder-synthetic"
    scores = {one: scored(0.5, 0.7), both: scored(0.6, 0.7), "trivial": scored(0.1, 0.2)}
    table = made.table_iii(results_of(scores, systems=dict.fromkeys(list(scores)[:2], "x")))
    assert row(table, f"U-Net: {one}")[1:5] == ("60.0 [50.0, 70.0]", "75.46", "30.0 [25.0, 35.0]", "61.29")
    assert row(table, f"U-Net w/ Diff4MMLiTS: {both}")[1] == "65.0 [60.0, 70.0]"
    assert row(table, "nnUNet w/")[:3] == ("nnUNet w/ Diff4MMLiTS", "", "79.02")
    assert row(table, "trivial")[1:3] == ("15.0 [10.0, 20.0]", "")
    told = f"{both} less {one}: +5.0 points of Dice [0.0, 10.0]"
    assert any(note.startswith(told) for note in table.notes)


def test_tables_iv_and_v_name_what_was_left_out(results_of):
    ours, hybrid = "sts-multi-encoder", "sts-multi-encoder-synthetic"
    names = (ours, hybrid, f"{hybrid}-patients-10", f"{hybrid}-median")
    results = results_of(
        {name: scored(0.2 * n, 0.2) for n, name in enumerate(names)}, systems=dict.fromkeys(names, "x")
    )
    four, five = made.table_iv(results), made.table_v(results)
    assert row(four, "multi 10 %")[1:3] == ("30.0 [20.0, 40.0]", "73.87") and row(four, "multi 100 %")[2] == "79.02"
    assert row(four, "uni 100 %")[:2] == ("uni 100 %", "")
    assert row(five, "Median")[1] == "40.0 [20.0, 60.0]" and row(five, "CUT-GAN")[1] == ""
    assert sum("points of Dice" in note for note in five.notes) == 1


def test_patients_are_told_by_the_size_of_their_lesion(results_of):
    looks = {"case 0": (20.0, 3.0), "case 1": (900.0, None)}
    done = [Done(Job("look", {"case": c}), {"volume_ml": v, "suv_mean": s}) for c, (v, s) in looks.items()]
    table = made.by_lesion(results_of({"ours": scored(0.5, 0.7)}, done=done))
    assert table.rows == (
        ("case 1", "900", "no PET", "70.0"),
        ("case 0", "20", "3.0", "50.0"),
        ("mean", "", "", "60.0"),
    )


def test_what_drgo_adds_is_told_network_by_network(results_of):
    names = {"sts-segresnet": scored(0.5, 0.7), "sts-segresnet-drgo": scored(0.6, 0.9)}
    table = drgo_table(results_of(names, systems=dict.fromkeys(names, "x")))
    assert [line[:2] for line in table.rows] == [("sts-segresnet", t) for t in ("Dice, %", "HD95, mm", "NSD at 2 mm")]
    assert table.rows[0][2:5] == ("60.0 [50.0, 70.0]", "75.0 [60.0, 90.0]", "+15.0 [10.0, 20.0]")
    assert table.rows[1][4] == "+1.5 [1.0, 2.0]"
    assert {*PAIRS, *PAIRS.values()} == {*SUITES["drgo"].recipes} and len(PAIRS) == 3


def test_a_lesions_look_needs_a_lesion(a_request, a_cohort, tmp_path, a_case, write_case):
    from DiffuFuseMedLib.benchmark.plan import contenders, scoring_jobs

    request = a_request(suite="synthesis", names=("c",))
    job = next(j for j in scoring_jobs(request, contenders(request, [])) if j.kind == "look")
    found = look(job)
    case = a_case(name="c")
    assert found["volume_ml"] == pytest.approx((case.reference_mask.array > 0).sum() * case.grid.voxel_mm3 / 1000)
    assert found["suv_mean"] > 0
    write_case(case, tmp_path / "bare" / "c")
    (tmp_path / "bare" / "c" / "GTV.nii.gz").unlink()
    with pytest.raises(InputError, match="the case c without a drawn lesion"):
        look(
            Job("look", job.spec, {"case": fingerprint_of(tmp_path / "bare" / "c")}, {"cases": str(tmp_path / "bare")})
        )
