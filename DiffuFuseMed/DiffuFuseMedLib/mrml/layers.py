"""Which volumes a slice view shows, one above the other.

Since 5.10 a slice view blends any number: 0 background, 1 foreground, 2 label map, 3 and more additional ones. An older
Slicer shows the overlay as its label layer and has no place for `compare`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSliceCompositeNode

from .nodes import one_modified

FIRST_EXTRA = 3


@dataclass(frozen=True)
class Layers:
    """Volume nodes from the lowest to the highest, None for none, with their opacities from 0 to 1.

    compare: what the picture below is compared with (another scan, the picture before), under the overlay;
    clip_to_background: hide what lies outside the background's voxels. Switch a layer off for a moment by opacity 0.
    """

    background: vtkMRMLScalarVolumeNode | None
    foreground: vtkMRMLScalarVolumeNode | None = None
    foreground_opacity: float = 0.5
    overlay: vtkMRMLScalarVolumeNode | None = None
    overlay_opacity: float = 0.5
    compare: vtkMRMLScalarVolumeNode | None = None
    compare_opacity: float = 1.0
    clip_to_background: bool = False

    @property
    def extras(self) -> list[tuple[str, float]]:
        """ID and opacity of each additional layer, without gaps: MRML moves layers down into a gap."""
        extras = ((self.compare, self.compare_opacity), (self.overlay, self.overlay_opacity))
        return [(node.GetID(), opacity) for node, opacity in extras if node is not None]


def show(composite_nodes: Iterable[vtkMRMLSliceCompositeNode], layers: Layers) -> None:
    """Make every composite node show these layers; one that does already hears nothing.

    To be called again after a scene was loaded: MRML saves the opacities of additional layers, but does not read them.
    """
    for composite in composite_nodes:
        with one_modified(composite):
            _set(composite, "BackgroundVolumeID", _id(layers.background))
            _set(composite, "ForegroundVolumeID", _id(layers.foreground))
            _set(composite, "ForegroundOpacity", layers.foreground_opacity)
            if hasattr(composite, "SetClipToBackgroundVolume"):  # since 5.8
                _set(composite, "ClipToBackgroundVolume", layers.clip_to_background)
            if hasattr(composite, "SetNthLayerVolumeID"):
                _show_extras(composite, layers.extras)
            else:
                _set(composite, "LabelVolumeID", _id(layers.overlay))
                _set(composite, "LabelOpacity", layers.overlay_opacity)


def _show_extras(composite: vtkMRMLSliceCompositeNode, extras: list[tuple[str, float]]) -> None:
    for n in reversed(range(FIRST_EXTRA + len(extras), FIRST_EXTRA + composite.GetNumberOfAdditionalLayers())):
        composite.SetNthLayerVolumeID(n, None)
    for n, (volume_id, opacity) in enumerate(extras, FIRST_EXTRA):
        # A layer that is new takes its opacity once it has a volume, and ignores a first one of 0.
        if composite.GetNthLayerVolumeID(n) != volume_id:
            composite.SetNthLayerVolumeID(n, volume_id)
        if composite.GetNthLayerOpacity(n) != opacity:
            composite.SetNthLayerOpacity(n, opacity)


def _set(composite: vtkMRMLSliceCompositeNode, name: str, value: str | float | bool | None) -> None:
    if getattr(composite, f"Get{name}")() != value:
        getattr(composite, f"Set{name}")(value)


def _id(node: vtkMRMLScalarVolumeNode | None) -> str | None:
    return node and node.GetID()
