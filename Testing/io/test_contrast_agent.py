"""Which words say that a contrast agent was given, and which that none was."""

import pytest
from DiffuFuseMedLib.io.contrast_agent import is_agent, said


@pytest.mark.parametrize(
    "words",
    [
        "t1 post", "t1 +c", "t1 c+", "t1ce", "t1 tse km", "t1 nach km", "t1 mit km", "t1 gd", "t1 gado",
        "t1 ce fs",
        "t1 post contrast", "t1 post op gd", "t1 post-op post gad", "t1 mit kontrastmittel", "t1 gd-dtpa",
        "t1 post 5 min",
        "t1 con contraste", "pre op t1 km", "t1-km", "t1km",
    ],
)  # fmt: skip
def test_words_that_say_an_agent_was_given(words):
    assert said(words) is True


@pytest.mark.parametrize(
    "words",
    [
        "t1 mprage ohne km", "t1 o. km", "t1 o km", "t1 o.km", "t1 vor km", "t1 vor der km-gabe", "t1 kein km",
        "t1 sans gado",
        "t1 sans injection", "t1 avant injection", "t1 sin contraste", "t1 senza mdc", "t1 prima del mdc",
        "t1 w/o contrast",
        "t1 wo contrast", "t1 w.o. gd", "t1 without iv contrast", "t1 no gad", "non-contrast t1",
        "t1 precontrast",
        "t1 pre gd", "t1 pre", "t1 nativ", "t1 native", "t1 -c", "t1 c-", "t1 km-", "t1 unenhanced", "t1 non enhanced",
        "t1 contrast: none", "t1 km nein", "t1 post op ohne km", "t1 noncon", "t1 zonder contrast",
    ],
)  # fmt: skip
def test_words_that_say_none_was_given(words):
    assert said(words) is False


@pytest.mark.parametrize(
    "words",
    [
        "t1", "t1 tse sag", "t1 post op", "t1 postop", "t1 post-rt", "t1 post surgery", "t1 post chemo",
        "t1 3 months post",
        "t1 post 3 months", "t1 pre op", "t1 status post resection", "cervical t1", "posterior t1", "t1 fl2d loc",
        "brain w wo contrast t1", "brain w/wo t1", "with and without contrast t1", "schädel mit und ohne km t1",
    ],
)  # fmt: skip
def test_words_that_say_neither(words):
    assert said(words) is None


@pytest.mark.parametrize("agent", ["Gadovist", "DOTAREM 10 ml", "Gd-DTPA", "yes", "10 ml", "Magnevist^iv", "KM"])
def test_the_tag_names_an_agent(agent):
    assert is_agent(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "", "0", "0.0", "0 ml", "-", "--", "1", "NONE", "none given", "None Given.", "no", "No contrast", "n/a", "NA",
        "not used",
        "nil", "ohne", "ohne KM", "kein", "Gadovist not given", "without", "unknown", "FALSE", "Oral", "water", "FDG",
        "non", "no agent given", "NaCl", "nativ",
    ],
)  # fmt: skip
def test_a_placeholder_in_the_tag_is_no_agent(agent):
    assert not is_agent(agent)
