"""Slicer's Segment Editor inside the panel, on an editor node of its own; what it does is undone by the session."""

from __future__ import annotations

from typing import Any

import slicer

from ..mrml import editing

EFFECTS = ("Paint", "Draw", "Erase", "Level tracing", "Scissors", "Threshold", "Islands", "Smoothing", "Margin")


class Editor:
    """frame: the widget that it is put into."""

    def __init__(self, frame: Any) -> None:
        self.widget = slicer.qMRMLSegmentEditorWidget()
        self.widget.setMaximumNumberOfUndoStates(0)
        self.widget.setUndoEnabled(False)  # its undo knows neither regions nor decisions
        self.node = editing.editor_node(slicer.mrmlScene)
        # the node first, or what was selected is lost
        self.widget.setMRMLSegmentEditorNode(self.node)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self._shape()
        frame.layout().addWidget(self.widget)

    def edit(self, segmentation_node: Any, volume_node: Any) -> None:
        """Tools act on the lesion, with the reference image behind them."""
        if self.widget.segmentationNode() is not segmentation_node:
            self.widget.setSegmentationNode(segmentation_node)
        if self.widget.sourceVolumeNode() is not volume_node:
            self.widget.setSourceVolumeNode(volume_node)
        if self.widget.currentSegmentID() != "lesion":
            self.widget.setCurrentSegmentID("lesion")

    def lay_down(self) -> None:
        """No tool is active."""
        self.widget.setActiveEffect(None)

    def leave_segmentation(self) -> None:
        self.lay_down()
        self.widget.setSegmentationNode(None)
        self.widget.setSourceVolumeNode(None)

    def free(self) -> None:
        """Without the helper segment that limits editing, such as for who writes the segmentation as it stands;
        ReviewLogic.limit() brings it back."""
        node = self.widget.segmentationNode()
        if node is not None:
            editing.release(self.node, node)

    def toggle(self, effect: str) -> None:
        """Take up a tool, or lay it down."""
        active = self.widget.activeEffect()
        self.widget.setActiveEffectByName("" if active is not None and active.name == effect else effect)

    def enter(self) -> None:
        self.widget.updateEffectList()  # of a tool that was registered after this widget was made
        self.widget.setupViewObservations()
        self.widget.updateWidgetFromMRML()

    def exit(self) -> None:
        self.lay_down()
        self.widget.removeViewObservations()

    def renew_node(self) -> Any:
        """The editor node of the scene as it is now: closing a scene may have taken it."""
        node = editing.editor_node(slicer.mrmlScene)
        if node is not self.node:
            self.node = node
            self.widget.setMRMLSegmentEditorNode(node)
        return node

    def _shape(self) -> None:
        """Only what corrects a lesion: the session chooses segmentation, segment and mask."""
        widget = self.widget
        widget.setSegmentationNodeSelectorVisible(False)
        widget.setSourceVolumeNodeSelectorVisible(False)
        widget.setSwitchToSegmentationsButtonVisible(False)
        widget.setAddRemoveSegmentButtonsVisible(False)
        widget.setShow3DButtonVisible(False)
        widget.setMaskingSectionVisible(False)
        widget.setAutoShowSourceVolumeNode(False)  # else it takes the place of the fused picture
        widget.setJumpToSelectedSegmentEnabled(False)
        widget.setEffectNameOrder(list(EFFECTS))
        widget.unorderedEffectsVisible = False
        # the helper that limits editing is no segment of the reader's
        table = widget.findChild("qMRMLSegmentsTableView")
        if table is not None:
            table.setHideSegments([editing.OUTSIDE])
