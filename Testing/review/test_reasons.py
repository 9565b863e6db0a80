"""Which modality a region's probability hangs on, in a reader's words and with the numbers."""

import pytest
from DiffuFuseMedLib.review.reasons import reason

CASES = {
    "nothing is known": (0.6, {}, "", ""),
    "no removal moves it": (0.6, {"PET": 0.55, "CT": 0.68}, "all agree", ""),
    "crossing one half by little is no disagreement": (0.52, {"PET": 0.48}, "all agree", ""),
    "called only because of one": (0.62, {"MR_T1": 0.31, "PET": 0.66}, "T1 alone (62 %, 31 % without T1)", "MR_T1"),
    "not called because of one": (
        0.41,
        {"PET": 0.66, "CT": 0.4},
        "PET disagrees with the others (41 %, 66 % without PET)",
        "PET",
    ),
    "moved without crossing": (
        0.9,
        {"PET": 0.7, "CT": 0.88},
        "PET disagrees with the others (90 %, 70 % without PET)",
        "PET",
    ),
    "a crossing counts for more than a longer way": (
        0.55,
        {"PET": 0.95, "CT": 0.4},
        "CT alone (55 %, 40 % without CT)",
        "CT",
    ),
    "two that are both needed": (
        0.6,
        {"PET": 0.3, "MR_T1": 0.4, "CT": 0.6},
        "PET and T1 speak for lesion (60 %, 30 % without PET)",
        "PET",
    ),
    "two that hold it down": (
        0.3,
        {"PET": 0.45, "MR_FLAIR": 0.48, "CT": 0.1},
        "CT disagrees with the others (30 %, 10 % without CT)",
        "CT",
    ),
    "three against": (
        0.2,
        {"PET": 0.45, "MR_FLAIR": 0.48, "CT": 0.35},
        "FLAIR, PET and CT speak against lesion (20 %, 48 % without FLAIR)",
        "MR_FLAIR",
    ),
}


@pytest.mark.parametrize(("with_all", "without", "words", "modality"), CASES.values(), ids=CASES)
def test_the_reason_names_the_modality_that_decides(with_all, without, words, modality):
    found = reason(with_all, without)
    assert (found.words, found.modality) == (words, modality)
