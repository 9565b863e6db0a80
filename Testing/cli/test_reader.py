"""What `diagnose --reader` makes of scores, and where on a page it puts them."""

import pytest
from DiffuFuseMedLib.cli.console import as_markdown
from DiffuFuseMedLib.cli.markdown import between_marks, marks
from DiffuFuseMedLib.cli.reader import COUNTS, WAYS, as_told, reader_table, reader_words
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.review.reader import KEPT


def scores(case, way, dice, order="as listed", how=(), dices=()):
    """A row for each of COUNTS; dice: one value for each of them; how: of each region."""
    shared = {"case": case, "order": order, "way": way, "nsd_2mm": 0.5, "hd95_mm": 4.0, "before": dice[0]}
    regions = len(how) or 10
    return [
        {
            **shared, "regions": n, "dice": d, "looked_at": n / 10, "worked_off": min(n, regions), "dices": list(dices),
            "how": [word for words in how[:n] for word in words], "offered": [4 for words in how[:n] for _ in words],
        }
        for n, d in zip(COUNTS, dice, strict=True)
    ]  # fmt: skip


LEVEL, NONE = "a level of the probability", KEPT


@pytest.fixture
def rows():
    """Two cases: choosing wins 0.02 and 0.04 after one region, where painting wins 0.04 and 0.08; parts win it all."""
    one, parts = [(LEVEL,), (NONE,)] * 5, [(LEVEL, NONE, NONE)] * 10
    return [
        *scores("A", "choosing", (0.80, 0.82, 0.82, 0.82, 0.82), how=one, dices=[0.82] * 10),
        *scores("B", "choosing", (0.60, 0.64, 0.64, 0.64, 0.64), how=one[:1], dices=[0.64]),
        *scores("A", "choosing_parts", (0.80, 0.84, 0.85, 0.86, 0.87), how=parts, dices=[0.81] * 10 + [0.87] * 20),
        *scores("B", "choosing_parts", (0.60, 0.68, 0.70, 0.72, 0.74), how=parts[:1], dices=[0.62, 0.64, 0.68]),
        *scores("A", "painting", (0.80, 0.84, 0.85, 0.86, 0.87)),
        *scores("B", "painting", (0.60, 0.68, 0.70, 0.72, 0.74), how=[("painted",)]),
    ]


def lines(rows):
    table = [line.strip() for line in as_markdown([reader_table(rows, "")]).splitlines() if "|" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_table_holds_means_over_cases_what_they_took_and_the_share_of_paintings_gain(rows):
    """(0.82 + 0.64) / 2 - 0.70 = 0.03 of (0.84 + 0.68) / 2 - 0.70 = 0.06; of one decision each and three."""
    found = lines(rows)
    assert found[0][:8] == [
        "order", "regions", "looked at, in lesions", "way", "decisions", "taken", "Dice", "share won",
    ]  # fmt: skip
    assert found[2][:9] == ["as listed", "0", "0.00", "", "", "", "0.700", "", "0.500"]
    assert found[3][:10] == ["as listed", "1", "0.10", WAYS["choosing"], "1.0", "1.0", "0.730", "50 %", "0.500", ""]
    assert found[4][3:8] == [WAYS["choosing_parts"], "3.0", "1.0", "0.760", "100 %"]
    assert found[5][3:8] == ["painting", "", "", "0.760", ""]
    assert len(found) == 2 + 1 + 3 * (len(COUNTS) - 1)


def test_no_share_is_told_of_a_gain_that_the_table_does_not_show():
    """0.0004 of Dice is none of its three digits."""
    rows = [
        *scores("A", "choosing", (0.8, 0.79, 0.81, 0.81, 0.81)),
        *scores("A", "choosing_parts", (0.8, 0.79, 0.81, 0.81, 0.81)),
        *scores("A", "painting", (0.8, 0.8004, 0.9, 0.9, 0.9)),
    ]
    found = [line[7] for line in lines(rows) if line[3] == WAYS["choosing"]]
    assert found == ["", "10 %", "10 %", "10 %"]


def test_several_orders_of_one_case_count_as_one(rows):
    flat = [
        row for way in ("choosing_parts", "painting") for c in "AB" for row in scores(c, way, (0.9,) * 5, "at random")
    ]
    at_random = [
        *scores("A", "choosing", (0.8,) * 5, "at random"),
        *scores("A", "choosing", (0.8, 0.9, 0.9, 0.9, 0.9), "at random"),
        *scores("B", "choosing", (0.6,) * 5, "at random"), *flat,
    ]  # fmt: skip
    line = next(line for line in lines([*rows, *at_random]) if line[:2] == ["at random", "1"])
    assert line[6] == "0.725"  # (0.85 + 0.6) / 2


def test_what_was_offered_and_taken_is_told_of_the_lists_own_order(rows):
    first, one, parts, same = reader_words(rows)
    assert "the 11 regions" in first
    assert "1.0 decisions a region, 0.5 taken; 4.0 outlines on average" in one  # 11 regions, six levels
    assert one.endswith(f"Taken: {LEVEL}: 6, {NONE}: 5.")
    assert "3.0 decisions a region, 1.0 taken" in parts
    assert "No region" in reader_words(scores("A", "painting", (1.0,) * 5, how=[()] * 0)[:0])[0]
    assert "first 10 decisions" in same
    assert f"{(0.82 + 0.64) / 2:.3f} with {WAYS['choosing']}" in same
    assert f"{(0.81 + 0.68) / 2:.3f} with {WAYS['choosing_parts']}" in same  # B's list had come to its end


def test_a_table_of_numbers_has_no_lists(rows):
    told = as_told(rows[4])
    assert (told["decisions"], told["offered"]) == (10, 40)
    assert told["how"].startswith(f"{LEVEL}; {NONE}; ")
    assert not any(isinstance(value, list) for value in told.values())


BEGIN, END = marks("sts-panel")


def test_it_goes_between_the_marks_of_its_model_and_to_the_end_of_a_page_without():
    other = "".join(marks("sts-caldiff"))
    page = f"before\n{BEGIN}old\n{END}{other}after\n"
    assert between_marks(page, "new\n", "sts-panel") == f"before\n{BEGIN}new\n{END}{other}after\n"
    assert between_marks(f"a page\n{other}", "new\n", "sts-panel") == f"a page\n{other}{BEGIN}new\n{END}"


@pytest.mark.parametrize("page", [BEGIN, END, END + BEGIN, BEGIN + END + BEGIN])
def test_a_page_with_half_of_its_marks_is_refused(page):
    with pytest.raises(InputError, match="mend the page"):
        between_marks(page, "new", "sts-panel")
