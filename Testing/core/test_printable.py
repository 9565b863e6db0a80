"""Names out of files that would write to the terminal, turn the line round, or cannot be written at all."""

import pytest
from DiffuFuseMedLib.core.errors import InputError, input_error
from DiffuFuseMedLib.core.printable import JOINERS, printable, printable_name
from hypothesis import given
from hypothesis import strategies as st

ANSI = "\x1b[2J\x1b[31mGTV\x9b0m\x07\u202eTV\u2028G"


@given(st.text())
def test_nothing_but_characters_to_be_read_is_left_and_those_stay(words):
    shown = printable(words)
    assert len(shown) == len(words)
    assert not set(shown) & {chr(n) for n in (*range(32), *range(127, 160))}
    shown.encode()  # no half surrogate
    assert all(new == old for new, old in zip(shown, words, strict=True) if old.isprintable() or old in JOINERS)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (ANSI, "_[2J_[31mGTV_0m__TV G"),
        ("GTV\t1\r\n", "GTV 1  "),
        ("腫瘍 Tumör", "腫瘍 Tumör"),
        ("patient\udcff.nrrd", "patient_.nrrd"),
    ],
    ids=["escapes", "lines", "other scripts", "no UTF-8"],
)
def test_each_kind_by_hand(words, shown):
    assert printable(words) == shown


def test_a_name_is_no_longer_than_anybody_reads():
    assert len(printable_name("x" * 64_000)) == 120
    assert printable_name(" GTV ") == "GTV"


def test_an_error_is_printable_whatever_it_quotes():
    for error in (input_error(f"file '{ANSI}'", "another", "rename it"), InputError(ANSI)):
        assert str(error).isprintable()
