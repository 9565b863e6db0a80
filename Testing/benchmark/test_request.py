"""Which cases a request is about, and what is refused."""

import json

import pytest
from DiffuFuseMedLib.core.errors import InputError


def test_the_cases_are_those_of_the_fold(a_request):
    assert a_request().case_names() == ["b", "c"]
    assert a_request(fold=1).case_names() == ["a"]


def test_cases_can_be_chosen_and_keep_the_order_asked_for(a_request):
    assert a_request(names=("c", "a")).case_names() == ["c", "a"]


def test_without_a_split_every_folder_is_a_case(a_request, a_cohort, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "cases" / name).mkdir(parents=True)
    assert a_request(cases=tmp_path / "cases").case_names() == ["a", "b"]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"names": ("z",)}, r"the case 'z', which is not in the folder"),
        ({"fold": 2}, r"fold 2, wanted a fold from 0 to 1"),
        ({"fold": -1}, r"fold -1"),
        ({"minutes": 1.0, "names": ("a",)}, r"1 cases outside fold 0, which would be trained on"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(a_request, told, sentence):
    with pytest.raises(InputError, match=sentence):
        a_request(**told).case_names()


def test_a_folder_that_is_none_or_holds_nothing_is_refused(a_request, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        a_request(cases=tmp_path / "none").case_names()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="without case folders"):
        a_request(cases=tmp_path / "empty").case_names()


def test_nothing_is_trained_without_folds(a_request, tmp_path):
    (tmp_path / "cases" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="a training without folds"):
        a_request(cases=tmp_path / "cases", minutes=1.0).case_names()


def test_a_split_of_ones_own_goes_before_that_beside_the_cases(a_request, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps({"folds": [["a"]]}))
    assert a_request(split_file=tmp_path / "mine.json").case_names() == ["a"]
    with pytest.raises(InputError, match=r"no file none\.json"):
        a_request(split_file=tmp_path / "none.json").case_names()
