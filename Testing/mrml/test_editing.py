import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.mrml import editing
from DiffuFuseMedLib.mrml import segmentations as s
from vtkmodules.util.numpy_support import vtk_to_numpy

Editor, Node = slicer.vtkSlicerSegmentEditorLogic, slicer.vtkMRMLSegmentEditorNode
ADD, REMOVE, SET = Editor.ModificationModeAdd, Editor.ModificationModeRemove, Editor.ModificationModeSet
EVERYWHERE, INSIDE = (
    slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere,
    slicer.vtkMRMLSegmentationNode.EditAllowedInsideVisibleSegments,
)


def boxed(grid, *ranges):
    mask = np.zeros(grid.shape, bool)
    mask[tuple(slice(*r) for r in ranges)] = True
    return mask


@pytest.fixture
def lesion(a_grid):
    return boxed(a_grid, (1, 3), (1, 4), (1, 4))


@pytest.fixture
def region(a_grid):
    return boxed(a_grid, (2, 4), (0, 3), (2, 6))


@pytest.fixture
def neighbor(a_grid):
    return boxed(a_grid, (3, 4), (2, 5), (0, 6))


@pytest.fixture
def a_segmentation(a_scene, a_volume_node, lesion, neighbor):
    node = s.add_segmentation(a_scene, "result", a_volume_node)
    s.set_mask(node, "lesion", lesion, a_volume_node)
    s.set_mask(node, "neighbor", neighbor, a_volume_node)
    return node


@pytest.fixture
def an_editor(a_scene, a_segmentation, a_volume_node):
    """Slicer's own editor logic with the product's editor node, as an effect drives it."""
    logic = slicer.vtkSlicerSegmentEditorLogic()
    logic.SetMRMLScene(a_scene)
    node = editing.editor_node(a_scene)
    node.SetAndObserveSegmentationNode(a_segmentation)
    node.SetAndObserveSourceVolumeNode(a_volume_node)
    node.SetSelectedSegmentID("lesion")
    logic.SetSegmentEditorNode(node)
    return logic


def stroke(logic, seg_node, where, mode):
    """One effect on the lesion, with the mask that the editor applies."""
    logic.UpdateReferenceGeometryImage()
    logic.ResetModifierLabelmapToDefault()
    modifier = logic.GetModifierLabelmap()
    vtk_to_numpy(modifier.GetPointData().GetScalars()).reshape(where.shape)[:] = where
    logic.ModifySegmentByLabelmap(seg_node, "lesion", modifier, mode, True, False)


@pytest.mark.parametrize("overwrite", [Node.OverwriteAllSegments, Node.OverwriteVisibleSegments, Node.OverwriteNone])
@pytest.mark.parametrize("mode", [ADD, REMOVE, SET, Editor.ModificationModeRemoveAll])
def test_an_effect_changes_voxels_inside_the_region_only(
    an_editor, a_segmentation, a_volume_node, lesion, region, neighbor, mode, overwrite
):
    node = an_editor.GetSegmentEditorNode()
    node.SetOverwriteMode(overwrite)
    editing.restrict(node, a_segmentation, region, a_volume_node)
    stroke(an_editor, a_segmentation, ~lesion if mode == SET else np.ones_like(lesion), mode)
    inside = {ADD: True, SET: ~lesion}.get(mode, False)
    expected = np.where(region & ~neighbor, inside, lesion)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), expected)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, editing.OUTSIDE, a_volume_node), ~region)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "neighbor", a_volume_node), neighbor)


@pytest.mark.parametrize(("mode", "left"), [(ADD, 120), (REMOVE, 0)])
def test_after_release_the_same_effect_goes_everywhere(an_editor, a_segmentation, a_volume_node, region, mode, left):
    node = an_editor.GetSegmentEditorNode()
    editing.restrict(node, a_segmentation, region, a_volume_node)
    editing.release(node, a_segmentation)
    stroke(an_editor, a_segmentation, np.ones_like(region), mode)
    assert s.mask_of(a_segmentation, "lesion", a_volume_node).sum() == left


def test_slicer_s_inside_single_segment_mode_would_erase_outside_of_it(
    an_editor, a_segmentation, a_volume_node, lesion, region
):
    """Why another mode is used. Should this fail one day, Slicer has changed and the simpler mode may do."""
    node = an_editor.GetSegmentEditorNode()
    s.set_mask(a_segmentation, "region", region, a_volume_node)
    node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    node.SetMaskSegmentID("region")
    node.SetOverwriteMode(node.OverwriteNone)
    stroke(an_editor, a_segmentation, lesion, REMOVE)
    assert not s.mask_of(a_segmentation, "lesion", a_volume_node).any()


def test_the_region_moves_with_the_next_one(an_editor, a_segmentation, a_volume_node, lesion, region, neighbor):
    node = an_editor.GetSegmentEditorNode()
    editing.restrict(node, a_segmentation, region, a_volume_node)
    editing.restrict(node, a_segmentation, ~region, a_volume_node)
    stroke(an_editor, a_segmentation, np.ones_like(region), ADD)
    expected = lesion | (~region & ~neighbor)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), expected)


def test_a_region_that_is_the_whole_volume_restricts_to_nothing(an_editor, a_segmentation, a_volume_node, neighbor):
    editing.restrict(an_editor.GetSegmentEditorNode(), a_segmentation, np.ones_like(neighbor), a_volume_node)
    stroke(an_editor, a_segmentation, np.ones_like(neighbor), ADD)
    assert (s.mask_of(a_segmentation, "lesion", a_volume_node) | neighbor).all()


def test_release_brings_back_the_user_s_own_mask(an_editor, a_segmentation, a_volume_node, region):
    node = an_editor.GetSegmentEditorNode()
    node.SetMaskMode(INSIDE)
    node.SetOverwriteMode(node.OverwriteVisibleSegments)
    for _ in range(2):  # restricting twice must not take the first restriction for the user's own choice
        editing.restrict(node, a_segmentation, region, a_volume_node)
    assert editing.is_restricted(node, a_segmentation)
    editing.release(node, a_segmentation)
    assert (node.GetMaskMode(), node.GetOverwriteMode()) == (INSIDE, node.OverwriteVisibleSegments)
    assert not editing.is_restricted(node, a_segmentation)


def test_releasing_what_is_not_restricted_changes_nothing(an_editor, a_segmentation, heard):
    node = an_editor.GetSegmentEditorNode()
    told = heard(node)
    editing.release(node, a_segmentation)
    assert node.GetMaskMode() == EVERYWHERE
    assert told == []


@pytest.mark.parametrize(
    ("mode", "value"), [("SetMaskMode", EVERYWHERE), ("SetOverwriteMode", Node.OverwriteAllSegments)]
)
def test_a_user_who_changes_the_editor_s_modes_is_not_restricted(
    an_editor, a_segmentation, a_volume_node, region, mode, value
):
    node = an_editor.GetSegmentEditorNode()
    editing.restrict(node, a_segmentation, region, a_volume_node)
    getattr(node, mode)(value)
    assert not editing.is_restricted(node, a_segmentation)


def test_the_helper_is_hidden_and_never_a_finding(an_editor, a_segmentation, a_volume_node, region):
    node = an_editor.GetSegmentEditorNode()
    editing.restrict(node, a_segmentation, region, a_volume_node)
    assert not a_segmentation.GetDisplayNode().GetSegmentVisibility(editing.OUTSIDE)
    assert a_segmentation.GetSegmentation().GetNumberOfSegments() == 3
    assert s.user_segment_ids(a_segmentation) == ["lesion", "neighbor"]
    editing.release(node, a_segmentation)
    assert a_segmentation.GetSegmentation().GetNumberOfSegments() == 2


def test_what_an_effect_did_past_the_mask_is_put_back(a_segmentation, a_volume_node, lesion, region):
    s.set_mask(a_segmentation, "lesion", ~lesion, a_volume_node)
    wrong = editing.put_back_outside(a_segmentation, "lesion", lesion, region, a_volume_node)
    assert wrong == np.count_nonzero(~region)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), np.where(region, ~lesion, lesion))
    assert editing.put_back_outside(a_segmentation, "lesion", lesion, region, a_volume_node) == 0


def test_there_is_one_editor_node_and_it_is_the_product_s_own(a_scene):
    assert editing.editor_node(a_scene) is editing.editor_node(a_scene)
    assert editing.editor_node(a_scene).GetSingletonTag() == "DiffuFuseMed"


def test_what_may_not_be_edited_is_told_in_the_references_voxels_without_a_copy(
    an_editor, a_segmentation, a_volume_node, region
):
    node = editing.editor_node(a_volume_node.GetScene())
    assert editing.outside_of(node, a_segmentation) is None
    editing.restrict(node, a_segmentation, region, a_volume_node)
    outside = editing.outside_of(node, a_segmentation)
    (i0, i1, j0, j1, k0, k1), found = outside.labels.GetExtent(), np.zeros(region.shape, bool)
    held = vtk_to_numpy(outside.labels.GetPointData().GetScalars()).reshape(outside.labels.GetDimensions()[::-1])
    found[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = held == outside.label
    assert (found == ~region).all()
    assert (outside.labels.GetSpacing(), outside.labels.GetOrigin()) == ((1, 1, 1), (0, 0, 0))
    editing.release(node, a_segmentation)
    assert editing.outside_of(node, a_segmentation) is None
