"""RESULTS: numbers with their ranges, and what leaves the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ...session import Topic
from .. import dicom_seg
from ..context import Panel
from ..wire import fill, head

# button, kind of persistence.export(), its title, the filter of the dialog
EXPORTS = (
    ("exportSegButton", "seg.nrrd", _("Save the segmentation"), "Segmentation (*.seg.nrrd)"),
    ("exportNiftiButton", "nii.gz", _("Save the label map"), "NIfTI (*.nii.gz)"),
    ("exportFusedButton", "fused.nrrd", _("Save the fused volume"), "NRRD (*.nrrd)"),
    ("exportReportButton", "report.html", _("Save the report"), "HTML (*.html)"),
)


class Results:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        head(panel.ui.numbersTable, [_("Measure"), _("Lesion as drawn"), _("95 % range")])
        for button, kind, title, files in EXPORTS:
            panel.wire(getattr(panel.ui, button), "clicked()", self._asker(kind, title, files))
        panel.wire(panel.ui.saveSceneButton, "clicked()", self._ask_scene)
        panel.wire(panel.ui.exportDicomButton, "clicked()", self._ask_dicom)

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.NUMBERS, Topic.CASE, Topic.FUSION, Topic.RUN):
            self._draw()

    def _draw(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        fill(ui.numbersTable, [[row["label"], row["value"], row["range"]] for row in view_state.numbers])
        ui.editedLabel.text = _("Corrected by hand since the last run.") if view_state.edited else ""
        ui.editedLabel.visible = view_state.edited
        there = bool(view_state.numbers)
        for button in (ui.exportDicomButton, ui.exportSegButton, ui.exportNiftiButton, ui.exportReportButton):
            button.enabled = there
        ui.exportFusedButton.enabled = view_state.fusion == "ready"
        ui.saveSceneButton.enabled = bool(view_state.modalities)

    def _asker(self, kind: str, title: str, files: str) -> Callable[[], None]:
        return lambda: self._ask(title, kind, files, lambda path: self._session.persistence.export(kind, path))

    def _ask_scene(self) -> None:
        self._ask(_("Save the scene"), "mrb", "Scene (*.mrb)", self._session.persistence.save_scene)

    def _ask(self, title: str, ending: str, files: str, write: Callable[[Path], bool]) -> None:
        """Ask where to, write, say so."""
        folder = self._panel.folder or Path.home()
        proposed = str(folder / f"{self._session.view_state.case_name or 'case'}.{ending}")
        chosen = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, proposed, files)
        if not chosen:
            return
        path = Path(chosen)
        if not path.name.endswith("." + ending.rsplit(".", maxsplit=1)[-1]):
            path = path.with_name(f"{path.name}.{ending}")
        self._panel.folder = path.parent
        if write(path):
            self._session.say("info", _("Saved as {name}.").format(name=path.name))

    def _ask_dicom(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The folder for the DICOM SEG"))
        if folder:
            self.export_dicom(Path(folder))

    def export_dicom(self, folder: Path) -> None:
        """The lesion as DICOM SEG into the folder."""
        session = self._session
        mask, case = session.lesion.mask(), session.case
        if mask is None or case is None:
            session.say("info", _("There is no segmentation yet: run it first."))
            return
        source = getattr(self._ui, f"{case.reference}Selector").currentNode()
        path = dicom_seg.export(mask, case, source, folder)
        session.say("info", _("Saved as {name}.").format(name=path.name))
