"""The command line as a user meets it: its files, its words, its exit codes."""

import csv
import errno
import json
import os
import re
import shutil
import signal
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from DiffuFuseMedLib import cli
from DiffuFuseMedLib.cli import diagnose as diagnosis
from DiffuFuseMedLib.cli import inputs
from DiffuFuseMedLib.cli.calibrators import calibrators_table, compare
from DiffuFuseMedLib.losses import Drgo
from DiffuFuseMedLib.models import registry, zoo
from DiffuFuseMedLib.tasks.segment import evaluate, recipes
from DiffuFuseMedLib.tasks.segment.cross_fitted import CrossFitted
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.training import loop
from DiffuFuseMedLib.training.data import TrainingData

OUTPUTS = {
    "segmentation.seg.nrrd", "contours.seg.nrrd", "probability.nrrd", "uncertainty.nrrd",
    "uncertainty_expected_entropy.nrrd", "uncertainty_mutual_information.nrrd", "prediction.json", "report.html",
    "fused.nrrd", "fusion_uncertainty.nrrd", "fusion.json",
}  # fmt: skip
CROP = {"start_kji": [0, 2, 2], "stop_kji": [12, 34, 18]}  # cuts through the lesion


@pytest.fixture
def refused(command):
    """A function of arguments: the one sentence with which they are refused, exit code 2."""

    def run(*arguments):
        code, out, err = command(*arguments)
        sentences = [line for line in err.splitlines() if line.startswith("Given ")]
        assert (code, out, len(sentences)) == (2, "", 1), err
        assert "Traceback" not in err
        assert sentences[0].endswith(".")
        return sentences[0]

    return run


@pytest.fixture(scope="session")
def cases_folder(tmp_path_factory, a_case, write_case):
    """Five patients; "trained_on" is in the toy model's training; folds of one, three and one."""
    root = tmp_path_factory.mktemp("cohort")
    names = ["trained_on", "one", "second", "patient 3", "last patient"]
    for number, name in enumerate(names):
        write_case(a_case((12, 36, 32 + number), name, (6, 16 + number, 15)), root / name)
    split = {"folds": [names[:1], names[1:4], names[4:]], "crops": {"one": CROP}}
    (root / "split.json").write_text(json.dumps(split))
    return root


@pytest.fixture(scope="module")
def a_result(tmp_path_factory, models, a_real_folder):
    """What `run` wrote of the real case, by the path of the model's folder, and what it said."""
    out = tmp_path_factory.mktemp("result") / "deep" / "out"
    with pytest.MonkeyPatch.context() as patch:
        arguments = ["run", a_real_folder, "--out", out, "--model", models / "tiny", "--samples", "2"]
        patch.setattr("sys.argv", ["diffufusemed", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    assert not stopped.value.code
    return out


@pytest.fixture
def own_models(models, tmp_path):
    """A copy of the models folder, free to be spoiled."""
    return shutil.copytree(models, tmp_path / "own models")


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_run_writes_every_file(a_result):
    assert {p.name for p in a_result.iterdir()} == OUTPUTS


@pytest.mark.parametrize("name", sorted(n for n in OUTPUTS if n.endswith(".nrrd") and n != "contours.seg.nrrd"))
def test_each_image_is_readable_on_the_cts_grid(a_result, a_real_folder, name):
    image, ct = sitk.ReadImage(str(a_result / name)), sitk.ReadImage(str(a_real_folder / "CT.nii.gz"))
    assert image.GetSize() == ct.GetSize()
    for part in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(image, part)() == pytest.approx(getattr(ct, part)(), abs=1e-5)
    assert sitk.GetArrayFromImage(image).any()


def test_the_contours_are_two_segments_on_the_cts_grid(a_result, a_real_folder):
    image = sitk.ReadImage(str(a_result / "contours.seg.nrrd"))
    assert image.GetSize() == sitk.ReadImage(str(a_real_folder / "CT.nii.gz")).GetSize()
    assert image.GetNumberOfComponentsPerPixel() == 2


def test_prediction_json_is_complete(a_result):
    record = json.loads((a_result / "prediction.json").read_text())
    assert record["case"] == "STS_010"
    assert record["modalities"] == ["CT", "PET", "MR_T1"]
    assert set(record["volume"]) == {"value", "low", "high", "unit", "level", "withheld", "basis"}
    assert len(record["sample_volumes_ml"]) == 2
    assert sum(record["gates"].values()) == pytest.approx(1)
    assert {
        "model",
        "sha256",
        "system",
        "config",
        "samples",
        "seed",
        "window",
        "device",
        "versions",
        "timings_s",
    } <= set(record["provenance"])
    assert {"dice", "hd95_mm", "coverage", "volume_hit"} <= set(record["scores"])
    assert any("GTV" in note for note in record["quality"])
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(a_result / "segmentation.seg.nrrd")))
    voxel_ml = np.prod(record["grid"]["spacing_mm"]) / 1000
    assert record["volume"]["value"] == pytest.approx((labels > 0).sum() * voxel_ml, rel=1e-6)


def test_run_says_what_it_found_and_where_it_lies(command, a_real_folder, tmp_path):
    code, out, _ = command("run", a_real_folder, "--out", tmp_path / "out", "--model", "tiny", "--samples", 1)
    volume, scores, files = out.splitlines()
    assert code == 0
    assert volume.startswith("Lesion ")
    assert "(95 %:" in volume
    assert scores.startswith("Against the reference: Dice 0.")
    assert files == f"8 files in {tmp_path / 'out'}; open {tmp_path / 'out' / 'report.html'}"


def test_the_drawn_lesion_is_no_input(command, a_real_folder, a_result, tmp_path):
    bare = shutil.copytree(a_real_folder, tmp_path / "STS_010", ignore=shutil.ignore_patterns("GTV*"))
    _, out, _ = command("run", bare, "--out", tmp_path / "out", "--model", "tiny", "--samples", 2)
    assert "reference" not in out
    for name in ("probability.nrrd", "segmentation.seg.nrrd", "contours.seg.nrrd", "uncertainty.nrrd"):
        with_it, without = (sitk.GetArrayFromImage(sitk.ReadImage(str(f / name))) for f in (a_result, tmp_path / "out"))
        np.testing.assert_array_equal(with_it, without)
    assert "scores" not in json.loads((tmp_path / "out" / "prediction.json").read_text())


def test_run_uses_only_the_modalities_it_is_told(command, a_real_folder, tmp_path):
    options = ["--modalities", "PET, MR_T1", "--reference", "PET", "--model", "tiny", "--samples", 1]
    code, _, _ = command("run", a_real_folder, "--out", tmp_path / "out", *options)
    record = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert (code, list(record["gates"])) == (0, ["PET", "MR_T1"])


def test_run_refuses_an_suv_that_the_images_do_not_tell(command, a_real_folder, tmp_path):
    code, _, error = command("run", a_real_folder, "--out", tmp_path / "out", "--model", "tiny", "--suv", "lbm")
    assert code == 2 and "not read from DICOM" in error and not (tmp_path / "out").exists()
    code, _, error = command("run", a_real_folder, "--out", tmp_path / "out", "--suv", "SUL")
    assert code == 2 and "one of bw, lbm, lbm-james, bsa" in error


def test_run_believes_what_it_is_told_of_a_file(command, a_real_folder, tmp_path):
    folder = shutil.copytree(a_real_folder, tmp_path / "STS_010")
    (folder / "MR_T1.nii.gz").rename(folder / "scan3.nii.gz")
    options = ["--is", "scan3.nii.gz=MR_T1", "--is", "PET.nii.gz=none", "--model", "tiny", "--samples", 1]
    assert command("run", folder, "--out", tmp_path / "out", *options)[0] == 0
    record = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert record["modalities"] == ["CT", "MR_T1"]


def test_run_says_which_modality_the_model_ignores(command, a_real_folder, tmp_path):
    folder = shutil.copytree(a_real_folder, tmp_path / "STS_010")
    shutil.copy(folder / "MR_T1.nii.gz", folder / "MR_T2.nii.gz")
    command("run", folder, "--out", tmp_path / "out", "--model", "tiny", "--samples", 1)
    quality = json.loads((tmp_path / "out" / "prediction.json").read_text())["quality"]
    assert "MR_T2 was not used: the model tiny was not trained with it." in quality


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--modalities", "CT,MRI"], "the modality 'MRI', wanted one of CT, PET, MR_T1"),
        (["--model", "none"], "the model 'none', wanted one of those installed (tiny)"),
        (["--device", "cuda"], "the device cuda, wanted a CUDA GPU"),
        (["--device", "tpu"], "the device 'tpu', wanted auto, cpu or cuda"),
        (["--is", "MR_T1"], "--is 'MR_T1', wanted NAME=MODALITY"),
        (["--is", "nothing.nii.gz=MR_T1"], "'nothing.nii.gz', which is not in the folder"),
        (["--is", "CT.nii.gz=XRAY"], "XRAY"),
        (["--reference", "MR_T2"], "the reference 'MR_T2', wanted one of CT, PET, MR_T1"),
        (["--register", "maybe"], "register='maybe', wanted one of auto, always, never"),
    ],
)
def test_run_refuses_in_one_sentence(refused, a_real_folder, tmp_path, monkeypatch, options, words):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    model = [] if "--model" in options else ["--model", "tiny"]
    assert words in refused("run", a_real_folder, "--out", tmp_path / "out", *model, *options)
    assert not (tmp_path / "out").exists()


def test_run_refuses_a_folder_that_is_not_there(refused, tmp_path):
    assert "not there" in refused("run", tmp_path / "nobody", "--out", tmp_path / "out", "--model", "tiny")


def test_run_refuses_a_file_as_its_output_folder(refused, a_real_folder, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "--out that is a file" in refused("run", a_real_folder, "--out", tmp_path / "out", "--model", "tiny")
    assert (tmp_path / "out").read_text() == "mine"


def test_run_refuses_tampered_weights(refused, own_models, a_real_folder, tmp_path):
    weights = own_models / "tiny" / zoo.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    sentence = refused("run", a_real_folder, "--out", tmp_path / "out", "--model", own_models / "tiny")
    assert "changed or damaged" in sentence


def test_models_list_names_what_is_installed(command, models):
    code, out, _ = command("models", "list")
    record = zoo.read_record(models / "tiny")
    assert code == 0
    assert all(word in out for word in ("tiny", "diffufusemed", "CT, PET, MR_T1", "1 cases", record.sha256[:12]))


def test_models_list_says_that_none_is_installed(command, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "models_folder", lambda: tmp_path)
    assert command("models", "list")[1] == f"No model is installed in {tmp_path}.\n"


def test_models_verify_tells_intact_from_tampered(command, refused, models, own_models):
    assert command("models", "verify")[:2] == (0, "tiny: the weights are intact.\n")
    (own_models / "tiny" / zoo.WEIGHTS).write_bytes(b"other")
    assert "weights of tiny with sha256" in refused("models", "verify", own_models / "tiny")
    assert "the model 'none'" in refused("models", "verify", "none")


def test_evaluate_scores_the_cases_beside_the_trivial_rows(command, cases_folder, tmp_path):
    table = tmp_path / "deep" / "table.csv"
    code, out, err = command(
        "evaluate", cases_folder, "--fold", 0, "--csv", table, "--model", "tiny", "--samples", 1, "--corruptions",
        "--markdown", tmp_path / "table.md",
    )  # fmt: skip
    assert code == 0
    rows = rows_of(table)
    own = [r["condition"] for r in rows if r["method"] == "tiny" and r["case"] == "trained_on"]
    assert len(own) == len(set(own)) == 18
    assert {"no PET, gating off", "no PET, duplicated", "motion blur strong", "clean"} <= set(own)
    assert sum(r["method"] == "PET 41 %" and r["case"] == "trained_on" for r in rows) == 1
    assert "│ centre ellipsoid" in out
    shown = re.search(r"tiny +│ clean +│ (\d\.\d{3}) \[", out)
    assert shown and float(shown[1]) == pytest.approx(float(rows[0]["dice"]), abs=6e-4)  # the file's is rounded already
    assert "| centre ellipsoid" in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "Note: tiny was trained on 1 of these 1 cases." in err
    held = int(rows[0]["volume_hit"] == "True")
    assert f"tiny: the 95 % interval is shown of the volume in 1 of 1, held in {held}." in out


def test_evaluate_takes_the_crop_of_the_split(command, cases_folder, tmp_path):
    shutil.copytree(cases_folder / "one", tmp_path / "cases" / "one")
    reference_ml = {}
    for name, options in {"cut": ["--split", cases_folder / "split.json"], "whole": []}.items():
        command("evaluate", tmp_path / "cases", "--csv", tmp_path / name, "--model", "tiny", "--samples", 1, *options)
        reference_ml[name] = float(rows_of(tmp_path / name)[0]["reference_volume_ml"])
    assert reference_ml["cut"] < reference_ml["whole"]


def test_evaluate_puts_the_ablations_beside_the_model_once(command, cases_folder, own_models, tmp_path):
    other = own_models / "no-gating"
    (own_models / "tiny").rename(other)
    zoo.write_record(replace(zoo.read_record(other), id="no-gating", training={}), other)
    options = ["--fold", 2, "--model", "tiny", "--samples", 1, "--ablations", own_models]
    code, _, err = command("evaluate", cases_folder, "--csv", tmp_path / "table.csv", *options)
    assert (code, "Note:" in err) == (0, False)
    rows = [r for r in rows_of(tmp_path / "table.csv") if r["case"] == "last patient"]
    methods = ["tiny", "centre ellipsoid", "PET 41 %", "PET > 2.5", "no-gating"]
    assert [r["method"] for r in rows] == methods
    assert rows[0]["dice"] == rows[-1]["dice"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fold", 7], "fold 7, wanted a fold from 0 to 2"),
        (["--fold", 0, "--split", "nothing.json"], "no file nothing.json"),
        (["--ablations", "nothing"], "--ablations without models"),
        (["--model", "none"], "the model 'none'"),
    ],
)
def test_evaluate_refuses_in_one_sentence(refused, cases_folder, tmp_path, options, words):
    model = [] if "--model" in options else ["--model", "tiny"]
    assert words in refused("evaluate", cases_folder, "--csv", tmp_path / "table.csv", *model, *options)


def test_evaluate_refuses_folders_without_cases(refused, cases_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    common = ["--csv", tmp_path / "table.csv", "--model", "tiny"]
    assert "does not exist" in refused("evaluate", tmp_path / "nothing", *common)
    assert "without case folders" in refused("evaluate", tmp_path / "empty", *common)
    assert "--fold without a split" in refused("evaluate", cases_folder / "one", "--fold", 0, *common)


def test_evaluate_refuses_a_table_it_cannot_write_before_it_computes(refused, cases_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.evaluate.evaluate", lambda *_: pytest.fail("computed first"))
    assert "cannot be written" in refused("evaluate", cases_folder, "--fold", 2, "--csv", tmp_path, "--model", "tiny")


def test_diagnose_tells_what_was_measured_and_keeps_each_case(command, refused, cases_folder, tmp_path):
    table = tmp_path / "deep" / "diagnosis.csv"
    options = ["--fold", 0, "--model", "tiny", "--samples", 2]
    code, out, _ = command("diagnose", cases_folder, "--csv", table, *options)
    assert code == 0
    (row,) = rows_of(table)
    assert row["case"] == "trained_on"
    for name in ("Dice", "mutual information / entropy, one look", "denoising, level 0", "Dice after 3, random order"):
        assert name in out
        assert float(row[name]) >= 0
    shutil.copytree(cases_folder / "one", tmp_path / "cases" / "undrawn")
    next((tmp_path / "cases" / "undrawn").glob("GTV*")).unlink()
    assert "without a drawn lesion" in refused("diagnose", tmp_path / "cases", "--model", "tiny")


def test_diagnose_compares_corrections_of_the_probability(
    command, refused, cases_folder, without_one, tmp_path, monkeypatch
):
    path, other = without_one
    table, asked = tmp_path / "corrections.csv", []
    found = CrossFitted.of
    monkeypatch.setattr(CrossFitted, "of", lambda all_of, name: asked.append(name) or found(all_of, name))
    options = ["--model", path, "--cross-fitted", other, "--samples", 1, "--calibrators"]
    code, out, _ = command("diagnose", cases_folder, "--fold", 1, "--csv", table, *options)
    assert code == 0
    assert asked == ["one", "second", "patient 3"] * 2  # before any is read, and then of each
    assert "on 3 cases, each by" in out and "p against Platt" in out
    assert "Wilcoxon" in out  # the legend
    rows = rows_of(table)
    assert {row["case"] for row in rows} == {"one", "second", "patient 3"}
    assert {row["correction"] for row in rows} >= {"none", "Platt", "isotonic", "Platt, size"}
    monkeypatch.setattr("DiffuFuseMedLib.cli.calibrators.compare", lambda *_: pytest.fail("compared first"))
    assert "1 patients" in refused("diagnose", cases_folder, "--fold", 0, "--model", path, "--calibrators")
    assert "--calibrators with --reader" in refused("diagnose", cases_folder, *options[:2], "--calibrators", "--reader")


def test_each_case_is_drawn_by_its_own_network_for_the_comparison(cases_folder, monkeypatch):
    cases = evaluate.read_cases(cases_folder, ["one", "second"], None)
    networks, asked = {"one": SimpleNamespace(record="first"), "second": SimpleNamespace(record="other")}, []
    segment = "DiffuFuseMedLib.tasks.segment"
    monkeypatch.setattr(f"{segment}.predict.draw", lambda case, model, settings: (case.name, model.record))
    monkeypatch.setattr(f"{segment}.calibrators.left_out", lambda bands, seed: {"seed": seed})
    monkeypatch.setattr(
        f"{segment}.calibrators.band_of",
        lambda case, drawn, record: asked.append((case.name, drawn, record)) or SimpleNamespace(name=case.name),
    )
    found = compare(cases, networks.get, Settings(1, seed=7), lambda _: None)
    assert found == ({"seed": 7}, ["one", "second"])
    assert asked == [("one", ("one", "first"), "first"), ("second", ("second", "other"), "other")]


def test_a_correction_is_held_against_platts():
    platt, better = (
        [{"ece": x, "brier": 0.1, "auroc": 0.9} for x in row] for row in ((0.4, 0.2, 0.3), (0.1, 0.1, 0.1))
    )
    told = calibrators_table({"none": better, "Platt": platt, "better": better}, "")
    cells = [list(column.cells) for column in told.columns]
    assert cells[0] == ["none", "Platt", "better"]
    assert cells[1] == ["0.1000", "0.3000", "0.1000"]
    assert cells[3] == ["0.250", "", "0.250"]  # three of three: two of the eight patterns of signs


def test_the_list_s_order_is_held_against_chance():
    listed, chance = "Dice after 5, as listed", "Dice after 5, random order"
    rows = [{listed: 0.8 + 0.01 * n, chance: 0.8} for n in (1, 2, 4, -3)]
    told = diagnosis._against_chance(rows)
    assert "gains 1.0 points of Dice over a random one, in 3 of 4 cases" in told
    assert "p = 0.312" in told  # ranks 1, 2 and 4 make 7 of 10: five of the sixteen patterns of signs reach that
    assert diagnosis._against_chance(rows[:1]) == diagnosis._against_chance([{listed: 0.8, chance: 0.8}] * 3) == ""


def test_calibrate_writes_into_the_models_record(command, cases_folder, own_models):
    path = own_models / "tiny"
    options = ["--fold", 1, "--model", path, "--samples", 1]
    code, out, _ = command("calibrate", cases_folder, *options, "--no-subsets")
    fitted = zoo.verify(str(path)).calibration
    assert code == 0
    assert json.loads(out) == fitted["all"]
    assert set(fitted["without"]) == {"one", "second", "patient 3"}
    assert "given" not in fitted


def test_calibrate_says_on_how_many_patients_with_which_modalities_and_where_it_lies(
    command, cases_folder, own_models, tmp_path
):
    """An untrained network: what some choices tell it is nothing. One patient has no PET."""
    path, folder = own_models / "tiny", tmp_path / "cases"
    shutil.copytree(cases_folder, folder)
    shutil.copytree(folder / "one", folder / "no pet")
    (folder / "no pet" / "PET.nii.gz").unlink()
    split = json.loads((folder / "split.json").read_text())
    split["folds"][1].append("no pet")
    (folder / "split.json").write_text(json.dumps(split))
    _, _, told = command("calibrate", folder, "--fold", 1, "--model", path, "--samples", 1)
    given = zoo.verify(str(path)).calibration["given"]
    assert "With CT, PET, MR T1: 3 patients." in told
    assert "Not among them, since a modality is missing: no pet." in told
    assert f"Written into {path}." in told
    names = {"CT": "CT", "PET": "PET", "MR_T1": "MR T1"}
    for some in ("CT PET", "CT MR_T1", "PET MR_T1", "CT", "PET", "MR_T1"):
        count = "not calibrated" if some not in given else f"{3 if 'PET' in some else 4} patients"
        assert f"With {' and '.join(names[key] for key in some.split())} alone: {count}" in told
    assert 0 < len(given) < 6


def test_calibrate_refuses_training_patients(refused, cases_folder, own_models):
    before = (own_models / "tiny" / zoo.RECORD).read_bytes()
    options = ["--model", own_models / "tiny"]
    assert "fold 0 with 1 of the patients that tiny was trained on" in refused(
        "calibrate", cases_folder, "--fold", 0, *options
    )
    assert "1 patients, wanted at least 3" in refused("calibrate", cases_folder, "--fold", 2, *options)
    assert "fold -1" in refused("calibrate", cases_folder, "--fold", -1, *options)
    assert (own_models / "tiny" / zoo.RECORD).read_bytes() == before


@pytest.fixture
def without_one(own_models):
    """The folders of a "tiny" that saw the patients of folds 0 and 1, and of one that saw those of folds 0 and 2."""
    other = own_models.parent / "without one"
    shutil.copytree(own_models / "tiny", other)
    told = {own_models / "tiny": ["trained_on", "one", "second", "patient 3"], other: ["trained_on", "last patient"]}
    for path, patients in told.items():
        record = zoo.read_record(path)
        zoo.write_record(replace(record, training={**record.training, "patients": patients, "held_out": []}), path)
    return own_models / "tiny", other


def test_calibrate_takes_each_patient_from_a_network_that_never_saw_it(command, refused, cases_folder, without_one):
    path, other = without_one
    options = ["--model", path, "--cross-fitted", f"{other}", "--samples", 1, "--no-subsets"]
    assert "the patient trained_on, whom each of the 2 networks was trained on" in refused(
        "calibrate", cases_folder, *options
    )
    record = zoo.read_record(other)
    zoo.write_record(replace(record, training={**record.training, "patients": []}), other)
    assert command("calibrate", cases_folder, *options)[0] == 0
    fitted = zoo.verify(str(path)).calibration
    assert set(fitted["without"]) == {"trained_on", "one", "second", "patient 3", "last patient"}
    assert "no --fold" in refused("calibrate", cases_folder, "--model", path)


def test_evaluate_and_diagnose_ask_a_network_that_never_saw_the_patient(
    command, refused, cases_folder, without_one, tmp_path
):
    path, other = without_one
    table = tmp_path / "table.csv"
    options = ["--csv", table, "--fold", 1, "--model", path, "--samples", 1]
    assert "was trained on 3 of these 3 cases" in command("evaluate", cases_folder, *options)[2]
    options += ["--cross-fitted", other]
    code, _, err = command("evaluate", cases_folder, *options)
    assert (code, "Note:" in err) == (0, False)
    assert {r["case"] for r in rows_of(table)} >= {"one", "second", "patient 3"}
    assert command("diagnose", cases_folder, *options)[0] == 0
    for more, words in ((["--raters"], "--raters"), (["--ablations", tmp_path], "--ablations")):
        assert f"--cross-fitted with {words}" in refused("evaluate", cases_folder, *options, *more)
    assert "--cross-fitted with --reader" in refused("diagnose", cases_folder, *options, "--reader")
    all_of_them = ["--csv", table, "--model", path, "--samples", 1, "--cross-fitted", other]
    for name in ("evaluate", "diagnose"):
        assert "the patient trained_on, whom each" in refused(name, cases_folder, *all_of_them)


def test_networks_of_other_lengths_are_told(command, cases_folder, without_one, tmp_path):
    path, other = without_one
    for folder, steps in ((path, 100), (other, 200)):
        record = zoo.read_record(folder)
        zoo.write_record(replace(record, training={**record.training, "steps_done": steps}), folder)
    options = ["--fold", 2, "--model", path, "--samples", 1, "--cross-fitted", other]
    _, _, err = command("evaluate", cases_folder, "--csv", tmp_path / "table.csv", *options)
    assert "Note: One network was trained for 200 steps, tiny for 100." in err


@pytest.fixture
def a_recipe(a_recipe, monkeypatch):
    """ "toy": the tiny recipe on the first two folds, three steps of one window."""
    data = TrainingData(folds=(0, 1), held_out=("second",))
    recipe = a_recipe(model_id="toy", data=data, batch=1, steps=3, minutes=10.0)
    monkeypatch.setitem(recipes.RECIPES, "toy", recipe)
    return recipe


@pytest.fixture
def train_toy(command, cases_folder, tmp_path):
    """A function of more options: train "toy" into a folder of the test's own; returns (exit code, stdout, stderr)."""

    def run(*options, out="models"):
        where = ["--out", tmp_path / out, "--checkpoints", tmp_path / "checkpoints"]
        return command("train", cases_folder, "--recipe", "toy", *where, *options)

    return run


def test_train_writes_a_model_that_runs(command, train_toy, a_recipe, cases_folder, tmp_path):
    code, out, _ = train_toy("--seed", 4)
    assert (code, out) == (0, f"{tmp_path / 'models' / 'toy'}: 3 steps.\n")
    record = zoo.verify(str(tmp_path / "models" / "toy"))
    assert record.training["patients"] == ["trained_on", "one", "patient 3"]
    assert (record.training["seed"], record.training["steps_done"]) == (4, 3)
    options = ["--model", tmp_path / "models" / "toy", "--samples", 1]
    uncalibrated = command("run", cases_folder / "second", "--out", tmp_path / "out", *options)
    assert uncalibrated[0] == 2
    assert "calibrate" in uncalibrated[2]
    fitted = {"all": {"scale": 1.0, "offset": 0.0, "contour_width": 1.0}}
    zoo.write_record(replace(record, calibration=fitted), tmp_path / "models" / "toy")
    assert command("run", cases_folder / "second", "--out", tmp_path / "out", *options)[0] == 0


def test_train_stops_by_the_clock(train_toy, a_recipe, tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "toy", replace(a_recipe, steps=10**6))
    code, _, _ = train_toy("--minutes", 0.01)
    assert code == 0
    assert zoo.verify(str(tmp_path / "models" / "toy")).training["steps_done"] < 1000


def test_train_that_was_stopped_goes_on_with_resume(train_toy, a_recipe, tmp_path, monkeypatch):
    """SIGTERM: the step is finished, and a sentence says how to go on."""
    assert train_toy(out="unbroken")[0] == 0
    real = loop.train_step

    def interrupted(stage, state, device):
        if state.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        real(stage, state, device)

    monkeypatch.setattr(loop, "train_step", interrupted)
    code, out, err = train_toy()
    folder = tmp_path / "checkpoints" / "toy"
    sentence = f"The training was stopped after step 2 of toy: the same command with --resume goes on from {folder}."
    assert (code, out) == (130, "")
    assert sentence in err.splitlines()
    assert "go on with --resume" in train_toy()[2]
    monkeypatch.setattr(loop, "train_step", real)
    assert "another seed" in train_toy("--resume", "--seed", 9)[2]
    assert train_toy("--resume")[:2] == (0, f"{tmp_path / 'models' / 'toy'}: 3 steps.\n")
    whole, resumed = (zoo.verify(str(tmp_path / name / "toy")) for name in ("unbroken", "models"))
    assert resumed.sha256 == whole.sha256
    assert "no checkpoint in" in train_toy("--resume")[2]


def test_train_lets_regions_guide_any_recipe_and_its_record_tells_how(train_toy, a_recipe, tmp_path, monkeypatch):
    assert train_toy(out="plain")[0] == train_toy("--drgo", out="guided")[0] == 0
    monkeypatch.setitem(recipes.RECIPES, "toy", replace(a_recipe, drgo=Drgo(gamma=0.1)))
    assert train_toy("--drgo", out="own")[0] == 0
    plain, guided, own = (zoo.verify(str(tmp_path / name / "toy")) for name in ("plain", "guided", "own"))
    assert plain.training["drgo"] is None
    assert guided.training["drgo"] == asdict(Drgo())
    assert own.training["drgo"] == asdict(Drgo(gamma=0.1))
    assert len({record.sha256 for record in (plain, guided, own)}) == 3


def test_train_lets_any_recipe_see_fainter_lesions_and_its_record_tells_how_often(train_toy, a_recipe, tmp_path):
    assert train_toy(out="plain")[0] == train_toy("--faint", 1, out="faint")[0] == 0
    plain, faint = (zoo.verify(str(tmp_path / name / "toy")) for name in ("plain", "faint"))
    assert (plain.window["faint"], faint.window["faint"]) == (0.0, 1.0)
    assert plain.sha256 != faint.sha256


def test_train_weighs_the_calibration_error_of_any_recipe_where_it_is_asked_to(train_toy, a_recipe, tmp_path):
    assert train_toy(out="plain")[0] == train_toy("--ace", 1, out="weighed")[0] == 0
    plain, weighed = (zoo.verify(str(tmp_path / name / "toy")) for name in ("plain", "weighed"))
    assert (plain.training["ace"], weighed.training["ace"]) == (0.0, 1.0)
    assert plain.sha256 != weighed.sha256


def test_train_takes_other_folds_than_the_recipes(train_toy, refused, a_recipe, cases_folder, tmp_path):
    assert train_toy("--folds", "2, 1")[0] == 0
    record = zoo.verify(str(tmp_path / "models" / "toy"))
    assert record.training["folds"] == [1, 2]
    assert record.training["patients"] == ["one", "patient 3", "last patient"]  # the second is held out of any
    options = ["--out", tmp_path / "other", "--recipe", "toy"]
    assert "--folds '1,-2', wanted numbers" in refused("train", cases_folder, *options, "--folds", "1,-2")
    assert "wanted the recipe's folds 3" in refused("train", cases_folder, *options, "--folds", "3")
    fusion = ["--recipe", "clin-fusediff", "--folds", "0"]
    assert "--folds for a fusion" in refused("train", cases_folder, *options[:2], *fusion)


def test_train_refuses_in_one_sentence(refused, a_recipe, cases_folder, tmp_path):
    options = ["--out", tmp_path / "models", "--recipe", "toy"]
    assert "the recipe 'wrong', wanted one of sts-diffufusemed" in refused("train", cases_folder, "--recipe", "wrong")
    assert "no file split.json" in refused("train", tmp_path, *options)
    (tmp_path / "split.json").write_text(json.dumps({"folds": [["nobody"], []]}))
    assert "not there" in refused("train", tmp_path, *options)
    (tmp_path / "split.json").write_text(json.dumps({"folds": [["nobody"]]}))
    assert "a split of 1 folds, counted from 0, wanted the recipe's folds 0, 1" in refused("train", tmp_path, *options)
    (tmp_path / "split.json").write_text(json.dumps({"folds": [[], ["second"]]}))
    assert "training folds are empty" in refused("train", tmp_path, *options)
    assert not (tmp_path / "models").exists()


def test_an_out_that_takes_no_file_is_refused_before_anything_is_computed(refused, monkeypatch, tmp_path):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(inputs, "TemporaryFile", full)
    sentence = refused("run", tmp_path / "no case is looked for", "--out", tmp_path / "a" / "b")
    assert "an --out that cannot be written (No space left on device)" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_writing_is_one_sentence(refused, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("DiffuFuseMedLib.cli.one_case.load_model", full)
    sentence = refused("run", tmp_path, "--out", tmp_path / "out")
    assert "a disk that refuses the files (No space left on device)" in sentence


def test_train_refuses_what_a_recipe_has_no_use_for(refused, a_recipe, cases_folder, tmp_path):
    assert "--pairs for the recipe 'toy'" in refused("train", cases_folder, "--recipe", "toy", "--pairs", tmp_path)
    assert "--start for a fusion" in refused("train", cases_folder, "--recipe", "clin-fusediff", "--start", "toy")
    assert "--drgo for a fusion" in refused("train", cases_folder, "--recipe", "clin-fusediff", "--drgo")
    assert "--synthetic for a fusion" in refused("train", cases_folder, "--recipe", "clin-fusediff", "--synthetic", 0.5)
    assert "--faint for a fusion" in refused("train", cases_folder, "--recipe", "clin-fusediff", "--faint", 0)
    assert "--drgo for the recipe 'sts-inpainter'" in refused(
        "train", cases_folder, "--recipe", "sts-inpainter", "--drgo"
    )


def test_train_with_synthetic_cases_needs_a_share_and_a_synthesizer(refused, a_recipe, cases_folder, tmp_path):
    asked = ("train", cases_folder, "--recipe", "toy", "--out", tmp_path / "models", "--synthetic")
    assert "a share of synthetic batches of 2" in refused(*asked, 2)
    assert "a share of synthetic batches of 0" in refused(*asked, 0)
    assert "the model 'nowhere'" in refused(*asked, 0.5, "--synthesizer", "nowhere")
    assert not (tmp_path / "models").exists()


def test_train_hands_over_what_makes_synthetic_cases(train_toy, a_recipe, monkeypatch):
    seen = {}

    def run(recipe, *others, **makers):
        seen.update(makers, share=recipe.synthetic.share)
        raise KeyboardInterrupt

    monkeypatch.setattr("DiffuFuseMedLib.tasks.synthesize.hybrid.run_hybrid_recipe", run)
    train_toy("--synthetic", 0.25, "--synthesizer", "drawer", "--inpainter", "remover")
    assert seen == {"share": 0.25, "synthesizer": "drawer", "inpainter": "remover"}


@pytest.mark.parametrize("name", ["run", "evaluate", "calibrate"])
def test_a_model_that_fuses_is_refused_where_one_that_segments_is_wanted(
    refused, a_real_folder, cases_folder, fusion_models, tmp_path, name
):
    options = {
        "run": [a_real_folder, "--out", tmp_path / "out"],
        "evaluate": [cases_folder, "--csv", tmp_path / "t.csv"],
        "calibrate": [cases_folder, "--fold", 1],
    }[name]
    sentence = refused(name, *options, "--model", fusion_models / "clin-fusediff-student")
    assert "the model clin-fusediff-student, which fuses, wanted a model that segments (tiny)" in sentence
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["--out", ""], ["--out="], ["--out", " "]])
def test_an_empty_path_is_not_the_present_folder(refused, a_real_folder, arguments):
    assert "an empty argument of --out" in refused("run", a_real_folder, *arguments)


@pytest.mark.parametrize("error", [
    MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    RuntimeError("std::bad_alloc"), OSError(errno.ENOMEM, "Cannot allocate memory"),
    ImportError("libtorch.so: failed to map segment from shared object: Cannot allocate memory"),
])  # fmt: skip
def test_too_little_memory_is_a_sentence_with_an_exit_code_of_its_own(error, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["diffufusemed"])

    def application():
        raise error

    with pytest.raises(SystemExit) as stopped:
        cli.main(application)
    words = capsys.readouterr().err
    assert stopped.value.code == 3 and words.startswith("Given a task for which the memory does not suffice")
    assert "Traceback" not in words


def test_another_fault_is_still_a_fault(monkeypatch):
    monkeypatch.setattr("sys.argv", ["diffufusemed"])

    def application():
        raise RuntimeError("a fault in the program")

    with pytest.raises(RuntimeError, match="a fault"):
        cli.main(application)


def test_help_lists_the_commands(command):
    code, out, _ = command("--help")
    assert code == 0
    assert all(name in out for name in ("run", "train", "calibrate", "evaluate", "models"))


def test_results_stay_on_the_ct_grid_when_the_ct_is_switched_off(command, a_real_folder, tmp_path):
    options = ["--model", "tiny", "--samples", 1, "--modalities", "PET,MR_T1"]
    assert command("run", a_real_folder, "--out", tmp_path / "out", *options)[0] == 0
    whole = sitk.ReadImage(a_real_folder / "CT.nii.gz")
    result = sitk.ReadImage(tmp_path / "out" / "probability.nrrd")
    assert result.GetSize() == whole.GetSize()
    assert result.GetSpacing() == pytest.approx(whole.GetSpacing())


def test_names_the_modalities_that_are_there_when_another_is_wanted(refused, a_real_folder, tmp_path):
    sentence = refused("run", a_real_folder, "--out", tmp_path, "--model", "tiny", "--modalities", "MR_T2")
    assert "without MR_T2" in sentence and "what it has (CT, PET, MR_T1)" in sentence
