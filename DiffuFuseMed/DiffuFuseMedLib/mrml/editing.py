"""Segment Editor confined to a region: painting, erasing and the other effects change voxels inside it only.

Slicer's own mask does it: a hidden helper segment covers all that is outside, and editing is allowed outside all other
segments, overwriting none of them (else an effect that sets the whole segment takes the helper away where both lie).

The mode made for this, "inside single segment" with the region as its segment, would not do: by design of
Slicer (issue 4879) its eraser works on the whole selected segment and adds what it erases to the mask segment.

The price: inside the region, voxels of other segments of the same segmentation are protected as well. What overlaps the
lesion by nature (its 95 % contours, an organ) belongs in a segmentation node of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from slicer import vtkMRMLScene, vtkMRMLSegmentationNode, vtkMRMLSegmentEditorNode, vtkMRMLVolumeNode
from vtkmodules.vtkCommonDataModel import vtkImageData

from .nodes import find, one_modified, set_tag, tag
from .segmentations import LABELMAP, mask_of, set_helper, set_mask, show

OUTSIDE = "DiffuFuseMed.outside"
MASK_MODE = vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments
BEFORE = "before_restriction"
EDITOR = "DiffuFuseMed"


def editor_node(scene: vtkMRMLScene) -> vtkMRMLSegmentEditorNode:
    """This product's own editor node: the one of Slicer's Segment Editor module keeps its settings."""
    found = find(scene, "editor", EDITOR, "vtkMRMLSegmentEditorNode")
    if found:
        return found[0]
    node = vtkMRMLSegmentEditorNode()
    node.SetSingletonTag(EDITOR)
    set_tag(node, "editor", EDITOR)
    return scene.AddNode(node)


def restrict(
    editor_node: vtkMRMLSegmentEditorNode,
    seg_node: vtkMRMLSegmentationNode,
    mask: np.ndarray,
    reference_node: vtkMRMLVolumeNode,
) -> None:
    """Allow editing only where mask [k, j, i], on the reference's grid, is True. Again with another mask: moves it."""
    outside = ~np.asarray(mask, bool)
    set_helper(seg_node, OUTSIDE, outside, reference_node, "Outside the region under review", (1.0, 1.0, 1.0))
    show(seg_node, OUTSIDE, visible=False)
    with one_modified(editor_node):
        if tag(editor_node, BEFORE) is None:
            before = (editor_node.GetMaskMode(), editor_node.GetOverwriteMode())
            set_tag(editor_node, BEFORE, json.dumps(before))
        editor_node.SetMaskMode(MASK_MODE)
        editor_node.SetOverwriteMode(vtkMRMLSegmentEditorNode.OverwriteNone)


def release(editor_node: vtkMRMLSegmentEditorNode, seg_node: vtkMRMLSegmentationNode) -> None:
    """Allow editing where the user had allowed it before, and remove the helper segment."""
    before = tag(editor_node, BEFORE)
    if before is not None:
        with one_modified(editor_node):
            mask_mode, overwrite_mode = json.loads(before)
            editor_node.SetMaskMode(mask_mode)
            editor_node.SetOverwriteMode(overwrite_mode)
            set_tag(editor_node, BEFORE, None)
    if seg_node.GetSegmentation().GetSegment(OUTSIDE) is not None:
        seg_node.GetSegmentation().RemoveSegment(OUTSIDE)


def is_restricted(editor_node: vtkMRMLSegmentEditorNode, seg_node: vtkMRMLSegmentationNode) -> bool:
    """Whether `restrict` holds at this moment: a user may change the editor's modes or delete the helper segment."""
    mode = editor_node.GetMaskMode(), editor_node.GetOverwriteMode()
    masked = mode == (MASK_MODE, vtkMRMLSegmentEditorNode.OverwriteNone)
    return masked and seg_node.GetSegmentation().GetSegment(OUTSIDE) is not None


@dataclass(frozen=True)
class Outside:
    """What may not be edited: voxels that hold `label` in `labels`, an image in the reference's voxel index."""

    labels: Any
    label: int


def outside_of(editor_node: vtkMRMLSegmentEditorNode, seg_node: vtkMRMLSegmentationNode) -> Outside | None:
    """What `restrict` keeps the editor from, without a copy of its voxels; None where it keeps it from nothing."""
    if not is_restricted(editor_node, seg_node):
        return None
    segment = seg_node.GetSegmentation().GetSegment(OUTSIDE)
    labels = vtkImageData()
    labels.ShallowCopy(segment.GetRepresentation(LABELMAP))
    labels.SetSpacing(1.0, 1.0, 1.0)
    labels.SetOrigin(0.0, 0.0, 0.0)
    return Outside(labels, segment.GetLabelValue())


def put_back_outside(
    seg_node: vtkMRMLSegmentationNode,
    segment_id: str,
    before: np.ndarray,
    mask: np.ndarray,
    reference_node: vtkMRMLVolumeNode,
) -> int:
    """Make the segment outside mask what it was (`before`, bool [k, j, i]); returns how many voxels were not.

    For effects that pass the editor's mask by (Logical operators, unless told otherwise).
    """
    now = mask_of(seg_node, segment_id, reference_node)
    changed = int(np.count_nonzero((now != before) & ~mask))
    if changed:
        set_mask(seg_node, segment_id, np.where(mask, now, before), reference_node)
    return changed
