"""Without pydantic too, what is wrong with the fields of a JSON object is told."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from DiffuFuseMedLib.core.fields import wrong_field


@dataclass(frozen=True)
class Thing:
    id: int
    share: float | None
    values: dict[str, Any] = field(default_factory=dict)
    loud: bool = False
    pair: tuple[int, int] = (1, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"share": 1}, ""),
        ({"share": None}, ""),
        ({"values": {"a": [1]}, "loud": True}, ""),
        ({"pair": [1, 2]}, ""),
        ({"pair": "12"}, "a pair of the wrong type"),
        ({"id": None}, "a id of the wrong type"),
        ({"id": True}, "a id of the wrong type"),
        ({"id": 1.5}, "a id of the wrong type"),
        ({"share": "1"}, "a share of the wrong type"),
        ({"values": [1]}, "a values of the wrong type"),
        ({"loud": 1}, "a loud of the wrong type"),
        ({"share": ...}, "no share"),
        ({"color": 1}, "the unknown field 'color'"),
    ],
    ids=str,
)
def test_the_first_wrong_field_is_named(changes, words):
    values = {"id": 1, "share": 0.5, **changes}
    assert wrong_field({k: v for k, v in values.items() if v is not ...}, Thing) == words
