"""RESULTS: numbers with their ranges, and what leaves the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ...session import Topic
from .. import dicom_seg
from ..context import Panel
from ..wire import fill, head, put
from .uncertainty import strip

IN_DICOM = ("seg.dcm", "rtstruct.dcm")
# button, kind of persistence.export_behind(), its title, the filter of the dialog
EXPORTS = (
    ("exportSegButton", "seg.nrrd", _("Save the segmentation"), "Segmentation (*.seg.nrrd)"),
    ("exportNiftiButton", "nii.gz", _("Save the label map"), "NIfTI (*.nii.gz)"),
    ("exportRtstructButton", "rtstruct.dcm", _("Save the RT Structure Set"), "RT Structure Set (*.dcm)"),
    ("exportFusedButton", "fused.nrrd", _("Save the fused volume"), "NRRD (*.nrrd)"),
    ("exportReportButton", "report.html", _("Save the report"), "HTML (*.html)"),
)


SWATCH = 16  # pixels
ANNOTATORS = [_("Drawn by"), _("Volume"), _("Dice with others"), _("Lesion Dice"), _("Lesion surface Dice")]


class Results:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        head(panel.ui.numbersTable, [_("Measure"), _("Lesion as drawn"), _("Range")])
        head(panel.ui.annotatorsTable, ANNOTATORS)
        for button, kind, title, files in EXPORTS:
            panel.wire(getattr(panel.ui, button), "clicked()", self._asker(kind, title, files))
        panel.wire(panel.ui.saveSceneButton, "clicked()", self.ask_scene)
        self._makes_healthy = not panel.session.healthy.why_not()  # reads every record: once, as the page does
        panel.wire(panel.ui.healthyCheck, "toggled(bool)", lambda on: self._session.healthy.show(bool(on)))
        panel.wire(panel.ui.exportDicomButton, "clicked()", self._ask_dicom)

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.NUMBERS, Topic.CASE, Topic.FUSION, Topic.RUN, Topic.REVIEW):
            self._draw()
        if topic in (Topic.LAYERS, Topic.NUMBERS, Topic.CASE):
            self._draw_healthy()

    def _draw_healthy(self) -> None:
        """What would be there without the lesion, where a model that makes such images up is installed."""
        view_state, ui = self._session.view_state, self._ui
        there = bool(view_state.numbers) and self._makes_healthy
        ui.healthyCheck.visible = there
        put(ui.healthyCheck, "checked", view_state.healthy != "none")
        ui.healthyLabel.text = view_state.healthy_words
        ui.healthyLabel.visible = there and bool(view_state.healthy_words)

    def _draw(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        fill(ui.numbersTable, [[row["label"], row["value"], row["range"]] for row in view_state.numbers])
        edited = (_("Corrected by hand: not as the model drew it."),) if view_state.edited else ()
        ui.editedLabel.text = "\n".join((*edited, *view_state.withheld))
        ui.editedLabel.visible = bool(ui.editedLabel.text)
        self._draw_annotators()
        for button, kind, *_others in (("exportDicomButton", "seg.dcm"), *EXPORTS):
            getattr(ui, button).enabled = not view_state.no_export.get(kind)
        ui.exportNoteLabel.text = "\n".join(view_state.export_notes) if view_state.modalities else ""
        ui.exportNoteLabel.visible = bool(ui.exportNoteLabel.text)
        ui.saveSceneButton.enabled = bool(view_state.modalities)

    def _draw_annotators(self) -> None:
        """Several annotators of the case, each in the color of its outline; hidden for a case without."""
        view_state, ui = self._session.view_state, self._ui
        ui.annotatorsLabel.text = view_state.annotator_words
        ui.annotatorsLabel.visible = bool(view_state.annotator_words)
        ui.annotatorsTable.visible = bool(view_state.annotators)
        keys = ("name", "volume", "dice", "lesion_dice", "lesion_nsd")
        rows = [[row[key] for key in keys] for row in view_state.annotators]
        fill(ui.annotatorsTable, rows, [_swatch(row["color"]) for row in view_state.annotators])

    def _asker(self, kind: str, title: str, files: str) -> Callable[[], None]:
        return lambda: self._ask(title, kind, files, lambda path: self._write(kind, path))

    def ask_scene(self) -> None:
        """Ask where to save the scene, and save it there."""
        self._ask(_("Save the scene"), "mrb", "Scene (*.mrb)", self._save_scene)

    def _ask(self, title: str, ending: str, files: str, write: Callable[[Path], None]) -> None:
        """Ask where to, and write it there."""
        folder = self._panel.folder or Path.home()
        proposed = str(folder / f"{self._session.view_state.case_name or 'case'}.{ending}")
        chosen = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, proposed, files)
        if not chosen:
            return
        path = Path(chosen)
        if not path.name.endswith("." + ending.rsplit(".", maxsplit=1)[-1]):
            path = path.with_name(f"{path.name}.{ending}")
        self._panel.folder = path.parent
        write(path)

    def _save_scene(self, path: Path) -> None:
        if self._session.persistence.save_scene(path):
            self._session.say("info", _("Saved as {name}.").format(name=path.name))

    def _write(self, kind: str, path: Path) -> None:
        """Behind the reader's back; the session says so when it is there."""
        if kind in IN_DICOM:
            self._check_source()
        self._session.persistence.export_behind(kind, path, lambda: None)

    def _ask_dicom(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The folder for the DICOM SEG"))
        if folder:
            self.export_dicom(Path(folder))

    def export_dicom(self, folder: Path) -> None:
        """The lesion as DICOM SEG into the folder: by Slicer's own plugin where it knows the series, else by ours."""
        session, plugin = self._session, dicom_seg.plugin()
        mask, case = session.lesion.mask(), session.case
        if mask is None or case is None:
            session.say("info", _("There is no segmentation yet: run it first."))
        elif plugin is None or session.folder is not None:
            self._write("seg.dcm", folder / f"{case.name or 'case'}.seg.dcm")
        else:
            self._check_source()
            path = dicom_seg.by_slicer(plugin, mask, self._source(case.reference), folder)
            session.say("info", _("Saved as {name}.").format(name=path.name))

    def _source(self, reference: str) -> Any:
        """The volume node that the case's reference was made from."""
        return getattr(self._ui, f"{reference}Selector").currentNode()

    def _check_source(self) -> None:
        """A case that was read from a folder knows its files itself."""
        case = self._session.case
        if case is not None and self._session.folder is None:
            dicom_seg.check_source(case, self._source(case.reference))


def _swatch(color: str) -> Any:
    """A QIcon of one color ('#rrggbb'), an empty one for none."""
    return qt.QIcon(strip((color,) * SWATCH)) if color else qt.QIcon()
