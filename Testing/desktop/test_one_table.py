"""What a new entry in one table brings to the desktop's panel: selectors, references, maps and their words."""

import numpy as np
import pytest


@pytest.fixture
def a_panel(new_entries, panel):
    """The module's panel, made after the tables grew."""
    return panel


def a_volume(name):
    import slicer

    return slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.float32), name=name)


def items(combo):
    return [combo.itemText(n) for n in range(combo.count)]


def test_there_is_a_selector_for_every_modality_in_the_tables_order(panel):
    """The common ones are seen at once, the others in a group that is folded away."""

    def titles(place, keys):
        labels = [place.findChild("QLabel", f"{key}SelectorTitle") for key in keys]
        return [label.text for label in sorted(labels, key=place.layout().indexOf)]

    assert titles(panel.ui.inputsSection, ("MR_T1", "PET", "CT")) == ["CT", "PET", "MR T1"]
    others = titles(panel.ui.moreGroup, ("SPECT", "MR_T1C", "MR_FLAIR", "MR_T2"))
    assert others == ["MR T2", "MR FLAIR", "MR T1 with contrast", "SPECT"]
    assert panel.ui.PETSelector.toolTip == "The PET, as SUV by body weight"
    assert panel.ui.PETSelector.noneEnabled and not panel.ui.PETSelector.addEnabled


def test_a_new_modality_has_its_selector_and_is_guessed_by_its_words(a_panel):
    contrast, sound = a_volume("patient DWI"), a_volume("patient US")
    a_panel.ui.guessButton.click()
    assert a_panel.ui.MR_DWISelector.currentNode() is contrast
    assert a_panel.ui.USSelector.currentNode() is sound
    assert a_panel.ui.USSelector.toolTip == "The ultrasound, a 3D volume"


def test_it_is_guessed_by_its_dicom_modality(a_panel):
    import slicer

    node = a_volume("series 4")
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "US")
    a_panel.ui.guessButton.click()
    assert a_panel.ui.USSelector.currentNode() is node


def test_a_chosen_one_can_be_the_reference_in_its_long_title(a_panel):
    a_panel.ui.USSelector.setCurrentNode(a_volume("anything"))
    assert items(a_panel.ui.referenceCombo) == ["automatic", "3D ultrasound"]


def test_a_new_map_can_be_chosen_and_says_what_it_is(a_panel, new_entries, until):
    combo = a_panel.ui.mapCombo
    assert items(combo)[-1] == "modalities (disagreement)" and combo.count == 5
    combo.setCurrentIndex(4)
    assert a_panel.workspace.session.parameters.uncertainty_map == "disagreement"
    until(lambda: a_panel.ui.mapWordsLabel.text == new_entries.disagreement.words, "the map's words")
