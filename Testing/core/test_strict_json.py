"""JSON from outside: what RFC 8259 has no word for, and what nobody would write, is refused at once."""

import pytest
from DiffuFuseMedLib.core import strict_json

NO_JSON = {
    "NaN": "[NaN]",
    "infinity": "[1e999]",
    "half": "{",
    "a hundred thousand brackets": "[" * 100_000,
    "thirteen levels": "[" * 14 + "]" * 14,
    "a number of a thousand digits": "1" * 1000,
    "a number of ten thousand digits": "1" * 10_000,
    "a long text": '"' + "a" * 30_000 + '"',
    "too long": " " * (strict_json.LARGEST_BYTES + 1),
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_what_is_beyond_the_bounds_is_refused(text):
    with pytest.raises(ValueError, match=r"no JSON|with the number|nested|whole number|a text of|MiB"):
        strict_json.loads(text)


def test_everything_else_is_read():
    assert strict_json.loads('{"a": [1, 2.5, null, true, "b"]}') == {"a": [1, 2.5, None, True, "b"]}


def test_a_number_that_is_none_is_written_as_none():
    assert strict_json.finite({"a": (1.0, float("nan"), [float("inf")]), "b": "c"}) == {
        "a": [1.0, None, [None]],
        "b": "c",
    }
