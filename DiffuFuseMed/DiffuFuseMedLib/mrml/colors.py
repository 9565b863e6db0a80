"""Color nodes by name, and the same colors as a CSS gradient for a legend in HTML.

A wheel of Slicer's libraries has no Inferno (desktop Slicer reads it from its share folder), and Slicer does not save
its own color nodes with a scene. So Inferno and the colors of tracers (core/tracer_colors.py) are nodes of this
library: saved with the scene, the same in both hosts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from slicer import vtkMRMLColorNode, vtkMRMLColorTableNode, vtkMRMLPETProceduralColorNode, vtkMRMLScene

from ..core.errors import input_error
from ..core.tracer_colors import TRACER_COLORS, tracer_rgba
from .inferno import inferno_rgb
from .nodes import find, nodes_of, set_tag

INFERNO = "Inferno"
ENTRIES = 256
TAG = "color"


def color_node(scene: vtkMRMLScene, name: str) -> vtkMRMLColorNode:
    """The scene's color node called 'Grey', 'Inferno', 'PET-Heat' ... as Slicer's Colors module shows it.

    Inferno, TRACER_COLORS, Grey and Slicer's PET types are made when the scene has none; InputError for another name it
    does not have.
    """
    if name == INFERNO or name in TRACER_COLORS:
        return _own(scene, name)
    found = _default(scene, name) or next((n for n in nodes_of(scene, "vtkMRMLColorNode") if n.GetName() == name), None)
    if found is not None:
        return found
    node = _grey() if name == "Grey" else _pet(name)
    return _added(scene, node, name)


def css_gradient(node: vtkMRMLColorNode, steps: int = 16) -> list[str]:
    """'#rrggbb' at `steps` places, evenly from the lowest to the highest color: linear-gradient(to right, ...)."""
    colors = node.GetScalarsToColors()
    rgb = [0.0, 0.0, 0.0]
    gradient = []
    low, high = colors.GetRange()
    for value in np.linspace(low, high, steps):
        colors.GetColor(value, rgb)
        gradient.append(css_color(rgb))
    return gradient


def css_color(rgb: Sequence[float]) -> str:
    """'#rrggbb' of red, green and blue from 0 to 1."""
    return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)


def _default(scene: vtkMRMLScene, name: str) -> vtkMRMLColorNode | None:
    """The node that Slicer's color logic makes; its IDs are fixed, while a user's node may bear the same name."""
    ids = (
        f"vtkMRMLColorTableNode{name}",
        f"vtkMRMLPETProceduralColorNode{name}",
        f"vtkMRMLColorTableNodeFile{name}.txt",
    )
    return next((node for node in map(scene.GetNodeByID, ids) if node is not None), None)


def _own(scene: vtkMRMLScene, name: str) -> vtkMRMLColorTableNode:
    found = find(scene, TAG, name, "vtkMRMLColorTableNode")
    if found:
        return found[0]
    node = vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetName(name)
    node.SetDescription(f"{name}, from the lower end of the window to the upper")
    node.SetNumberOfColors(ENTRIES)
    for n, rgba in enumerate(_rgba(scene, name)):
        node.SetColor(n, f"{n}", *rgba)
    set_tag(node, TAG, name)
    return scene.AddNode(node)


def _rgba(scene: vtkMRMLScene, name: str) -> np.ndarray:
    """(256, 4) from 0 to 1."""
    return tracer_rgba(name) if name in TRACER_COLORS else np.insert(_inferno_rgb(scene), 3, 1.0, axis=1)


def _inferno_rgb(scene: vtkMRMLScene) -> np.ndarray:
    """(256, 3) from 0 to 1: of desktop Slicer's own table where the scene has it."""
    theirs = _default(scene, INFERNO)
    if theirs is not None and theirs.GetNumberOfColors() == ENTRIES:
        rgba = [0.0] * 4
        return np.array([theirs.GetColor(n, rgba) and rgba[:3] for n in range(ENTRIES)])
    return inferno_rgb()


def _grey() -> vtkMRMLColorTableNode:
    node = vtkMRMLColorTableNode()
    node.SetTypeToGrey()
    return node


def _pet(name: str) -> vtkMRMLPETProceduralColorNode:
    node = vtkMRMLPETProceduralColorNode()
    for kind in range(node.GetFirstType(), node.GetLastType() + 1):
        node.SetType(kind)
        if node.GetTypeAsString() == name:
            return node
    raise input_error(f"the colors {name!r}", "a color node of the scene", "choose Grey, Inferno or PET heat")


def _added(scene: vtkMRMLScene, node: vtkMRMLColorNode, name: str) -> vtkMRMLColorNode:
    """Added the way the color logic does (same ID, not saved), so that a scene finds it again in any host."""
    node.SetName(name)
    node.SetSingletonTag(name)
    node.SaveWithSceneOff()
    return scene.AddNode(node)
