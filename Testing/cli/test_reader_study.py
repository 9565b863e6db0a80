"""`diffufusemed reader-study`: a sheet of folders, and the count of what came back."""

import json

import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.synthetic import DESCRIPTION


@pytest.fixture
def folders(write_case, a_case, tmp_path):
    """Two real cases, and two of which a record says that they are synthetic."""
    for number in (1, 2):
        write_case(a_case(), tmp_path / "real" / f"STS_{number}")
        made = write_case(a_case(), tmp_path / "made" / f"synthetic_0{number}")
        (made / "synthetic.json").write_text("{}", encoding="utf-8")
    return tmp_path / "real", tmp_path / "made"


def answered(folder, wrong=()):
    key = json.loads((folder / "key.json").read_text(encoding="utf-8"))
    other = {"real": "synthetic", "synthetic": "real"}
    said = {n: other[e["truth"]] if n in wrong else e["truth"] for n, e in key["items"].items()}
    answers = {n: {"said": word, "sure": 2} for n, word in said.items()}
    answers = {"study": key["study"], "reader": "Ann", "answers": answers}
    (folder / "answers-ann.json").write_text(json.dumps(answers), encoding="utf-8")
    return folder / "answers-ann.json"


def test_a_sheet_is_made_and_answers_are_counted(command, folders, tmp_path):
    code, said, _ = command("reader-study", "sheet", *folders, "--out", tmp_path / "study")
    assert code == 0 and "2 real and 2 synthetic cases in sheet.html" in said
    answers = answered(tmp_path / "study", wrong=("2",))
    code, said, _ = command("reader-study", "count", tmp_path / "study" / "key.json", answers)
    assert code == 0 and "Ann (answers-ann.json)" in said and "3 of 4, 0 open" in said


def test_n_is_of_each_kind(command, folders, tmp_path):
    command("reader-study", "sheet", *folders, "--out", tmp_path / "study", "--n", 1)
    key = json.loads((tmp_path / "study" / "key.json").read_text(encoding="utf-8"))
    assert sorted(entry["truth"] for entry in key["items"].values()) == ["real", "synthetic"]


def test_of_unequal_folders_as_many_of_each_are_shown_and_that_is_told(command, folders, write_case, a_case, tmp_path):
    for number in (3, 4, 5):
        write_case(a_case(), folders[0] / f"STS_{number}")
    code, said, told = command("reader-study", "sheet", *folders, "--out", tmp_path / "study")
    assert code == 0 and "2 real and 2 synthetic cases in sheet.html" in said
    assert "There are 5 real and 2 synthetic cases: 2 of each are shown." in told
    _, _, told = command("reader-study", "sheet", *folders, "--out", tmp_path / "fewer", "--n", 2)
    assert "are shown" not in told, "nothing is left out that was asked for"


def test_the_choice_is_the_seeds(command, folders, write_case, a_case, tmp_path):
    for number in range(3, 9):
        write_case(a_case(), folders[0] / f"STS_{number}")

    def chosen(seed, name):
        command("reader-study", "sheet", *folders, "--out", tmp_path / name, "--seed", seed)
        key = json.loads((tmp_path / name / "key.json").read_text(encoding="utf-8"))
        return sorted(entry["source"] for entry in key["items"].values())

    assert chosen(1, "a") == chosen(1, "b")
    assert len({tuple(chosen(seed, f"other{seed}")) for seed in range(4)}) > 1


def test_synthetic_cases_of_several_runs_lie_in_a_folder_each(command, folders, tmp_path):
    real, made = folders
    for number, name in ((1, "A"), (2, "B")):
        (made / name).mkdir()
        (made / f"synthetic_0{number}").rename(made / name / "synthetic_01")
        record = json.dumps({"synthetic": True, "drawn_into": name})
        (made / name / "synthetic_01" / "synthetic.json").write_text(record, encoding="utf-8")
    code, said, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "study")
    assert code == 0 and "2 real and 2 synthetic" in said and "recognize" not in told
    key = json.loads((tmp_path / "study" / "key.json").read_text(encoding="utf-8"))
    assert {"A/synthetic_01", "B/synthetic_01"} < {entry["source"] for entry in key["items"].values()}


def test_synthetic_tumors_of_one_patient_are_warned_of(command, folders, tmp_path):
    real, made = folders
    for path in made.iterdir():
        (path / "synthetic.json").write_text('{"drawn_into": "STS_1"}', encoding="utf-8")
    _, _, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "study")
    assert "All 2 synthetic tumors are drawn into STS_1" in told
    _, _, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "one", "--n", 1)
    assert "recognize" not in told


def test_a_synthetic_case_under_another_name_is_known_by_its_header(command, folders, tmp_path):
    real, made = folders
    image = sitk.ReadImage(str(next((real / "STS_1").glob("CT*"))))
    image.SetMetaData("ITK_FileNotes", DESCRIPTION)
    next((real / "STS_1").glob("CT*")).unlink()
    sitk.WriteImage(image, str(real / "STS_1" / "CT.nii.gz"))
    code, _, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "study")
    assert code != 0 and "STS_1 among the real ones" in told and not (tmp_path / "study").exists()


def test_a_study_that_is_there_is_refused_before_anything_is_read(command, folders, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "key.json").write_text("{}", encoding="utf-8")
    code, _, told = command("reader-study", "sheet", "nowhere", "nowhere", "--out", tmp_path / "study")
    assert code != 0 and "of another study" in told


def test_a_synthetic_case_among_the_real_ones_is_not_taken_for_one(command, folders, tmp_path):
    real, made = folders
    (made / "synthetic_01").rename(real / "case_3")
    (real / "case_3" / "synthetic.json").rename(real / "case_3" / "GTV_synthetic.txt")
    (real / "STS_2").rename(tmp_path / "STS_2")
    _, _, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "study")
    assert "Left out of real, as their files say synthetic: 1." in told
    key = json.loads((tmp_path / "study" / "key.json").read_text(encoding="utf-8"))
    assert sorted(entry["source"] for entry in key["items"].values()) == ["STS_1", "synthetic_02"]


def test_folders_without_such_cases_are_refused(command, folders, tmp_path):
    real, made = folders
    code, _, told = command("reader-study", "sheet", made, real, "--out", tmp_path / "study")
    assert code != 0 and "made without a real case" in told
    code, _, told = command("reader-study", "sheet", tmp_path / "none", made, "--out", tmp_path / "study")
    assert code != 0 and "which is not there" in told


def test_a_file_that_is_no_key_is_refused(command, folders, tmp_path):
    command("reader-study", "sheet", *folders, "--out", tmp_path / "study")
    answers = answered(tmp_path / "study")
    code, _, told = command("reader-study", "count", answers, answers)
    assert code != 0 and "the key answers-ann.json" in told
