"""A running stand-in for each test that asks for one."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import host

DEMO = Path(__file__).parent / "demo" / "HostDemo.py"


@pytest.fixture
def a_scene():
    """The stand-in's scene, with qt, ctk and slicer in place; closed afterwards."""
    yield host.start()
    host.close()


@pytest.fixture
def a_volume(a_scene):
    """float32 (3, 4, 5): 0 ... 59, named CT."""
    import slicer

    return slicer.util.addVolumeFromArray(np.arange(60, dtype=np.float32).reshape(3, 4, 5), name="CT")


@pytest.fixture
def a_module(a_scene):
    """The demo module's widget, entered."""
    return host.load_module(DEMO)


@pytest.fixture
def an_editor(a_volume):
    """A segment editor widget on one segment, "lesion", with its own editor node."""
    import slicer

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(a_volume)
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    node = slicer.mrmlScene.AddNode(slicer.vtkMRMLSegmentEditorNode())
    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLSegmentEditorNode(node)
    editor.setMRMLScene(slicer.mrmlScene)
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(a_volume)
    return editor
