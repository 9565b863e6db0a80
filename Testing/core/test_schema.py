"""Values from outside become a dataclass as they are, or one sentence says what is wrong with the first of them."""

import json
from dataclasses import dataclass, field

import pytest
from DiffuFuseMedLib.core.errors import InputError, input_error
from DiffuFuseMedLib.core.schema import from_values


@dataclass(frozen=True)
class Part:
    weight: float = 1.0


@dataclass(frozen=True)
class Whole:
    size: int
    shape: tuple[int, int] = (1, 2)
    names: list[str] = field(default_factory=list)
    part: Part = field(default_factory=Part)

    def __post_init__(self) -> None:
        if self.size == 13:
            raise input_error("the size 13", "a lucky number", "choose another")


def test_values_become_the_dataclass_and_its_parts():
    given = {"size": 3, "names": ["a"], "part": {"weight": 2.5}}
    assert from_values(Whole, given, "a whole", "look again") == Whole(3, (1, 2), ["a"], Part(2.5))
    assert given == {"size": 3, "names": ["a"], "part": {"weight": 2.5}}


def test_lists_of_json_become_tuples_where_the_dataclass_has_them():
    assert from_values(Whole, {"size": 3, "shape": [4, 5], "names": ["a"]}, "", "") == Whole(3, (4, 5), ["a"])


def test_a_whole_number_may_stand_for_a_fraction():
    assert from_values(Part, {"weight": 2}, "a part", "look again").weight == 2


WRONG = {
    "an unknown field": ({"size": 3, "color": 1}, "a whole with the unknown field 'color', wanted the fields"),
    "an unknown field of a part": ({"size": 3, "part": {"color": 1}}, "the unknown field 'part.color'"),
    "no size": ({}, "a whole with no size, wanted the fields"),
    "a number in words": ({"size": "3"}, "a whole with size='3', wanted a valid integer"),
    "a fraction": ({"size": 1.5}, "a whole with size=1.5, wanted a valid integer"),
    "true": ({"size": True}, "a whole with size=True, wanted a valid integer"),
    "a list too long": ({"size": 3, "shape": [1, 2, 3]}, "a whole with shape=<list>"),
    "an item of a list": ({"size": 3, "names": ["a", 7]}, "a whole with names.1=7, wanted a valid string"),
    "what the dataclass refuses": ({"size": 13}, "Given the size 13, wanted a lucky number: choose another."),
}


@pytest.mark.parametrize(("values", "words"), WRONG.values(), ids=WRONG)
def test_the_first_fault_is_one_sentence(values, words):
    with pytest.raises(InputError) as caught:
        from_values(Whole, values, "a whole", "look again")
    sentence = str(caught.value)
    assert words in sentence
    assert (sentence.startswith("Given "), sentence.count(". "), sentence.endswith(".")) == (True, 0, True)


def test_what_a_list_or_dict_holds_is_not_repeated():
    for values in ({"size": {"name": "Doe^John"}}, {"size": ["Doe^John"]}):
        with pytest.raises(InputError) as caught:
            from_values(Whole, values, "a whole", "look again")
        assert "Doe" not in str(caught.value)


def test_a_long_value_is_cut():
    with pytest.raises(InputError) as caught:
        from_values(Whole, {"size": "x" * 1000}, "a whole", "look again")
    assert len(str(caught.value)) < 120


def test_a_name_that_is_no_unicode_is_read():
    assert from_values(Whole, {"size": 3, "names": ["a\udcff"]}, "a whole", "look again").names == ["a?"]


def test_nesting_without_end_is_one_sentence():
    endless = {}
    endless["part"] = json.loads("[" * 500 + "]" * 500)
    with pytest.raises(InputError, match=r"^Given a whole"):
        from_values(Whole, endless, "a whole", "look again")
