"""`diffufusemed evaluate-fusion`: its files, words and refusals, on slices of the real case."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.cli import evaluate_fusion
from DiffuFuseMedLib.cli.fusion_tables import PRIMARY
from DiffuFuseMedLib.models.registry import read_record, write_record
from DiffuFuseMedLib.preprocessing.load import load_case
from rich.table import Table


@pytest.fixture
def models(fusion_models, tmp_path):
    """The small networks, the student said to be trained on one of the series."""
    folder = shutil.copytree(fusion_models, tmp_path / "models")
    student = folder / "clin-fusediff-student"
    write_record(replace(read_record(student), training={"trained_on": ["CT-MRI 20"]}), student)
    return folder


@pytest.fixture
def command(command):
    """A function of the arguments of evaluate-fusion, with the small networks."""
    return lambda *arguments: command("evaluate-fusion", *arguments, "--device", "cpu")


@pytest.fixture
def refused(command, tmp_path):
    """A function of arguments: the one sentence they are refused with; no table was written."""

    def run(folder, *options):
        code, out, err = command(folder, "--csv", tmp_path / "t.csv", *options)
        sentences = [line for line in err.splitlines() if line.startswith("Given ")]
        assert (code, out, len(sentences)) == (2, "", 1), err
        assert "Traceback" not in err
        assert not (tmp_path / "t.csv").exists() or not (tmp_path / "t.csv").read_text()
        return sentences[0]

    return run


def rows_of(file):
    with file.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_writes_table_record_markdown_and_pictures(command, a_pairs_folder, models, tmp_path):
    out = tmp_path / "deep"
    code, said, err = command(
        a_pairs_folder, "--csv", out / "t.csv", "--save", out / "s", "--markdown", out / "t.md", "--series", "33,41",
        "--preset", "bone-tumor", "--alpha", 0.25, "--seed", 3,
    )  # fmt: skip
    assert code == 0, err
    rows, record = rows_of(out / "t.csv"), json.loads((out / "t.json").read_text(encoding="utf-8"))
    assert len([r for r in rows if r["case"] in ("33001", "41007")]) == 2 * 8
    assert len([r for r in rows if r["case"] in ("mean", "low 95 %", "high 95 %")]) == 2 * 8 * 3
    fused, mean = (next(r for r in rows if r["case"] == case and r["method"] == "fused") for case in ("33001", "mean"))
    assert float(fused["Qabf"]) == float(mean["Qabf"]) > 0
    for name in ("student", "teacher"):
        model = json.loads((models / f"clin-fusediff-{name}" / "model.json").read_text(encoding="utf-8"))
        assert record["models"][model["id"]] == model["sha256"]
    settings = record["conditions"][0]["settings"]
    assert (settings["alpha"], settings["beta"], settings["samples"], settings["seed"]) == (0.25, 0.95, 1, 3)
    assert set(record["aims"]) == {"CT-MRI"}
    assert [p.relative_to(out / "s").as_posix() for p in sorted((out / "s").rglob("*.png"))] == [
        "CT/33001.png", "SPECT/41007.png", "color/SPECT/41007.png"
    ]  # fmt: skip
    assert sitk.ReadImage(str(out / "s" / "CT" / "33001.png")).GetPixelID() == sitk.sitkUInt8
    page = (out / "t.md").read_text(encoding="utf-8")
    assert "### CT-MRI, as registered" in page
    assert "### SPECT-MRI, as registered" in page
    assert page.count("| as registered | laplacian pyramid") == 4
    for words in (said, page):
        assert "CT-MRI: bone_psnr_ct " in words
        assert ", aim > 20: m" in words
        assert "CT-MRI: missed " in words
        assert "SPECT-MRI: missed" not in words
        assert "made with other thresholds" in words
        assert "in the training" not in words


def test_a_row_of_the_markdown_is_one_line_however_many_intervals_it_holds(tmp_path):
    table = Table("condition", *PRIMARY, title="cases")
    table.add_row("as registered", *["38.559 [24.836, 53.769]"] * len(PRIMARY))
    evaluate_fusion._write_markdown(tmp_path / "t.md", [table], ["a note"])
    rows = [line for line in (tmp_path / "t.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert len(rows) == 3 and rows[2].count("[24.836, 53.769]") == len(PRIMARY)


def test_one_kind_of_pairs_is_saved_under_its_plain_names(command, a_pairs_folder, tmp_path):
    folder = shutil.copytree(a_pairs_folder, tmp_path / "pairs", ignore=shutil.ignore_patterns("SPECT", "41*", "33*"))
    code, said, err = command(folder, "--csv", tmp_path / "t.csv", "--save", tmp_path / "s")
    assert code == 0, err
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["20001.png", "20002.png"]
    assert "1 of these 1 series were in the training: CT-MRI 20." in said


def test_the_sweep_starts_at_0_and_says_what_a_millimeter_is(command, a_pairs_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.fuse.evaluate.conditions.SWEEP_MM", (4,))
    code, said, err = command(a_pairs_folder, "--csv", tmp_path / "t.csv", "--series", "33", "--sweep")
    assert code == 0, err
    table = said.split("CT-MRI, misregistration")[1]
    assert (table.count("│ as registered"), table.count("│ MRI moved 4 mm")) == (8, 8)
    assert "1 px counts as 1 mm" in said


def test_the_ablations_have_a_row_each(command, a_pairs_folder, tmp_path):
    code, said, err = command(a_pairs_folder, "--csv", tmp_path / "t.csv", "--series", "33", "--ablations", "--few", 1)
    assert code == 0, err
    rows = [r for r in rows_of(tmp_path / "t.csv") if r["part"] == "ablations" and r["case"] == "33001"]
    assert len(rows) == 21
    assert {r["method"] for r in rows} == {"fused"}
    by_name = {r["condition"]: r for r in rows}
    assert by_name["alpha 0"]["SD"] != by_name["alpha 1"]["SD"]
    assert by_name["warp jitter up to 0 px"]["SD"] != by_name["warp jitter up to 3 px"]["SD"]
    # without an ROI no slider has anything to act on
    empty, zero = (next(r for n, r in by_name.items() if n.startswith("no ROI") and w in n) for w in ("empty", "at 0"))
    assert float(empty["SD"]) > 0
    assert float(zero["SD"]) > 0
    assert "those made for scoring stand in" in said


def test_a_case_is_evaluated_with_its_lesion(command, a_real_folder, tmp_path, write_case):
    folder = write_case(load_case(a_real_folder).cropped((14, 0, 0), (18, 42, 53)), tmp_path / "cases" / "STS_010")
    code, said, err = command(folder.parent, "--csv", tmp_path / "t.csv", "--save", tmp_path / "s")
    assert code == 0, err
    fused = next(r for r in rows_of(tmp_path / "t.csv") if r["case"] == "STS_010")
    assert 0 <= float(fused["lesion_dice"]) <= 1
    assert (tmp_path / "s" / "STS_010.nrrd").is_file()
    assert "the lesion head that never guided a picture, against the case's reference mask" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--series", "77"], "the series '77', wanted some of those there (20, 33, 41)"),
        (["--alpha", "2"], "alpha=2"),
        (["--preset", "knee"], "the preset 'knee'"),
        (["--steps", "2", "--guided"], "--steps and --guided, wanted one of them"),
    ],
    ids=str,
)
def test_refuses_in_one_sentence(refused, a_pairs_folder, options, words):
    assert words in refused(a_pairs_folder, *options)


def test_refuses_a_folder_with_a_picture_alone(refused, a_pairs_folder, tmp_path):
    folder = shutil.copytree(a_pairs_folder, tmp_path / "pairs")
    (folder / "CT" / "33001.png").unlink()
    assert "MRI/33001.png without a CT or SPECT of this name" in refused(folder)
    shutil.rmtree(folder / "MRI")
    assert "MRI/ beside CT/, PET/ or SPECT/" in refused(folder)


def test_refuses_what_is_neither_pairs_nor_cases(refused, tmp_path):
    assert "no folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "neither pairs nor cases" in refused(tmp_path / "empty")


def test_refuses_to_save_over_what_it_reads(refused, a_pairs_folder):
    assert "--save inside the folder that is read" in refused(a_pairs_folder, "--save", a_pairs_folder / "CT")
    assert not (a_pairs_folder / "CT" / "CT").exists()


def test_refuses_a_csv_in_the_records_place(command, a_pairs_folder, tmp_path):
    code, _, err = command(a_pairs_folder, "--csv", tmp_path / "t.json")
    assert (code, "a --csv that ends in .json" in err) == (2, True)
