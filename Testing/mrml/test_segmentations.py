import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.seg_nrrd import LESION
from DiffuFuseMedLib.mrml import segmentations as s
from DiffuFuseMedLib.mrml.geometry import to_vtk
from DiffuFuseMedLib.mrml.volumes import add_volume


@pytest.fixture
def a_segmentation(a_scene, a_volume_node):
    return s.add_segmentation(a_scene, "result", a_volume_node)


@pytest.fixture
def a_mask(a_grid):
    """A function (start, stop): a box of True, the same along each axis."""

    def make(start, stop):
        mask = np.zeros(a_grid.shape, bool)
        mask[start:stop, start:stop, start:stop] = True
        return mask

    return make


def test_a_mask_comes_back_as_it_was(a_segmentation, a_volume_node, a_grid):
    mask = np.random.default_rng(0).random(a_grid.shape) > 0.7
    s.set_mask(a_segmentation, "lesion", mask, a_volume_node)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), mask)


def test_a_new_segment_is_a_lesion_unless_told_otherwise(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(0, 2), a_volume_node)
    s.set_mask(a_segmentation, "outer", a_mask(0, 3), a_volume_node, "95 %", (1.0, 0.5, 0.0), "other~terms")
    lesion, outer = (s.segment_of(a_segmentation, i) for i in ("lesion", "outer"))
    assert (lesion.GetName(), tuple(lesion.GetColor())) == (LESION.name, LESION.color)
    assert (outer.GetName(), tuple(outer.GetColor())) == ("95 %", (1.0, 0.5, 0.0))
    assert s.terminology_of(a_segmentation, "lesion") == LESION.terminology
    assert s.terminology_of(a_segmentation, "outer") == "other~terms"


def test_replacing_keeps_the_name_and_color_a_user_gave(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(0, 2), a_volume_node)
    s.segment_of(a_segmentation, "lesion").SetName("left thigh")
    s.segment_of(a_segmentation, "lesion").SetColor(0.1, 0.2, 0.3)
    s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)
    segment = s.segment_of(a_segmentation, "lesion")
    assert (segment.GetName(), tuple(segment.GetColor())) == ("left thigh", (0.1, 0.2, 0.3))
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), a_mask(1, 3))


def test_a_neighbor_that_overlaps_is_not_erased(a_segmentation, a_volume_node, a_mask):
    masks = {"a": a_mask(0, 2), "b": a_mask(2, 4)}  # apart: they share one array
    for name, mask in masks.items():
        s.set_mask(a_segmentation, name, mask, a_volume_node)
    assert a_segmentation.GetSegmentation().GetNumberOfLayers() == 1
    masks["a"] = a_mask(0, 4)
    s.set_mask(a_segmentation, "a", masks["a"], a_volume_node)
    for name, mask in masks.items():
        np.testing.assert_array_equal(s.mask_of(a_segmentation, name, a_volume_node), mask)


def test_a_mask_may_shrink_move_and_vanish(a_segmentation, a_volume_node, a_mask):
    for mask in (a_mask(0, 4), a_mask(3, 4), a_mask(0, 1), np.zeros_like(a_mask(0, 0)), a_mask(1, 3)):
        s.set_mask(a_segmentation, "lesion", mask, a_volume_node)
        np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), mask)


def test_a_first_mask_may_be_empty(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(0, 0), a_volume_node)
    assert not s.mask_of(a_segmentation, "lesion", a_volume_node).any()


def test_a_mask_of_another_shape_is_refused(a_segmentation, a_volume_node):
    with pytest.raises(InputError, match="shape"):
        s.set_mask(a_segmentation, "lesion", np.ones((4, 5, 5), bool), a_volume_node)
    assert s.user_segment_ids(a_segmentation) == []


def test_a_segment_that_is_not_there_is_refused(a_segmentation, a_volume_node):
    with pytest.raises(InputError, match="nothing"):
        s.mask_of(a_segmentation, "nothing", a_volume_node)


def test_a_mask_is_read_on_another_grid_by_the_nearest_voxel(a_scene, a_segmentation, a_volume_node, a_mask, a_grid):
    s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)
    inside = a_grid.cropped((1, 1, 1), (4, 4, 4))
    other = add_volume(a_scene, np.zeros(inside.shape, np.float32), inside, "cropped")
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", other), a_mask(1, 3)[1:4, 1:4, 1:4])


def test_a_mask_may_be_set_on_a_finer_grid_than_the_segmentation_had(a_scene, a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)
    fine = Grid((12, 12, 12), (0.75, 0.75, 0.75), (8.0, -18.0, 32.0))
    node = add_volume(a_scene, np.zeros(fine.shape, np.float32), fine, "fine")
    mask = np.zeros(fine.shape, bool)
    mask[3:9, 2:8, 4:10] = True
    s.set_mask(a_segmentation, "lesion", mask, node)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", node), mask)


@pytest.mark.parametrize("both", [True, False])
def test_a_transform_of_volume_or_segmentation_is_reckoned_with(a_scene, a_volume_node, a_mask, both):
    transform = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(to_vtk([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]]))
    a_volume_node.SetAndObserveTransformNodeID(transform.GetID())
    node = s.add_segmentation(a_scene, "result", a_volume_node)
    if not both:
        node.SetAndObserveTransformNodeID(None)
    s.set_mask(node, "lesion", a_mask(1, 3), a_volume_node)
    np.testing.assert_array_equal(s.mask_of(node, "lesion", a_volume_node), a_mask(1, 3))
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    volume_bounds = [0.0] * 6
    a_volume_node.GetRASBounds(volume_bounds)
    assert all(v <= b + 1e-6 for v, b in zip(volume_bounds[::2], bounds[::2], strict=True))
    assert all(b <= v + 1e-6 for v, b in zip(volume_bounds[1::2], bounds[1::2], strict=True))


def test_a_warp_of_both_is_none_between_them_and_of_one_is_refused(a_volume_node, a_segmentation, a_warp, a_mask):
    for node in (a_volume_node, a_segmentation):
        node.SetAndObserveTransformNodeID(a_warp.GetID())
    s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), a_mask(1, 3))
    a_segmentation.SetAndObserveTransformNodeID(None)
    with pytest.raises(InputError, match="warp"):
        s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)


def test_show_sets_what_is_given_and_leaves_the_rest(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(0, 2), a_volume_node)
    display = a_segmentation.GetDisplayNode()
    outline = display.GetSegmentOpacity2DOutline("lesion")
    s.show(a_segmentation, "lesion", False, fill_opacity=0.25, color=(0.0, 0.5, 1.0))
    assert not display.GetSegmentVisibility("lesion")
    assert display.GetSegmentOpacity2DFill("lesion") == 0.25
    assert display.GetSegmentOpacity2DOutline("lesion") == outline
    assert tuple(s.segment_of(a_segmentation, "lesion").GetColor()) == (0.0, 0.5, 1.0)


def test_a_surface_follows_the_mask_while_it_is_on(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(0, 4), a_volume_node)
    s.closed_surface(a_segmentation, True)
    points = lambda: a_segmentation.GetClosedSurfaceInternalRepresentation("lesion").GetBounds()  # noqa: E731
    large = points()
    s.set_mask(a_segmentation, "lesion", a_mask(1, 2), a_volume_node)
    assert points()[1] - points()[0] < large[1] - large[0]
    s.closed_surface(a_segmentation, False)
    assert a_segmentation.GetClosedSurfaceInternalRepresentation("lesion") is None


def test_a_helper_has_no_surface_and_leaves_the_others_theirs(a_segmentation, a_volume_node, a_mask, a_grid):
    s.set_mask(a_segmentation, "lesion", a_mask(1, 3), a_volume_node)
    s.closed_surface(a_segmentation, True)
    outside = ~a_mask(0, 3)
    for mask in (a_mask(0, 2), outside):  # again: replaced
        s.set_helper(a_segmentation, "helper", mask, a_volume_node, "Helper", (1.0, 1.0, 1.0))
    assert s.user_segment_ids(a_segmentation) == ["lesion"]
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "helper", a_volume_node), outside)
    np.testing.assert_array_equal(s.mask_of(a_segmentation, "lesion", a_volume_node), a_mask(1, 3))
    points = {
        name: s.segment_of(a_segmentation, name).GetRepresentation("Closed surface").GetNumberOfPoints()
        for name in ("lesion", "helper")
    }
    assert points["helper"] == 0 < points["lesion"]


def test_a_mask_beyond_its_own_box_is_empty_there(a_segmentation, a_volume_node, a_mask):
    s.set_mask(a_segmentation, "lesion", a_mask(2, 3), a_volume_node)
    found = s.mask_of(a_segmentation, "lesion", a_volume_node)
    np.testing.assert_array_equal(found, a_mask(2, 3))
