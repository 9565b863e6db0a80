"""CTK and MRML widgets over a real scene: what they show, what they choose, and when they tell."""

import numpy as np
import pytest

import host

pytestmark = pytest.mark.usefixtures("a_scene")


def selector(*kinds, none=False):
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = list(kinds) or ["vtkMRMLScalarVolumeNode"]
    made.noneEnabled = none
    made.setMRMLScene(slicer.mrmlScene)
    return made


def test_a_selector_chooses_the_first_node_by_itself_only_where_none_is_not_allowed(a_volume):
    assert selector().currentNode() is a_volume
    assert selector(none=True).currentNode() is None
    assert selector(none=True).currentNodeID == ""


def test_a_selector_follows_the_scene(a_volume):
    import slicer

    heard, made = [], selector()
    second = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "PET")
    made.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    assert (made.nodeCount(), made.currentNode()) == (2, a_volume)
    made.setCurrentNode(second)
    slicer.mrmlScene.RemoveNode(second)
    assert heard == [second, a_volume]
    slicer.mrmlScene.Clear(False)
    assert (made.currentNode(), heard[-1]) == (None, None)


def test_a_selector_lists_what_its_properties_ask_for(a_volume):
    import slicer

    label = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    made = selector()
    assert made.nodeCount() == 2
    made.showChildNodeTypes = False
    assert made.nodeCount() == 1
    made.showChildNodeTypes = True
    made.addAttribute("vtkMRMLScalarVolumeNode", "role", "CT")
    assert made.nodeCount() == 0
    label.SetAttribute("role", "CT")
    made.removeAttribute("vtkMRMLScalarVolumeNode", "other")
    assert made.nodeFromIndex(0) is label
    made.removeAttribute("vtkMRMLScalarVolumeNode", "role")
    a_volume.SetHideFromEditors(True)
    made.setCurrentNode(a_volume)
    assert made.currentNode() is None


def test_a_user_can_pick_and_make_a_node(a_volume):
    import slicer

    made, heard = selector("vtkMRMLTextNode", none=True), []
    made.baseName = "Note"
    made.connect("nodeAddedByUser(vtkMRMLNode*)", heard.append)
    host.choose(made, 1)
    assert made.currentNode().GetName() == "Note"
    assert heard == [made.currentNode()]
    host.choose(made, 0)
    assert made.currentNode() is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 1


def test_a_color_selector_lists_color_nodes():
    import slicer

    made = slicer.qMRMLColorTableComboBox()
    made.setMRMLScene(slicer.mrmlScene)
    made.setCurrentNodeID("vtkMRMLColorTableNodeGrey")
    assert made.currentNode().GetName() == "Grey"


def test_ranges_and_paths_keep_what_they_are_given():
    import ctk

    heard, wide, path = [], ctk.ctkRangeWidget(), ctk.ctkPathLineEdit()
    wide.connect("valuesChanged(double,double)", lambda low, high: heard.append((low, high)))
    wide.maximum = 10
    wide.setValues(2, 30)
    assert (wide.minimumValue, wide.maximumValue, heard[-1]) == (2, 10, (2, 10))
    path.connect("currentPathChanged(QString)", heard.append)
    path.currentPath = "/models"
    assert (path.currentPath, heard[-1]) == ("/models", "/models")
    path.filters = ctk.ctkPathLineEdit.Dirs


def test_a_collapsed_section_hides_what_it_holds():
    import ctk
    import qt

    section, heard = ctk.ctkCollapsibleButton(), []
    inside = qt.QLabel("x", section)
    section.connect("contentsCollapsed(bool)", heard.append)
    section.collapsed = True
    assert inside.isHidden()
    section.collapsed = False
    assert not inside.isHidden()
    assert heard == [True, False]


def test_the_table_of_segments_shows_status_and_follows_the_segmentation():
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    table = slicer.qMRMLSegmentsTableView()
    table.setSegmentationNode(node)
    for name in ("lesion", "helper"):
        node.GetSegmentation().AddEmptySegment(name, name)
    table.setHideSegments(["helper"])
    assert table.displayedSegmentIDs() == ("lesion",)
    table.setSelectedSegmentIDs(["lesion"])
    table.setSelectedSegmentsStatus(slicer.vtkSlicerSegmentationsModuleLogic.Completed)
    assert table.selectedSegmentIDs() == ("lesion",)
    status = slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentStatus(node.GetSegmentation().GetSegment("lesion"))
    assert status == slicer.vtkSlicerSegmentationsModuleLogic.Completed


def voxels(editor, volume, segment="lesion"):
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(editor.segmentationNode(), segment, volume)


def box(*ranges):
    mask = np.zeros((3, 4, 5), bool)
    mask[tuple(slice(*r) for r in ranges)] = True
    return mask


def test_strokes_paint_and_erase_and_each_is_one_undo_step(an_editor, a_volume):
    an_editor.setActiveEffectByName("Paint")
    host.stroke(an_editor, box((0, 2), (0, 2), (0, 3)))
    assert voxels(an_editor, a_volume).sum() == 12
    an_editor.setActiveEffectByName("Erase")
    host.stroke(an_editor, box((0, 1), (0, 4), (0, 5)))
    assert voxels(an_editor, a_volume).sum() == 6
    an_editor.undo()
    assert voxels(an_editor, a_volume).sum() == 12
    an_editor.redo()
    assert voxels(an_editor, a_volume).sum() == 6


def test_a_stroke_obeys_the_editors_mask(an_editor, a_volume):
    import slicer

    an_editor.segmentationNode().GetSegmentation().AddEmptySegment("region", "region")
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        box((1, 3), (0, 4), (0, 5)).astype(np.uint8), an_editor.segmentationNode(), "region", a_volume
    )
    node = an_editor.mrmlSegmentEditorNode()
    node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments)
    node.SetOverwriteMode(node.OverwriteNone)
    an_editor.setActiveEffectByName("Paint")
    host.stroke(an_editor, box((0, 2), (0, 2), (0, 2)))
    assert voxels(an_editor, a_volume).sum() == 4
    assert voxels(an_editor, a_volume, "region").sum() == 40


def test_scripted_effects_apply(an_editor, a_volume):
    an_editor.setActiveEffectByName("Threshold")
    effect = an_editor.activeEffect()
    effect.setParameter("MinimumThreshold", 50)
    effect.setParameter("MaximumThreshold", 100)
    effect.self().onApply()
    assert voxels(an_editor, a_volume).sum() == 10
    an_editor.setActiveEffectByName("Paint")
    host.stroke(an_editor, box((0, 1), (0, 1), (0, 1)))
    an_editor.setActiveEffectByName("Islands")
    an_editor.activeEffect().self().onApply()
    assert voxels(an_editor, a_volume).sum() == 10
    an_editor.setActiveEffectByName("Margin")
    an_editor.effectByName("Margin").setParameter("MarginSizeMm", 1)
    an_editor.activeEffect().self().onApply()
    assert voxels(an_editor, a_volume).sum() == 10 + 5 + 10


def test_an_effect_refuses_what_slicers_would(an_editor):
    assert an_editor.effectByName("Brush") is None
    an_editor.setActiveEffectByName("Paint")
    with pytest.raises(AttributeError, match="use host"):
        an_editor.activeEffect().self()
    with pytest.raises(host.NotCovered):
        an_editor.activeEffect().setParameter("Brushes", 1)
    with pytest.raises(RuntimeError, match="not the active effect"):
        an_editor.effectByName("Islands").self().onApply()


def test_an_editor_without_a_node_loses_selections_and_says_so(a_volume):
    import slicer

    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(slicer.mrmlScene)
    with pytest.raises(RuntimeError, match="setMRMLSegmentEditorNode first"):
        editor.setSourceVolumeNode(a_volume)


def test_choosing_a_source_volume_takes_the_background_unless_told_otherwise(an_editor, a_volume):
    import slicer

    background = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert background.GetBackgroundVolumeID() == a_volume.GetID()
    an_editor.setAutoShowSourceVolumeNode(False)
    other = slicer.util.addVolumeFromArray(np.zeros((3, 4, 5), np.float32))
    an_editor.setSourceVolumeNode(other)
    assert background.GetBackgroundVolumeID() == a_volume.GetID()


def test_the_editor_tells_of_selections_made_in_the_node(an_editor):
    heard = []
    an_editor.connect("currentSegmentIDChanged(QString)", heard.append)
    an_editor.segmentationNode().GetSegmentation().AddEmptySegment("other", "other")
    an_editor.mrmlSegmentEditorNode().SetSelectedSegmentID("other")
    assert heard == ["other"]
    assert an_editor.currentSegmentID() == "other"
