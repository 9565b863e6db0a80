"""What `diagnose --reader` makes of scores, and where on a page it puts them."""

import pytest
from DiffuFuseMedLib.cli.console import as_markdown
from DiffuFuseMedLib.cli.markdown import BEGIN, END, between_marks
from DiffuFuseMedLib.cli.reader import COUNTS, reader_table, reader_words
from DiffuFuseMedLib.core.errors import InputError


def scores(case, way, dice, order="as listed", how=(), offered=()):
    """A row for each of COUNTS; dice: one value for each of them."""
    shared = {"case": case, "order": order, "way": way, "nsd_2mm": 0.5, "hd95_mm": 4.0}
    return [
        {**shared, "regions": n, "dice": d, "how": list(how[:n]), "offered": list(offered[:n])}
        for n, d in zip(COUNTS, dice, strict=True)
    ]


@pytest.fixture
def rows():
    """Two cases: choosing wins 0.02 and 0.04 after one region, where painting wins 0.04 and 0.08."""
    kinds, counts = ["a level of the probability", "none"] * 5, [4, 1] * 5
    return [
        *scores("A", "choosing", (0.80, 0.82, 0.82, 0.82, 0.82), how=kinds, offered=counts),
        *scores("B", "choosing", (0.60, 0.64, 0.64, 0.64, 0.64), how=kinds[:1], offered=counts[:1]),
        *scores("A", "painting", (0.80, 0.84, 0.85, 0.86, 0.87)),
        *scores("B", "painting", (0.60, 0.68, 0.70, 0.72, 0.74)),
    ]


def lines(rows):
    return [line.strip() for line in as_markdown([reader_table(rows, "")]).splitlines() if "|" in line]


def test_the_table_holds_means_over_cases_and_the_share_of_paintings_gain(rows):
    """(0.82 + 0.64) / 2 - 0.70 = 0.03 of (0.84 + 0.68) / 2 - 0.70 = 0.06."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines(rows)]
    assert found[0][:5] == ["order", "regions", "Dice, choosing", "Dice, painting", "Dice, share won"]
    assert found[2][:5] == ["as listed", "0", "0.700", "0.700", ""]
    assert found[3][:8] == ["as listed", "1", "0.730", "0.760", "50 %", "0.500", "0.500", ""]
    assert len(found) == 2 + len(COUNTS)


def test_no_share_is_told_of_a_gain_that_the_table_does_not_show():
    """0.0004 of Dice is none of its three digits."""
    rows = [
        *scores("A", "choosing", (0.8, 0.79, 0.81, 0.81, 0.81)),
        *scores("A", "painting", (0.8, 0.8004, 0.9, 0.9, 0.9)),
    ]
    found = [line.split("|")[5].strip() for line in lines(rows)[2:5]]
    assert found == ["", "", "10 %"]


def test_several_orders_of_one_case_count_as_one(rows):
    at_random = [
        *scores("A", "choosing", (0.8,) * 5, "at random"),
        *scores("A", "choosing", (0.8, 0.9, 0.9, 0.9, 0.9), "at random"),
        *scores("B", "choosing", (0.6,) * 5, "at random"),
        *scores("A", "painting", (0.9,) * 5, "at random"), *scores("B", "painting", (0.9,) * 5, "at random"),
    ]  # fmt: skip
    line = next(line for line in lines([*rows, *at_random]) if line.startswith("| at random | 1 "))
    assert line.split("|")[3].strip() == "0.725"  # (0.85 + 0.6) / 2


def test_what_was_offered_and_taken_is_told_of_the_lists_own_order(rows):
    offered, taken = reader_words(rows)
    assert "at the 11 regions" in offered
    assert "2.6 outlines on average, fewer than two at 5" in offered
    assert taken == "Taken there: a level of the probability: 6, none: 5."
    assert "No region" in reader_words(scores("A", "choosing", (1.0,) * 5))[0]


def test_it_goes_between_the_marks_of_a_page_and_fills_one_without():
    page = f"before\n{BEGIN}old\n{END}after\n"
    assert between_marks(page, "new\n") == f"before\n{BEGIN}new\n{END}after\n"
    assert between_marks("", "new\n") == "new\n"


@pytest.mark.parametrize("page", [BEGIN, END, END + BEGIN, BEGIN + END + BEGIN])
def test_a_page_with_half_of_its_marks_is_refused(page):
    with pytest.raises(InputError, match="mend the page"):
        between_marks(page, "new")
