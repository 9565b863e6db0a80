"""Presets: the shipped ones say what their clinical question needs; a user's own come back as saved or are refused."""

import json
import math
from dataclasses import asdict, replace

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.presets import PRESETS, check_values, find_preset, load_preset, save_preset, user_presets

MINE = replace(PRESETS["bone-tumor"], name="my knee", title="Knee, Müller's way", alpha=0.25)


@pytest.fixture
def a_file_with(tmp_path):
    """A function of changes to a saved preset's entries (... takes one away): the file with them."""

    def write(**changes):
        entries = {"version": 1, **asdict(MINE), **changes}
        file = tmp_path / "mine.json"
        file.write_text(json.dumps({k: v for k, v in entries.items() if v is not ...}))
        return file

    return write


def test_each_clinical_question_of_the_product_has_a_preset_with_its_reason():
    assert set(PRESETS) == {
        "bone-tumor", "soft-tissue-sarcoma", "brain-glioma", "brain-haemorrhage", "head-and-neck",
        "radiotherapy-planning",
    }  # fmt: skip
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert 1 <= preset.reason.count(". ") + preset.reason.endswith(".") <= 2


def test_no_two_presets_ask_for_the_same_picture():
    values = [(p.alpha, p.beta, p.gamma, p.lambdas, p.tau_mm, p.ct_window_hu) for p in PRESETS.values()]
    assert len(set(values)) == len(values)


def test_a_bone_tumor_keeps_bone_like_ct_up_to_the_density_of_cortex():
    bone = PRESETS["bone-tumor"]
    assert bone.beta == max(p.beta for p in PRESETS.values())
    assert bone.ct_window_hu == (-200, 1300)


def test_a_haemorrhage_stands_out_from_brain():
    blood = PRESETS["brain-haemorrhage"]
    low, high = blood.ct_window_hu
    assert (70 - 35) / (high - low) == 0.25  # a quarter of the gray scale between clot (70 HU) and brain (35 HU)
    assert blood.alpha == min(p.alpha for p in PRESETS.values())


def test_radiotherapy_puts_bone_and_border_first_within_2_mm():
    plan = PRESETS["radiotherapy-planning"]
    assert (plan.beta, plan.gamma, plan.tau_mm) == (0.95, 0.95, 2.0)
    assert plan.gamma == max(p.gamma for p in PRESETS.values())


@pytest.mark.parametrize("preset", [*PRESETS.values(), MINE], ids=lambda p: p.name)
def test_a_saved_preset_comes_back_as_it_was(preset, tmp_path):
    file = tmp_path / "new folder" / "preset.json"
    save_preset(preset, file)
    assert load_preset(file) == preset
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1
    assert [p.name for p in file.parent.iterdir()] == ["preset.json"]


def test_whole_numbers_are_numbers_too(a_file_with):
    assert load_preset(a_file_with(alpha=1, beta=0, lambdas=[1, 0, 10])).lambdas == (1, 0, 10)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alpha": 1.01}, "alpha=1.01, wanted a number from 0 to 1"),
        ({"beta": -0.1}, "beta=-0.1"),
        ({"gamma": "0.5"}, "gamma='0.5'"),
        ({"gamma": True}, "gamma=True"),
        ({"alpha": None}, "alpha=None"),
        ({"alpha": math.nan}, "alpha=nan"),
        ({"alpha": 10**400}, "alpha=1000"),
        ({"lambdas": [1, 1]}, "lambdas=(1, 1), wanted a list of 3 numbers"),
        ({"lambdas": 1}, "lambdas=1, wanted a list of 3"),
        ({"lambdas": [1, math.inf, 1]}, "lambda2=inf, wanted a number from 0 to 10"),
        ({"tau_mm": 0}, "tau_mm=0, wanted a tolerance above 0 mm"),
        ({"tau_mm": 25}, "tau_mm=25, wanted a number from 0 to 20"),
        ({"ct_window_hu": [100, 100]}, "a CT window from 100 to 100 HU"),
        ({"ct_window_hu": [300, -100]}, "a CT window from 300 to -100 HU"),
        ({"ct_window_hu": [-math.inf, 100]}, "ct_window_hu=-inf"),
        ({"ct_window_hu": [1, 2, 3]}, "wanted a list of 2 numbers"),
        ({"name": ""}, "whose name is ''"),
        ({"name": "two\nlines"}, "breaks the line"),
        ({"name": "x" * 81}, "too long"),
        ({"reason": 3}, "whose reason is 3"),
        ({"version": 2}, "a preset of version 2, wanted version 1"),
        ({"version": True}, "a preset of version True"),
        ({"version": ...}, "a preset of version None"),
        ({"tau_mm": ...}, "a preset without 'tau_mm'"),
        ({"delta": 1}, "with the unknown entry 'delta'"),
    ],
    ids=str,
)
def test_refuses_a_bad_value_in_one_sentence(a_file_with, changes, words):
    with pytest.raises(InputError) as refused:
        load_preset(a_file_with(**changes))
    sentence = str(refused.value)
    assert words in sentence
    assert (sentence.startswith("Given "), sentence.endswith("."), "\n" in sentence) == (True, True, False)
    assert len(sentence) < 250


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_refuses_a_file_that_holds_no_preset(tmp_path, content):
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"^Given "):
        load_preset(file)


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.json, which cannot be read"):
        load_preset(tmp_path / "none.json")


def test_finds_a_shipped_preset_by_name_and_a_users_by_file(tmp_path):
    save_preset(MINE, tmp_path / "mine.json")
    assert find_preset("brain-glioma") is PRESETS["brain-glioma"]
    assert find_preset(str(tmp_path / "mine.json")) == MINE
    with pytest.raises(InputError) as refused:
        find_preset("bone tumor")
    assert all(name in str(refused.value) for name in PRESETS)


def test_a_folder_gives_its_presets_and_says_why_a_file_gave_none(tmp_path):
    save_preset(MINE, tmp_path / "a.json")
    save_preset(MINE, tmp_path / "b.json")
    save_preset(PRESETS["brain-glioma"], tmp_path / "c.json")
    (tmp_path / "d.json").write_text("{")
    (tmp_path / "notes.txt").write_text("not asked for")
    found, problems = user_presets(tmp_path)
    assert found == {"my knee": MINE}
    assert [p.split(" ")[0] for p in problems] == ["b.json", "c.json", "d.json"]
    assert "the name 'my knee' again" in problems[0]
    assert "the name 'brain-glioma' again" in problems[1]


def test_a_user_who_saved_nothing_has_no_presets(tmp_path):
    assert user_presets(tmp_path / "nothing yet") == ({}, [])


def test_a_preset_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        save_preset(MINE, tmp_path / "folder" / "mine.json")


def test_anything_with_the_sliders_can_be_checked():
    check_values(MINE)
    with pytest.raises(InputError, match="alpha=2"):
        replace(MINE, alpha=2)
