"""Each table against made-up scores whose means are worked out by hand."""

import pytest
from DiffuFuseMedLib.benchmark import other_tables, suites, synthesis_tables, tables
from DiffuFuseMedLib.benchmark.drgo_table import drgo_table
from DiffuFuseMedLib.benchmark.jobs import Done, Job
from DiffuFuseMedLib.benchmark.papers import diffufusemed as paper
from DiffuFuseMedLib.benchmark.parts import Missing
from DiffuFuseMedLib.benchmark.results import text_of
from DiffuFuseMedLib.benchmark.significance_table import table_8
from DiffuFuseMedLib.benchmark.variants import id_of, variant_of
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES

OVERLAP = {"dice": 0.8, "iou": 0.7, "hd95_mm": 5.0, "precision": 0.9, "recall": 0.75}
LOW = {"dice": 0.6, "iou": 0.5, "hd95_mm": 7.0, "precision": 0.7, "recall": 0.55}
PROBABILITY = {"ece": 0.05, "brier": 0.1, "nll": 0.4, "coverage": 0.95}


def clean(*scores):
    return {f"case {n}": {"clean": own} for n, own in enumerate(scores)}


def row(table, start):
    return next(line for line in table.rows if line[0].startswith(start))


def test_a_mean_is_told_with_its_interval_where_there_are_two_patients():
    assert text_of([]) == ""
    assert text_of([0.25], 1) == "0.2"
    assert text_of([1.0, 3.0], 1) == "2.0 [1.0, 3.0]"


def test_table_1_has_ours_beside_the_paper_and_the_trivial_rows_below(results_of):
    table = tables.table_1(results_of({"ours": clean(OVERLAP, LOW), "trivial ball": clean(LOW, LOW)}))
    ours = row(table, "DiffuFuseMed (Ours): ours")
    assert ours[1:] == (
        "70.0 [60.0, 80.0]", "88.2", "60.0 [50.0, 70.0]", "81.9", "6.0 [5.0, 7.0]", "3.3",
        "80.0 [70.0, 90.0]", "89.1", "65.0 [55.0, 75.0]", "87.4",
    )  # fmt: skip
    assert row(table, "trivial ball")[1:3] == ("60.0 [60.0, 60.0]", "")
    assert row(table, "TransBTS")[1:3] == ("", "84.3")
    assert [line[0] for line in table.rows][-1] == "trivial ball"
    assert table.columns[:3] == ("method", "Dice, %", "paper") and table.beside == (2, 4, 6, 8, 10)


def test_a_baseline_stands_beside_its_own_row_and_every_row_of_the_paper_has_a_recipe(results_of):
    """Two of them are of one system."""
    systems = {"ours": "diffufusemed", "sts-unet-2d": "monai-nets", "sts-attention-unet": "monai-nets"}
    table = tables.table_1(results_of({name: clean(OVERLAP) for name in systems}, systems=systems))
    assert row(table, "U-Net (2D): sts-unet-2d")[2] == "78.4"
    assert row(table, "Attention U-Net: sts-attention-unet")[2] == "81.7"
    assert {*paper.ROW_OF_RECIPE.values(), paper.OURS} == {*paper.TABLE_1}


def test_what_a_suite_trains_has_a_recipe():
    known = {name for suite in suites.SUITES.values() for name in suite.recipes}
    assert {variant_of(name).model_id for name in known} == {id_of(name) for name in known}
    assert {name.split("+")[0] for name in known} <= {*RECIPES} and {*paper.ROW_OF_RECIPE} <= {
        *suites.SUITES["sts"].recipes
    } <= known


def test_a_table_says_how_many_patients_seeds_and_who_was_trained_on_them(results_of):
    notes = tables.about(results_of({"ours": clean(OVERLAP, LOW)}, seen={"ours": 1}))
    few = "intervals: bootstrap over patients, 95 %, of fewer than 10 patients too narrow."
    assert notes[0] == f"2 patients, seed 0; {few}"
    assert tables.about(results_of({"ours": clean(*[OVERLAP] * 10)}))[0].endswith("over patients, 95 %.")
    assert notes[1] == "ours was trained on 1 of these patients."
    assert "without T2, by weights trained as their cards say" in notes[2]
    assert tables.about(results_of({"ours": clean(OVERLAP)}))[0] == "1 patient, seed 0: no interval can be given."


def test_a_table_says_whom_nobody_scored_and_which_row_is_of_fewer_patients(results_of):
    failed = [
        Done(Job("score", {"method": "ours", "seed": 0, "case": "z", "condition": "clean"}), reason="No lesion."),
        Done(Job("trivial", {"case": "z"}), reason="No lesion."),
    ]
    empty = {**LOW, "hd95_mm": None}
    results = results_of({"ours": clean(OVERLAP, LOW, empty), "trivial ball": clean(LOW, LOW)}, done=failed)
    notes = tables.table_1(results).notes
    assert notes[0] == "DiffuFuseMed (Ours): ours (HD95, mm): of 2 of the 3 patients alone."
    assert notes[1] == "trivial ball: of 2 of the 3 patients alone."
    assert notes[2].startswith("3 of 4 patients, seed 0; ")
    assert results.asked == ["z", "case 0", "case 1", "case 2"]


def test_a_table_says_which_patients_lack_what_a_model_reads(results_of):
    def scored(case, lacking):
        spec = {"method": "ours", "seed": 0, "case": case, "condition": "clean"}
        return Done(Job("score", spec), {"scores": OVERLAP, "gates": {}, "seconds": 1.0, "lacking": lacking})

    results = results_of({}, done=[scored("a", ["PET"]), scored("b", []), scored("c", ["PET"])], systems={"ours": "x"})
    assert "Without PET, which a model reads: a, c." in tables.about(results)


def test_a_table_names_those_of_its_own_rows_that_were_trained_on_its_patients(results_of):
    systems = {"ours": "diffufusemed", "sts-segresnet": "x", "sts-segresnet-drgo": "x", "beside": "x"}
    results = results_of(
        {**{name: clean(OVERLAP, LOW) for name in systems}, "trivial ball": clean(LOW, LOW)},
        systems=systems, seen=dict.fromkeys(systems, 1),
    )  # fmt: skip
    named = lambda part: {note.split()[0] for note in part.notes if "was trained on 1 of these patients." in note}  # noqa: E731
    assert named(tables.table_1(results)) == named(table_8(results)) == {*systems}
    assert named(drgo_table(results)) == {"sts-segresnet", "sts-segresnet-drgo"}
    assert named(synthesis_tables.table_iii(results)) == {"sts-segresnet"}
    done = [Done(Job("diagnose", {"method": "beside", "case": "a"}), {"ECE, raw": 0.1})]
    assert named(other_tables.diagnosis(results_of({}, done=done, systems=systems, seen=results.seen))) == {"beside"}


def test_where_no_pair_was_scored_what_drgo_adds_is_not_filled(results_of):
    part = drgo_table(results_of({"ours": clean(OVERLAP, LOW)}))
    assert isinstance(part, Missing) and part.why.startswith("No network was scored with and without DRGO")


def test_the_trivial_rows_of_corrupted_and_withheld_images_are_said_to_be_of_the_whole_ones(results_of):
    results = results_of({"ours": clean(OVERLAP, LOW), "trivial ball": clean(LOW, LOW)})
    for table in (tables.table_3(results), tables.table_4(results)):
        assert "trivial ball: of the clean images with all modalities." in table.notes
    assert any("duplicated: the first of the modalities" in note for note in tables.table_4(results).notes)


def test_nothing_is_minus_nothing():
    assert text_of([-0.01, -0.02], 1) == "0.0 [0.0, 0.0]"
    assert text_of([-0.04], 1) == "0.0" and text_of([-0.06], 1) == "-0.1"


def test_a_table_says_for_how_long_was_trained(results_of, a_request):
    told = results_of({"ours": clean(OVERLAP)}, a_request(minutes=2.5, cores=3, seeds=(0, 4)))
    assert "by weights trained for 2.5 minutes of 3 core(s)" in tables.why_it_differs(told)
    assert "means over seeds 0, 4 of each patient first" in tables.about(told)[0]


def test_seeds_are_meaned_within_a_patient_before_patients_are(results_of):
    def scored(case, seed, dice):
        spec = {"method": "ours", "seed": seed, "case": case, "condition": "clean"}
        return Done(Job("score", spec), {"scores": {"dice": dice}, "gates": {}, "seconds": 1.0})

    results = results_of(
        {}, done=[scored("a", 0, 0.2), scored("a", 1, 0.4), scored("b", 0, 0.9)], systems={"ours": "x"}
    )
    assert results.by_case("ours", "dice") == pytest.approx({"a": 0.3, "b": 0.9})


def test_a_failed_job_and_a_number_that_is_none_have_no_part_in_a_mean(results_of):
    failed = Done(Job("score", {"method": "ours", "seed": 0, "case": "z", "condition": "clean"}), reason="No lesion.")
    results = results_of({"ours": clean({"dice": 0.5}, {"dice": None}, {"dice": float("nan")})}, done=[failed])
    assert results.by_case("ours", "dice") == {"case 0": 0.5}
    told = suites.failures(results)
    assert told.rows == (("score", "ours", "z", "clean", "No lesion."),)
    assert suites.failures(results_of({})) is None


def test_table_2_has_the_recipe_that_lacks_a_part_beside_the_papers_row(results_of):
    whole, without = "sts-diffufusemed-whole", "sts-diffufusemed-no-gating"
    results = results_of({whole: clean(OVERLAP), without: clean(LOW), "trivial ball": clean(LOW)})
    table = tables.table_2(results)
    assert row(table, "Full Model (DiffuFuseMed): ")[1:3] == ("80.0", "88.2")
    assert row(table, f"without Reliability Gating: {without}")[1:3] == ("60.0", "86.1")
    assert row(table, "without Diffusion Denoiser")[1:3] == ("", "85.0")
    assert row(table, "trivial ball")[1:3] == ("60.0", "")
    assert len(table.rows) == 8


def test_table_3_has_each_corruption_and_its_drop_of_the_same_patients(results_of):
    noisy = {"dice": 0.7, "iou": 0.6, "hd95_mm": 6.0}
    scores = {"a": {"clean": OVERLAP, "gaussian noise 0.3": noisy}, "b": {"clean": LOW}}
    table = tables.table_3(results_of({"ours": scores, "other": scores, "trivial ball": clean(LOW)}))
    assert row(table, "clean")[1] == "70.0 [60.0, 80.0]"
    assert row(table, "gaussian noise 0.3")[1:] == ("70.0", "84.6", "60.0", "77.0", "6.0", "3.7", "-10.0", "-3.6")
    assert row(table, "gaussian noise 0.5")[1:3] == ("", "80.3")
    assert row(table, "other: gaussian noise 0.3")[1:3] == ("70.0", "")
    assert row(table, "trivial ball")[1:3] == ("60.0", "")
    assert table.columns[-2:] == ("Dice less clean, points", "paper") and table.beside[-1] == 8


def test_table_4_has_gating_off_beside_the_papers_first_columns_and_on_beside_its_last(results_of):
    on, off = {"dice": 0.9, "iou": 0.8, "hd95_mm": 1.0}, {"dice": 0.85, "iou": 0.75, "hd95_mm": 2.0}
    gated = {"clean": on, "clean, gating off": off, "no PET": on, "no PET, gating off": off}
    plain = {"clean": on, "no PET": off}
    table = tables.table_4(results_of({"ours": {"a": gated}, "other": {"a": plain}, "trivial ball": clean(LOW)}))
    assert row(table, "no PET")[1:] == ("85.0", "85.7", "75.0", "79.0", "2.0", "3.6", "90.0", "86.9")
    assert row(table, "all modalities")[1:3] == ("85.0", "88.2")
    assert row(table, "no MR_T2")[1:] == ("", "83.5", "", "76.0", "", "3.9", "", "85.1")
    assert row(table, "other: no PET")[1:] == ("85.0", "", "75.0", "", "2.0", "", "", "")
    assert row(table, "trivial ball")[1] == "60.0"
    assert any(note.startswith("no MR_T2"[3:]) or "MR_T2" in note for note in table.notes)


def test_table_7_has_probabilities_only(results_of):
    table = tables.table_7(results_of({"ours": clean({**OVERLAP, **PROBABILITY}), "trivial ball": clean(LOW)}))
    assert row(table, "DiffuFuseMed (Ours)")[1:] == (
        "0.050", "0.034", "0.100", "0.072", "0.400", "0.336", "95.0", "95.9"
    )  # fmt: skip
    assert not any("trivial" in line[0] for line in table.rows)


def test_table_8_compares_ours_with_every_other_method_on_the_patients_of_both(results_of):
    ours = clean(*({"dice": 0.8 + n / 100, "iou": 0.7} for n in range(6)))
    other = clean(*({"dice": 0.7, "iou": 0.7} for _ in range(5)))
    table = table_8(results_of({"ours": ours, "other": other, "trivial ball": other}))
    assert table.rows[0][:2] == ("ours less other", "Dice")
    assert table.rows[0][2].startswith("12.0 [")
    # p of five that are all better: 1/16; of four comparisons the smallest counts four times
    assert table.rows[0][3:] == ("", "0.0625", "0.25", "", "5")
    assert table.rows[1][:3] == ("ours less other", "IoU", "0.0 [0.0, 0.0]") and table.rows[1][4:6] == ("1", "1")
    assert [line[0] for line in table.rows[2:4]] == ["ours less trivial ball"] * 2
    assert ("DiffuFuseMed (Ours) less TransBTS", "Dice", "", "3.9 [3.2, 4.7]", "", "", "< 0.001", "") in table.rows
    assert table.notes[0].endswith("over 4 comparisons.")
    assert table.notes[1] == (
        "With 5 patients the smallest p that this test can give is 0.0625: no difference can be called significant at "
        "0.05."
    )


def test_six_patients_can_be_enough_and_one_is_nothing_to_compare(results_of):
    two = {name: clean(*[OVERLAP] * 6) for name in ("ours", "other")}
    assert table_8(results_of(two)).notes[1] == "With 6 patients the smallest p that this test can give is 0.0312."
    alone = {name: clean(OVERLAP) for name in ("ours", "other")}
    assert table_8(results_of(alone)).notes == (
        "Fewer than two patients were scored by two methods: nothing can be compared.",
    )


def a_measurement(method, **of_slice):
    found = {"parameters_m": 7.1, "weights_mb_float16": 14.3, "machine": "a machine"}
    found["slice"] = {"flops_g_per_slice": 11.0, "ms_per_slice": 37.5, "each_ms": [37.0, 38.0], **of_slice}
    found["run"] = {"total_s": 2.6, "peak_gib": 0.7}
    return Done(Job("measure", {"method": method, "case": "a"}), found)


def test_table_6_has_the_models_beside_each_other_and_the_papers_three(results_of):
    done = [a_measurement("here"), a_measurement("gpu", peak_gpu_gib=1.5)]
    table = other_tables.table_6(results_of({}, done=done, systems={"here": "x", "gpu": "x"}))
    assert table.columns[:3] == ("measured", "here", "gpu") and table.beside == (3, 4, 5)
    assert row(table, "Model size")[1:] == ("14.3", "14.3", "128", "115", "28")
    assert row(table, "GPU, ms")[1:3] == ("", "37.5")
    assert row(table, "CPU, ms")[1:] == ("37.5", "", "340", "380", "190")
    assert row(table, "GPU memory, GB")[1:] == ("", "1.61", "2.2", "2.1", "0.8")
    assert row(table, "ONNX")[1:] == ("", "", "8.7", "9.5", "4.2")
    assert "Measured on a machine" in table.notes[0]


def a_reading(method, s_ncc):
    scores = {"s_ncc": s_ncc, "d_max": 0.75, "ci": 0.25, "ged2": 0.125, "crps_ml": 2.0}
    return {"method": method, "case": "a", "readers": "4 simulated readers", **scores}


def test_caldiffs_tables_have_its_figures_beside_each_model(results_of):
    done = [Done(Job("raters", {"method": m}), a_reading(m, x)) for m, x in (("c", 0.4), ("c", 0.6), ("part", 0.2))]
    done.append(Done(Job("raters-trivial", {"case": "a"}), {"majority": a_reading("majority", None)}))
    names = {"c": "CalDiff", "part": "Step-UC"}
    results = results_of({}, done=done, systems={"c": "caldiff", "part": "caldiff"}, paper_rows=names)
    first, second, beside = other_tables.rater_tables(results)
    assert row(first, "CalDiff: c")[1:5] == ("0.5000±0.10", "0.8857±0.07", "0.7500±0.00", "0.9019±0.08")
    assert row(first, "PHiSeg")[1:3] == ("", "0.8529±0.08")
    assert row(first, "majority")[1:4] == ("", "", "0.7500±0.00")
    assert not any("part" in line[0] for line in first.rows)
    assert row(second, "Step-UC: part")[1:3] == ("0.2000±0.00", "0.8714±0.08")
    assert row(beside, "c") == ("c", "2.0000±0.00")
    assert first.notes[0] == "Against 4 simulated readers on 1 case(s), mean ± standard deviation."


def test_a_diagnosis_has_a_line_a_figure_and_a_column_a_model(results_of):
    done = [
        Done(Job("diagnose", {"method": m, "case": c}), {"Dice": x, "S_NCC": None})
        for m, c, x in (("ours", "a", 0.5), ("ours", "b", 0.7), ("other", "a", 0.4))
    ]
    table = other_tables.diagnosis(results_of({}, done=done, systems={"ours": "x", "other": "x"}))
    assert table.columns == ("measured", "ours", "other")
    assert table.rows == (("Dice", "0.600 [0.500, 0.700]", "0.400"),)


def test_the_fusion_stands_beside_what_was_aimed_for(results_of):
    facts = {"kind": "CT-MR cases", "part": "main", "condition": "as registered"}
    done = []
    for series, value in (("a", 0.9), ("b", 0.8)):
        rows = [{**facts, "method": m, "case": series, "series": series, "soft_ssim_mri": value - less, "SCD": None}
                for m, less in (("fused", 0.0), ("average", 0.5))]  # fmt: skip
        done.append(Done(Job("fuse", {"case": series}), {"rows": rows, "seen": ["a"] if series == "a" else []}))
    table = other_tables.fusion_table(results_of({}, done=done, systems={}))
    assert row(table, "fused")[1:3] == ("0.850 [0.800, 0.900]", "> 0.952")
    assert row(table, "average")[1].startswith("0.350")
    assert table.columns[-2:] == ("CT content in soft tissue", "aim") and "Bone PSNR to CT, dB" in table.columns
    assert row(table, "fused")[-2:] == ("", "> 0.75")
    assert table.notes[-1] == "The fusion was trained on 1 of them."


def test_synthesis_says_what_is_missing(results_of):
    def missing(results):
        return [part.title for part in suites.SUITES["synthesis"].parts(results) if isinstance(part, Missing)]

    always = ["Diff4MMLiTS, Table I", "Diff4MMLiTS, Table II"]
    assert missing(results_of({"ours": clean(OVERLAP)})) == ["The rows with synthetic cases", *always]
    assert missing(results_of({"sts-segresnet-synthetic": clean(OVERLAP)})) == always


def test_ablations_that_nobody_trained_are_said_to_be_missing(results_of):
    def missing(results):
        return [part.title for part in suites.SUITES["ablation"].parts(results) if isinstance(part, Missing)]

    assert missing(results_of({"ours": clean(OVERLAP, LOW)})) == ["The rows without a part"]
    assert missing(results_of({"sts-diffufusemed-whole": clean(OVERLAP, LOW)})) == []


def test_every_ablation_of_the_paper_has_a_recipe():
    assert sorted(paper.ABLATIONS.values()) == sorted(paper.TABLE_2)


def test_two_methods_are_compared_case_by_case_in_what_both_have(results_of):
    one = {f"case {n}": {"clean": {"dice": d}} for n, d in ((0, 0.1), (1, 0.2), (2, 0.3))}
    other = {f"case {n}": {"clean": {"dice": d}} for n, d in ((2, 0.6), (3, 0.9), (0, 0.4))}
    results = results_of({"ours": one, "theirs": other})
    assert results.paired("ours", "theirs", "dice") == ([0.1, 0.3], [0.4, 0.6])
    assert results.paired("ours", "nobody", "dice") == ([], [])
