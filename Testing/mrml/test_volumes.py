from dataclasses import replace

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.planes import PLANES
from DiffuFuseMedLib.core.resampling import resample
from DiffuFuseMedLib.mrml import nodes, volumes
from DiffuFuseMedLib.mrml.geometry import LPS_TO_RAS, to_vtk
from DiffuFuseMedLib.mrml.to_volume import to_volume
from vtkmodules.vtkCommonMath import vtkMatrix4x4


def moved(scene, node, matrix):
    """Put the node under a linear transform (RAS)."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(to_vtk(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def test_a_voxel_lies_in_ras_where_its_grid_says_in_lps(a_scene, an_array):
    grid = Grid((6, 5, 4), (1.5, 2.0, 3.0), (10.0, -20.0, 30.0))
    node = volumes.add_volume(a_scene, an_array, grid, "CT")
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    # i = 2, j = 1, k = 3: LPS (10 + 3, -20 + 2, 30 + 9), so RAS (-13, 18, 39)
    assert matrix.MultiplyPoint((2, 1, 3, 1))[:3] == pytest.approx((-13, 18, 39))
    assert node.GetImageData().GetScalarComponentAsDouble(2, 1, 3, 0) == an_array[3, 1, 2]


def test_grid_and_voxels_come_back_from_a_turned_grid(a_volume_node, an_array, a_grid):
    assert volumes.grid_of(a_volume_node).same_as(a_grid, 1e-9)
    np.testing.assert_array_equal(volumes.array_of(a_volume_node), an_array)


def test_a_new_volume_shows_nearly_all_values_and_keeps_its_role(a_scene, an_array, a_grid):
    node = volumes.add_volume(a_scene, an_array, a_grid, "fused", role="fused")
    display = node.GetDisplayNode()
    assert not display.GetAutoWindowLevel()
    # 0.5 and 99.5 % of -50 ... 69
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((-49.405, 68.405))
    assert nodes.find(a_scene, "role", "fused") == [node]


def test_a_new_volume_is_a_copy(a_scene, an_array, a_grid):
    node = volumes.add_volume(a_scene, an_array, a_grid, "CT")
    an_array[:] = 7
    assert volumes.array_of(node)[0, 0, 0] == -50


@pytest.mark.parametrize(("given", "kept"), [(bool, "uint8"), (np.int64, "int32"), (np.float16, "float32")])
def test_kinds_of_numbers_that_nrrd_files_lack_are_stored_as_others(a_scene, a_grid, given, kept):
    node = volumes.add_volume(a_scene, np.ones(a_grid.shape, given), a_grid, "mask")
    assert volumes.array_of(node).dtype == kept
    assert volumes.array_of(node).all()


def test_an_image_cropped_in_place_keeps_its_place(a_volume_node, an_array, a_grid):
    image = a_volume_node.GetImageData()
    image.SetExtent(2, 5, 1, 4, 3, 3)  # the same storage, fewer voxels: only the place is looked at
    assert volumes.grid_of(a_volume_node).same_as(a_grid.cropped((3, 1, 2), (4, 5, 6)), 1e-9)


def test_to_volume_gives_a_copy_on_the_same_grid(a_volume_node, an_array, a_grid):
    volume = to_volume(a_volume_node, "CT")
    assert volume.grid.same_as(a_grid, 1e-9)
    assert (volume.modality, volume.units, volume.array.dtype) == ("CT", "HU", np.float32)
    volumes.array_of(a_volume_node)[:] = 0
    np.testing.assert_array_equal(volume.array, an_array)


def test_a_linear_parent_transform_moves_the_grid_and_leaves_the_node(a_scene, a_volume_node, a_grid, heard):
    shift = np.eye(4)
    shift[:3, 3] = 4, 5, 6  # RAS: 4 mm to the right is -4 mm in LPS
    transform = moved(a_scene, a_volume_node, shift)
    told = heard(a_volume_node)
    volume = to_volume(a_volume_node, "CT")
    assert volume.grid.same_as(replace(a_grid, origin=(6.0, -25.0, 36.0)), 1e-9)
    assert a_volume_node.GetParentTransformNode() is transform
    assert volumes.grid_of(a_volume_node).same_as(a_grid, 1e-9)
    assert told == []


def test_a_scaling_parent_transform_changes_the_spacing(a_scene, a_volume_node, an_array):
    moved(a_scene, a_volume_node, np.diag([2.0, 2.0, 2.0, 1.0]))
    volume = to_volume(a_volume_node, "CT")
    assert volume.grid.spacing_mm == pytest.approx((3, 4, 6))
    np.testing.assert_array_equal(volume.array, an_array)


@pytest.fixture
def a_smooth_node(a_scene):
    """CT of 24 mm: its value is x + 2 y + 3 z - 500 in LPS mm, so that linear interpolation is exact."""
    grid = Grid((24, 24, 24))
    z, y, x = np.indices(grid.shape)
    return volumes.add_volume(a_scene, (x + 2 * y + 3 * z - 500).astype(np.float32), grid, "CT")


def value_at(volume, point_lps):
    k, j, i = np.rint(volume.grid.to_index(np.array(point_lps)))[::-1].astype(int)
    return volume.array[k, j, i], volume.grid.to_physical(np.array([i, j, k], float))


def test_a_shearing_parent_transform_is_resampled_on_perpendicular_axes(a_scene, a_smooth_node):
    shear = np.eye(4)
    shear[0, 2] = 0.2  # R moves by 0.2 S
    moved(a_scene, a_smooth_node, shear)
    volume = to_volume(a_smooth_node, "CT")
    axes = np.reshape(volume.grid.direction, (3, 3))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    value, (x, y, z) = value_at(volume, (10, 12, 12))
    assert value == pytest.approx((x + 0.2 * z) + 2 * y + 3 * z - 500, abs=1e-2)  # L = -R, so L went down by 0.2 S


def test_a_warp_is_resampled_in_a_copy(a_scene, a_smooth_node, a_warp):
    a_smooth_node.SetAndObserveTransformNodeID(a_warp.GetID())
    before, count = volumes.array_of(a_smooth_node).copy(), a_scene.GetNumberOfNodes()
    volume = to_volume(a_smooth_node, "CT")
    value, (x, y, z) = value_at(volume, (10, 12, 12))
    assert value == pytest.approx(x + 2 * y + 3 * (z - 2) - 500, abs=1e-2)  # every point went up by 2 mm
    np.testing.assert_array_equal(volumes.array_of(a_smooth_node), before)
    assert a_smooth_node.GetParentTransformNode() is a_warp
    assert a_scene.GetNumberOfNodes() == count


def spoiled(scene, node, how):
    if how == "not finite":
        volumes.array_of(node)[0, 0, 0] = np.nan
    if how == "empty":
        node.SetAndObserveImageData(None)
    if how == "RGB":
        node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode")
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(3, 3, 3)
        image.AllocateScalars(3, 3)
        node.SetAndObserveImageData(image)
    if how == "label map":
        node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
        node.SetAndObserveImageData(volumes.as_image(np.ones((3, 3, 3), np.uint8)))
    if how == "positive":
        volumes.array_of(node)[:] += 50
    return None if how == "none" else node


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("not finite", "NaN or infinite"),
        ("empty", "without voxels"),
        ("none", "without voxels"),
        ("RGB", "3 values per voxel"),
        ("label map", "label map"),
        ("positive", "Hounsfield"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(a_scene, a_volume_node, how, words):
    a_volume_node.SetName("DOE^JANE")
    with pytest.raises(InputError, match=words) as refusal:
        to_volume(spoiled(a_scene, a_volume_node, how), "CT")
    assert "DOE" not in str(refusal.value)


def test_a_pet_node_in_another_unit_is_refused_and_one_without_is_noted(a_scene, an_array, a_grid):
    node = volumes.add_volume(a_scene, abs(an_array) / 5.03, a_grid, "PET")
    assert to_volume(node, "PET").meta["notes"]
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning("{SUVbw}g/ml", "UCUM", "SUV body weight")
    node.SetVoxelValueUnits(entry)
    assert to_volume(node, "PET").meta["notes"] == []
    entry.SetValueSchemeMeaning("Bq/ml", "UCUM", "Becquerels per milliliter")
    node.SetVoxelValueUnits(entry)
    with pytest.raises(InputError, match="Bq/ml"):
        to_volume(node, "PET")


def test_set_array_changes_the_voxels_in_place_and_tells_once(a_volume_node, an_array, heard):
    image, told = a_volume_node.GetImageData(), heard(a_volume_node)
    assert image.GetPointData().GetScalars().GetRange() == (-50, 69)
    shown = heard(a_volume_node, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent)
    volumes.set_array(a_volume_node, an_array * 2)
    np.testing.assert_array_equal(volumes.array_of(a_volume_node), an_array * 2)
    assert a_volume_node.GetImageData() is image
    assert image.GetPointData().GetScalars().GetRange() == (-100, 138)
    assert (len(told), len(shown)) == (1, 1)


def test_the_picture_that_a_view_shows_follows_the_voxels(a_volume_node, an_array):
    display = a_volume_node.GetDisplayNode()
    display.SetWindowLevelMinMax(-50, 69)
    picture = display.GetImageDataConnection().GetProducer()
    picture.Update()
    assert picture.GetOutput().GetScalarComponentAsDouble(0, 0, 0, 0) == 0
    volumes.set_slice(a_volume_node, "axial", 0, np.full((5, 6), 69, np.float32))
    picture.Update()
    assert picture.GetOutput().GetScalarComponentAsDouble(0, 0, 0, 0) == 255


@pytest.mark.parametrize("plane", PLANES)
def test_set_slice_changes_one_slice_only(a_volume_node, an_array, plane, heard):
    told = heard(a_volume_node)
    expected = an_array.copy()
    target = np.moveaxis(expected, PLANES[plane], 0)
    target[2] = np.arange(target[2].size).reshape(target[2].shape)
    volumes.set_slice(a_volume_node, plane, 2, target[2])
    np.testing.assert_array_equal(volumes.array_of(a_volume_node), expected)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("plane", "index", "shape"),
    [("oblique", 0, (5, 6)), ("axial", 4, (5, 6)), ("axial", -1, (5, 6)), ("axial", 0, (6, 5))],
)
def test_a_slice_that_does_not_fit_is_refused(a_volume_node, an_array, plane, index, shape):
    with pytest.raises(InputError):
        volumes.set_slice(a_volume_node, plane, index, np.zeros(shape, np.float32))
    np.testing.assert_array_equal(volumes.array_of(a_volume_node), an_array)


def test_gray_values_are_not_cut_to_whole_numbers_in_silence(a_scene, a_grid):
    node = volumes.add_volume(a_scene, np.zeros(a_grid.shape, np.int16), a_grid, "mask")
    with pytest.raises(InputError, match="float64"):
        volumes.set_array(node, np.full(a_grid.shape, 0.5))


def test_a_warp_leaves_air_where_it_brings_nothing(a_scene, a_warp):
    grid = Grid((24, 24, 24))
    array = np.full(grid.shape, -1000, np.float32)
    array[8:16, 8:16, 8:16] = 40
    node = volumes.add_volume(a_scene, array, grid, "CT")
    node.SetAndObserveTransformNodeID(a_warp.GetID())
    assert (to_volume(node, "CT").array[:2] == -1000).all()


def test_a_resampled_volume_agrees_with_simpleitk(a_scene, a_smooth_node):
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    moved(a_scene, a_smooth_node, turn)
    grid = Grid((5, 5, 5), origin=(-2.0, 8.0, 10.0))
    on_grid = resample(to_volume(a_smooth_node, "CT"), grid)
    point = np.linalg.inv(turn) @ LPS_TO_RAS @ (-2.0, 8.0, 10.0, 1.0)  # RAS before the turn
    x, y, z = -point[0], -point[1], point[2]
    assert on_grid.array[0, 0, 0] == pytest.approx(x + 2 * y + 3 * z - 500, abs=1e-2)


def test_a_shared_array_is_the_nodes_own_and_another_takes_its_place_untouched(a_scene, an_array, a_grid):
    first, second = an_array.astype(np.float32), an_array.astype(np.float32) + 1
    node = volumes.add_volume(a_scene, first, a_grid, "map", share=True)
    assert np.shares_memory(volumes.array_of(node), first)
    heard = []
    node.AddObserver(slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, lambda *_: heard.append(1))
    volumes.share_array(node, second)
    assert np.shares_memory(volumes.array_of(node), second)
    assert heard
    np.testing.assert_array_equal(first, an_array)
    with pytest.raises(InputError, match="shape"):
        volumes.share_array(node, second[1:])


def test_a_shared_array_outlives_the_name_it_had(a_scene, a_grid):
    node = volumes.add_volume(a_scene, np.full(a_grid.shape, 3.0, np.float32), a_grid, "map", share=True)
    blocks = [np.full(a_grid.shape, 7.0, np.float32) for _ in range(200)]  # takes what was given back
    assert (volumes.array_of(node) == 3).all() and blocks
