"""The blinded sheet: nothing in it says which tumor is real, and the key says it of each."""

import json
import re
from dataclasses import replace

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.report.reader_study import StudyItem, read_answers, write_reader_study


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
    for entry in key.values():
        assert entry["source"] not in page.source
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
    assert json.loads((folder / "key.json").read_text(encoding="utf-8")) == key
    assert sorted(entry["source"] for entry in key.values()) == sorted(item.source for item in items)
    assert all(entry["truth"] == ("synthetic" if "synthetic" in entry["source"] else "real") for entry in key.values())
    assert write_reader_study(items, tmp_path / "again", seed=1) == key
    others = [write_reader_study(items, tmp_path / f"other{seed}", seed=seed) for seed in (2, 3)]
    assert any(other != key for other in others)


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
    file.write_text(json.dumps({"reader": "a", "answers": answers}), encoding="utf-8")
    assert read_answers(file, study[0]) == {"1": {"said": "real", "sure": 2}, "3": {"said": "synthetic", "sure": 3}}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"answers": {}}',
        '{"answers": {"99": {"said": "real", "sure": 1}}}',
        '{"answers": {"1": {"said": "maybe", "sure": 1}}}',
        '{"answers": {"1": {"said": "real"}}}',
    ],
)
def test_what_is_no_answers_to_this_sheet_is_refused(study, tmp_path, text):
    file = tmp_path / "answers.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"the answers answers\.json"):
        read_answers(file, study[0])
