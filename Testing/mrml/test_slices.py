import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.mrml import slices

STRAIGHT = Grid((6, 5, 4), (1.5, 2.0, 3.0), (10.0, -20.0, 30.0))


@pytest.fixture
def a_view(a_scene):
    """A function (orientation): a slice node that looks that way."""

    def make(orientation="Axial"):
        node = a_scene.AddNewNodeByClass("vtkMRMLSliceNode")
        node.SetOrientation(orientation)
        return node

    return make


@pytest.fixture(autouse=True)
def orientations(a_scene):
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(a_scene, True)


@pytest.mark.parametrize(
    ("orientation", "shown"), [("Axial", ("axial", 2)), ("Coronal", ("coronal", 3)), ("Sagittal", ("sagittal", 4))]
)
def test_a_view_that_jumped_to_a_voxel_shows_its_slice(a_view, orientation, shown):
    view = a_view(orientation)
    slices.jump([view], tuple(STRAIGHT.to_physical(np.array([4, 3, 2]))))
    assert slices.slice_index(view, STRAIGHT) == shown


def test_planes_are_those_of_the_array_not_of_the_body(a_view, a_grid):
    # The grid's i runs to posterior, its j to the right: a sagittal view cuts across j.
    view = a_view("Sagittal")
    slices.jump([view], tuple(a_grid.to_physical(np.array([4, 3, 2]))))
    assert slices.slice_index(view, a_grid) == ("coronal", 3)


@pytest.mark.parametrize(("shift_mm", "shown"), [(-1.4, 0), (-1.6, None), (1.4, 0), (1.6, 1), (10.4, 3), (10.6, None)])
def test_the_nearest_slice_counts_up_to_half_a_voxel_outside(a_view, shift_mm, shown):
    view = a_view()
    slices.jump([view], (10.0, -20.0, 30.0 + shift_mm))
    assert slices.slice_index(view, STRAIGHT) == (None if shown is None else ("axial", shown))


def turned(view, degrees):
    matrix = view.GetSliceToRAS()
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    for row, values in enumerate(((1, 0, 0), (0, c, -s), (0, s, c))):
        for column, value in enumerate(values):
            matrix.SetElement(row, column, value)
    view.UpdateMatrices()


def test_an_oblique_view_has_no_plane(a_view):
    view = a_view()
    turned(view, 1)
    assert slices.plane_of(view, STRAIGHT) is None
    assert slices.slice_index(view, STRAIGHT) is None
    turned(view, 0.01)
    assert slices.plane_of(view, STRAIGHT) == "axial"


def test_jump_moves_every_view_and_centers_the_place(a_view):
    views = [a_view(o) for o in ("Axial", "Coronal", "Sagittal")]
    slices.jump(views, (12.0, -7.0, 33.0))
    for view in views:
        assert [view.GetSliceToRAS().GetElement(row, 3) for row in range(3)] == pytest.approx([-12, 7, 33])


def test_probe_gives_the_nearest_voxel_and_none_outside(an_array):
    other = Grid((2, 2, 2), (50.0, 50.0, 50.0))
    arrays = {"CT": (an_array, STRAIGHT), "PET": (np.arange(8.0).reshape(2, 2, 2), other)}
    # LPS of i = 4, j = 3, k = 2 is (16, -14, 36); a little off it is still nearest
    values = slices.probe((-16.3, 13.5, 37.0), arrays)
    assert values == {"CT": an_array[2, 3, 4], "PET": 4.0}  # PET: (16, -14, 37) / 50 is nearest to i 0, j 0, k 1
    assert slices.probe((-9.2, 20.0, 30.0), arrays)["CT"] is None  # 0.8 mm out of 1.5 mm voxels
    assert slices.probe((-9.3, 20.0, 30.0), arrays)["CT"] == an_array[0, 0, 0]
