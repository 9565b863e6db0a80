"""Several annotators in Slicer's panel: their table and switch, which are not there for a case of one."""

import pytest
from DiffuFuseMedLib.core.agreement import COLORS
from DiffuFuseMedLib.session import Topic

ROW = {
    "name": "reader 1",
    "volume": "4.80 mL",
    "dice": "0.78",
    "nsd": "0.9",
    "lesion_dice": "0.91",
    "lesion_nsd": "0.99",
}


@pytest.fixture
def session(opened):
    """Of a panel at a case of one annotator."""
    return opened.workspace.session


def test_a_case_of_one_annotator_shows_nothing_of_it(opened, session):
    assert not session.view_state.annotator_words
    ui = opened.ui
    assert not any(widget.visible for widget in (ui.annotatorsTable, ui.annotatorsLabel, ui.annotatorsCheck))


def test_each_is_a_row_in_its_color_and_the_switch_hides_them(opened, session, until):
    session.view_state.annotator_words = "2 annotators: mean pairwise Dice 0.78."
    session.view_state.annotators = ({**ROW, "color": COLORS[0]}, {**ROW, "name": "majority", "dice": "", "color": ""})
    opened.workspace.session._context.tell(Topic.CASE, Topic.NUMBERS)
    ui = opened.ui
    until(lambda: ui.annotatorsTable.rowCount == 2)
    cells = [[ui.annotatorsTable.item(r, c).text() for c in range(5)] for r in range(2)]
    assert cells[0] == ["reader 1", "4.80 mL", "0.78", "0.91", "0.99"]
    assert cells[1][:3] == ["majority", "4.80 mL", ""]
    assert not ui.annotatorsTable.item(0, 0).icon().isNull()
    assert ui.annotatorsTable.item(1, 0).icon().isNull()
    assert ui.annotatorsLabel.text == "2 annotators: mean pairwise Dice 0.78."
    assert ui.annotatorsCheck.checked
    ui.annotatorsCheck.click()
    until(lambda: not session.parameters.show_annotators)
