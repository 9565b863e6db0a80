"""How a volume is shown: gray-value window, colors, transparency below a value, interpolation."""

from __future__ import annotations

from collections.abc import Callable

from slicer import vtkMRMLScalarVolumeDisplayNode, vtkMRMLScalarVolumeNode
from vtkmodules.vtkCommonCore import vtkCommand

from .colors import color_node
from .nodes import one_modified
from .volumes import array_of


def display_of(node: vtkMRMLScalarVolumeNode) -> vtkMRMLScalarVolumeDisplayNode:
    """The volume's display node, made when it has none."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    return node.GetDisplayNode()


def set_window(node: vtkMRMLScalarVolumeNode, low: float, high: float) -> None:
    """Show values from low (first color) to high (last color), in the volume's unit."""
    display = display_of(node)
    if window_of(node) == (low, high) and not display.GetAutoWindowLevel():
        return
    with one_modified(display):
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(low, high)


def window_of(node: vtkMRMLScalarVolumeNode) -> tuple[float, float]:
    """(low, high) in the volume's unit."""
    display = display_of(node)
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def watch_window(node: vtkMRMLScalarVolumeNode, changed: Callable[[], None]) -> Callable[[], None]:
    """Call changed() when anyone changes how the volume is shown. Returns what ends it."""
    display = display_of(node)
    tag = display.AddObserver(vtkCommand.ModifiedEvent, lambda *_: changed())
    return lambda: display.RemoveObserver(tag)


def set_colors(node: vtkMRMLScalarVolumeNode, color_name: str) -> None:
    """Show the volume in the colors of `colors.color_node`."""
    display_of(node).SetAndObserveColorNodeID(color_node(node.GetScene(), color_name).GetID())


def colors_of(node: vtkMRMLScalarVolumeNode) -> str | None:
    """The name of the volume's color node."""
    color = display_of(node).GetColorNode()
    return color and color.GetName()


def set_lower_threshold(node: vtkMRMLScalarVolumeNode, value: float | None) -> None:
    """Make what lies below value (volume's unit) transparent; None shows everything."""
    display = display_of(node)
    with one_modified(display):
        display.AutoThresholdOff()
        if value is not None:
            display.SetUpperThreshold(max(display.GetUpperThreshold(), _highest(node), value))
            display.SetLowerThreshold(value)
        display.SetApplyThreshold(value is not None)


def lower_threshold_of(node: vtkMRMLScalarVolumeNode) -> float | None:
    """What `set_lower_threshold` set."""
    display = display_of(node)
    return display.GetLowerThreshold() if display.GetApplyThreshold() else None


def set_interpolate(node: vtkMRMLScalarVolumeNode, on: bool) -> None:
    """Between voxels: linearly (on), or each as a flat square (off)."""
    display_of(node).SetInterpolate(on)


def _highest(node: vtkMRMLScalarVolumeNode) -> float:
    image = node.GetImageData()
    there = image is not None and image.GetNumberOfPoints() > 0
    return float(array_of(node).max()) if there else 0.0  # VTK's own range takes ten times as long
