"""INPUTS: which volume is which modality, on whose grid, how well they are aligned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ...mrml import parameters, roles
from ...mrml.nodes import kept_or_new
from ...mrml.pet import pet_volume
from ...mrml.to_volume import to_volume
from ...session import InputError, Topic, Volume, spec_of
from .. import words
from ..context import Panel
from ..dicom_files import files_of
from ..selectors import make_selectors
from ..wire import Choice, Values, put

REFERENCE = "input."  # node reference roles on the parameter node


class Inputs:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        wire, ui = panel.wire, panel.ui
        self._selectors = make_selectors(ui)
        for key, selector in self._selectors.items():
            wire(selector, "currentNodeChanged(vtkMRMLNode*)", lambda node, key=key: self._chosen(key, node))
        self._reference = Choice(ui.referenceCombo, wire, lambda _value: None)
        self._register = Choice(ui.registerCombo, wire, lambda _value: None)
        self._register.offer(words.REGISTER.items())
        self._values = Values(panel.session, wire)
        self._values.choice(ui.compareCombo, "compare", words.COMPARE.items())
        self._with = self._values.choice(ui.compareWithCombo, "compare_with")
        self._values.number(ui.comparePositionSlider, "compare_position")
        for button, call in (("guess", self.guess), ("open", self.open), ("openFolder", self._ask_folder)):
            wire(getattr(ui, f"{button}Button"), "clicked()", call)
        wire(ui.bringBackButton, "clicked()", lambda: panel.ready(self._session.bring_back))
        wire(ui.refuseRecoveredButton, "clicked()", self._session.refuse_recovered)
        self._offer_references()
        self._draw_recovered()

    def draw(self, topic: Topic) -> None:
        if topic is Topic.QUESTION:
            self._draw_recovered()
        if topic in (Topic.CASE, Topic.PARAMETERS):
            self._draw_case()
            self._values.draw()

    def guess(self) -> None:
        """Fill what is not chosen yet."""
        for key, node in roles.guess(slicer.mrmlScene, files_of).items():
            if self._selectors[key].currentNode() is None:
                self._selectors[key].setCurrentNode(node)

    def restore(self) -> None:
        """The choice that a scene was saved with."""
        node = kept_or_new(slicer.mrmlScene, parameters.TAG, parameters.MODULE, parameters.NODE_CLASS)
        for key, selector in self._selectors.items():
            if chosen := node.GetNodeReference(REFERENCE + key):
                selector.setCurrentNode(chosen)

    def open(self) -> None:
        """Align the chosen volumes and open them as a case."""
        self._panel.ready(self._open)

    def open_folder(self, folder: str) -> None:
        self._panel.ready(lambda: self._session.open(Path(folder), register=self._register.value))

    def _open(self) -> None:
        given = {key: selector.currentNode() for key, selector in self._selectors.items()}
        given = {key: node for key, node in given.items() if node is not None}
        if not given:
            raise InputError(_("No image was chosen: choose at least one, such as the CT."))
        volumes = {key: _volume(node, key) for key, node in given.items()}
        reference = self._reference.value if self._reference.value in volumes else None
        self._session.open_volumes(volumes, _("case"), reference, self._register.value)

    def _ask_folder(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The folder of one patient's images"))
        if folder:
            self.open_folder(folder)

    def _chosen(self, key: str, node: Any) -> None:
        """A volume has one role; the choice is kept with the scene."""
        if node is not None:
            for other, selector in self._selectors.items():
                if other != key and selector.currentNode() is node:
                    selector.setCurrentNode(None)
        keeper = kept_or_new(slicer.mrmlScene, parameters.TAG, parameters.MODULE, parameters.NODE_CLASS)
        keeper.SetNodeReferenceID(REFERENCE + key, node.GetID() if node is not None else None)
        self._offer_references()

    def _offer_references(self) -> None:
        there = [key for key, selector in self._selectors.items() if selector.currentNode() is not None]
        self._reference.offer([(None, _("automatic")), *((key, words.modality(key)) for key in there)])

    def _draw_recovered(self) -> None:
        recovered = self._session.view_state.recovered
        self._ui.recoveredLabel.text, self._ui.recoveredFrame.visible = recovered, bool(recovered)

    def _draw_case(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        loading = bool(view_state.loading)
        ui.openButton.enabled = ui.openFolderButton.enabled = not loading
        ui.alignmentLabel.text = view_state.loading or view_state.alignment or _("No case is open.")
        ui.qualityLabel.text = "\n".join(view_state.quality)
        ui.qualityGroup.visible = bool(view_state.quality)
        case = self._session.case
        others = [key for key in view_state.modalities if case is None or key != case.reference]
        self._with.offer([(key, words.modality(key)) for key in others])
        swipes = self._session.parameters.compare == "swipe"
        put(ui.comparePositionSlider, "enabled", swipes)
        for widget in (ui.compareCombo, ui.compareWithCombo):
            widget.enabled = bool(others)


def _volume(node: Any, key: str) -> Volume:
    """With the files that it was loaded from, which a DICOM SEG or RTSTRUCT refers to."""
    files = files_of(node)
    volume = pet_volume(node, key, files) if spec_of(key).scale == "SUV" else to_volume(node, key)
    return volume.with_array(volume.array, files=files)
