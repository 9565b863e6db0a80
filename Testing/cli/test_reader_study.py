"""`diffufusemed reader-study`: a sheet of folders, and the count of what came back."""

import json

import pytest


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


def test_a_synthetic_case_among_the_real_ones_is_not_taken_for_one(command, folders, tmp_path):
    real, made = folders
    (made / "synthetic_01").rename(real / "case_3")
    (real / "case_3" / "synthetic.json").rename(real / "case_3" / "GTV_synthetic.txt")
    _, _, told = command("reader-study", "sheet", real, made, "--out", tmp_path / "study")
    assert "Left out of real, as their files say synthetic: 1." in told
    key = json.loads((tmp_path / "study" / "key.json").read_text(encoding="utf-8"))
    assert sorted(entry["source"] for entry in key["items"].values()) == ["STS_1", "STS_2", "synthetic_02"]


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
