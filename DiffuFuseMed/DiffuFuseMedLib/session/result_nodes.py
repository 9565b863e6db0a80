"""A result as nodes of the scene: the lesion's segment, contours, the contour before it as a ghost, and the maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.maps import of_prediction, role_of
from ..core.prediction import Prediction
from ..io.seg_nrrd import LESION, contour_segments
from ..mrml import segmentations, volumes
from ..mrml.nodes import set_provenance, set_tag
from .context import SessionContext

INNER, OUTER = contour_segments(0.95)
GHOST_COLOR = (0.6,) * 3


def write_result(
    context: SessionContext, prediction: Prediction, lesion: np.ndarray, before: np.ndarray | None
) -> None:
    """Replace what was there in place. lesion, before: bool [k, j, i], of which the second becomes the ghost."""
    _write_outlines(context, prediction, lesion, before)
    maps, known = {"probability": ("Probability", prediction.probability)}, of_prediction()
    there = {key: spec for key, spec in known.items() if key in prediction.uncertainty}
    maps |= {role_of(key): (spec.node, prediction.uncertainty[key]) for key, spec in there.items()}
    for role in {"probability", *map(role_of, known)} - set(maps):
        _take_away(context, role)
    for role, (name, array) in maps.items():
        set_provenance(_volume(context, role, name, array), prediction.provenance)


def _write_outlines(
    context: SessionContext, prediction: Prediction, lesion: np.ndarray, before: np.ndarray | None
) -> None:
    reference, node = context.reference_node, segmentation_node(context, "lesion", "Lesion")
    segmentations.set_mask(node, "lesion", lesion, reference, "lesion", LESION.color)
    segmentations.closed_surface(node, True)  # what the 3D view shows
    set_provenance(node, prediction.provenance)
    contours, level = segmentation_node(context, "contours", "95 % contours"), "" if prediction.outside else "95 % "
    contours.SetName(f"{level}contours")
    segmentations.set_mask(contours, "inner", prediction.inner, reference, f"inner {level}contour", INNER.color)
    segmentations.set_mask(contours, "outer", prediction.outer, reference, f"outer {level}contour", OUTER.color)
    # the network's own labels, from which a saved scene brings the prediction back
    segmentations.set_mask(contours, "network", prediction.labels == 1, reference, "as predicted", LESION.color)
    segmentations.show(contours, "network", False)
    if before is not None:
        ghost = segmentation_node(context, "previous", "Previous contour")
        segmentations.set_mask(ghost, "previous", before, reference, "previous", GHOST_COLOR)


def segmentation_node(context: SessionContext, role: str, name: str, saved: bool = True) -> Any:
    """The vtkMRMLSegmentationNode of a role, made when there is none; saved: as of add_segmentation()."""
    if role not in context.nodes:
        node = segmentations.add_segmentation(context.scene, name, context.reference_node, saved)
        set_tag(node, volumes.ROLE, role)
        context.nodes[role] = node
    return context.nodes[role]


def _volume(context: SessionContext, role: str, name: str, array: np.ndarray) -> Any:
    if role in context.nodes:
        volumes.share_array(context.nodes[role], array)
    else:
        context.nodes[role] = volumes.add_volume(context.scene, array, context.opened.grid, name, role=role, share=True)
    return context.nodes[role]


def _take_away(context: SessionContext, role: str) -> None:
    """A map of the result before that this one does not have."""
    if role in context.nodes:
        context.scene.RemoveNode(context.nodes.pop(role))
