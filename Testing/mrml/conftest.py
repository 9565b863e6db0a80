"""A scene as both hosts have it, without any view: MRML's own nodes and logics, no rendering."""

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.mrml.volumes import add_volume
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

# Turned about the body axis and not in the usual order, so that no test passes by a mistaken axis or sign.
GRID = Grid((6, 5, 4), (1.5, 2.0, 3.0), (10.0, -20.0, 30.0), (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))


@pytest.fixture
def a_scene():
    """A scene with Slicer's color nodes and segmentation nodes, as an application makes them."""
    scene = slicer.vtkMRMLScene()
    colors, segmentations = slicer.vtkMRMLColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    segmentations.SetMRMLScene(scene)
    yield scene
    for logic in (colors, segmentations):  # a logic that goes first leaves no observer behind
        logic.SetMRMLScene(None)
    scene.Clear(True)


@pytest.fixture
def a_bare_scene():
    """A scene of which no logic knows."""
    return slicer.vtkMRMLScene()


@pytest.fixture
def an_array():
    """float32 (4, 5, 6): 0, 1, 2 ... 119, less 50 so that it can be a CT."""
    return np.arange(120, dtype=np.float32).reshape(GRID.shape) - 50


@pytest.fixture
def a_grid():
    return GRID


@pytest.fixture
def a_volume_node(a_scene, an_array):
    return add_volume(a_scene, an_array, GRID, "CT")


@pytest.fixture
def heard():
    """A function (node, event): a list that grows by one each time the node tells of the event."""

    def listen(node, event="ModifiedEvent"):
        calls = []
        node.AddObserver(event, lambda *_: calls.append(event))
        return calls

    return listen


@pytest.fixture
def a_warp(a_scene):
    """A transform node that is not linear and lifts every point by 2 mm."""
    source, target = vtkPoints(), vtkPoints()
    for corner in np.indices((2, 2, 2)).reshape(3, -1).T * (-23.0, -23.0, 23.0):
        source.InsertNextPoint(corner)
        target.InsertNextPoint(np.add(corner, (0, 0, 2)))
    warp = vtkThinPlateSplineTransform()
    warp.SetBasisToR()
    warp.SetSourceLandmarks(source)
    warp.SetTargetLandmarks(target)
    node = a_scene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(warp)
    assert not node.IsTransformToWorldLinear()
    return node
