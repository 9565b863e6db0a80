"""The blinded sheet: nothing in it says which tumor is real, and the key says it of each."""

import json
import re
from dataclasses import replace

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.report.reader_study import StudyItem, read_answers, read_key, write_reader_study


@pytest.fixture
def items(a_case):
    real = [StudyItem(a_case(name=f"patient{n}"), False, f"STS_{n}") for n in range(3)]
    return [*real, *(StudyItem(a_case(name=f"made{n}"), True, f"synthetic_0{n}") for n in range(2))]


@pytest.fixture
def study(items, tmp_path):
    return write_reader_study(items, tmp_path / "study", seed=1), tmp_path / "study"


def test_the_sheet_shows_every_modality_of_each_case_and_does_not_say_which_is_which(study, page_of):
    key, folder = study
    page = page_of(folder / "sheet.html")
    assert len(page.images) == 5 * 3
    assert [image["alt"] for image in page.images][:1] == ["Item 1, CT, axial"]
    for entry in key["items"].values():
        assert entry["source"] not in page.source
    assert "seed" not in page.source
    assert not re.search(r"patient\d|made\d", page.source)
    asked = [attrs for tag, attrs in page.tags if tag == "input" and attrs.get("name", "").startswith("said-")]
    assert sorted({a["name"] for a in asked}) == [f"said-{n}" for n in range(1, 6)]
    assert not any("checked" in attrs for attrs in asked), "no answer is proposed"


def test_the_sheet_takes_nothing_from_elsewhere(study):
    source = (study[1] / "sheet.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in source
    assert not re.search(r"(src|href)=\"(?!data:)", source)


def test_the_key_names_each_item_and_the_order_is_the_seeds(study, items, tmp_path):
    key, folder = study
    assert read_key(folder / "key.json") == key
    known = key["items"]
    assert sorted(entry["source"] for entry in known.values()) == sorted(item.source for item in items)
    assert all(
        entry["truth"] == ("synthetic" if "synthetic" in entry["source"] else "real") for entry in known.values()
    )
    again = write_reader_study(items, tmp_path / "again", seed=1)
    assert again["items"] == known and again["study"] != key["study"]
    others = [write_reader_study(items, tmp_path / f"other{seed}", seed=seed) for seed in (2, 3)]
    assert any(other["items"] != known for other in others)


def test_the_order_is_a_secret_one_by_default(items, tmp_path):
    seeds = {write_reader_study(items, tmp_path / str(n))["seed"] for n in range(2)}
    assert len(seeds) == 2


def test_a_key_is_never_written_over(study, items):
    key, folder = study
    with pytest.raises(InputError, match=r"which holds the key\.json of another study"):
        write_reader_study(items, folder)
    assert read_key(folder / "key.json") == key


def test_real_cases_alone_make_no_study(items, tmp_path):
    with pytest.raises(InputError, match="3 cases of one kind"):
        write_reader_study(items[:3], tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_case_without_a_tumor_is_refused_by_name(items, tmp_path):
    bare = StudyItem(replace(items[0].case, reference_mask=None), False, "STS_9")
    with pytest.raises(InputError, match="patient0 without a drawn tumor"):
        write_reader_study([bare, *items[1:]], tmp_path / "study")


def test_answers_are_read_and_open_items_left_out(study, tmp_path):
    file = tmp_path / "answers-a.json"
    answers = {"1": {"said": "real", "sure": 2}, "2": {"said": "", "sure": 1}, "3": {"said": "synthetic", "sure": 3}}
    told = {"study": study[0]["study"], "reader": "Ann", "answers": answers}
    file.write_text(json.dumps(told), encoding="utf-8")
    found = {"1": {"said": "real", "sure": 2}, "3": {"said": "synthetic", "sure": 3}}
    assert read_answers(file, study[0]) == ("Ann", found)
    file.write_text(json.dumps({**told, "study": "another"}), encoding="utf-8")
    with pytest.raises(InputError, match="to another sheet"):
        read_answers(file, study[0])


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, "without a single one"),
        ({"99": {"said": "real", "sure": 1}}, "to another sheet"),
        ({"1": {"said": "maybe", "sure": 1}}, "for item 1"),
        ({"1": {"said": "real", "sure": 99}}, "for item 1"),
        ({"1": {"said": "real"}}, "a file that the sheet saved"),
        ([], "a file that the sheet saved"),
    ],
)
def test_what_is_no_answers_to_this_sheet_is_refused(study, tmp_path, answers, told):
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"study": study[0]["study"], "answers": answers}), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_answers(file, study[0])


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"study": "a", "seed": 1, "items": {"1": {"truth": "both"}}}'])
def test_what_is_no_key_is_refused(tmp_path, text):
    (tmp_path / "key.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="as `reader-study sheet` wrote it"):
        read_key(tmp_path / "key.json")
    with pytest.raises(InputError, match="which is not there"):
        read_key(tmp_path / "other.json")
