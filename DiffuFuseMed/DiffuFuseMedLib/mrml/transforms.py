"""Where a volume is shown: a linear transform above its node, which every view follows at once."""

from __future__ import annotations

import numpy as np
from slicer import vtkMRMLLinearTransformNode, vtkMRMLScene, vtkMRMLVolumeNode

from .geometry import LPS_TO_RAS, to_vtk
from .nodes import set_tag
from .volumes import ROLE


def add_transform(scene: vtkMRMLScene, name: str, role: str) -> vtkMRMLLinearTransformNode:
    """A new transform, the identity; no file of a scene holds it, so whoever opens one makes it anew. role: as of
    volumes.add_volume."""
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetSaveWithScene(False)  # its file would be of a library that no scene from elsewhere may reach
    set_tag(node, ROLE, role)
    return node


def set_matrix(node: vtkMRMLLinearTransformNode, matrix: np.ndarray) -> None:
    """matrix: 4 x 4 LPS mm, from where a point of the image is by its own geometry to where it is shown."""
    node.SetMatrixTransformToParent(to_vtk(LPS_TO_RAS @ matrix @ LPS_TO_RAS))


def put_under(volume: vtkMRMLVolumeNode, transform: vtkMRMLLinearTransformNode | None) -> None:
    """Show the volume where the transform says; None: where its own geometry does."""
    if volume.GetParentTransformNode() is not transform:
        volume.SetAndObserveTransformNodeID(transform.GetID() if transform else None)
