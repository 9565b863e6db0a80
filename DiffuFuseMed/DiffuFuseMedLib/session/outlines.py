"""The lines in the slice views and their colors, so that a reader can tell one from another."""

from __future__ import annotations

from typing import Any

from ..mrml import segmentations
from . import annotators
from .choices import GHOST
from .context import SessionContext
from .display import OUTLINES
from .events import Topic

ROLES = ("lesion", "contours", "previous", annotators.ROLE, GHOST, OUTLINES)
TOLD_WITH = (Topic.CASE, Topic.PARAMETERS, Topic.REVIEW, Topic.LAYERS, Topic.SCENE)  # with these one may come or go
REGION_NAME = "region under review"  # in place of its question, which the worklist shows


def note(context: SessionContext, region: Any) -> None:
    """Write on the view state which outlines are on screen. region: the node of the region under review, or None."""
    nodes = [context.nodes[role] for role in ROLES if role in context.nodes]
    shown = [each for node in nodes if context.scene.IsNodePresent(node) for each in segmentations.outlines_shown(node)]
    if region is not None:
        shown += [(REGION_NAME, color) for _, color in segmentations.outlines_shown(region)]
    context.view_state.outlines = tuple({"name": name, "color": color} for name, color in shown)
