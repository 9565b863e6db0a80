"""ABOUT: the models with their checksums and cards, and the Python that runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ... import __version__
from ...session import Topic, card, models, weights_bytes
from .. import environment
from ..context import Panel
from ..wire import fill, head

TASKS = {"segment": _("segments"), "fuse": _("fuses"), "synthesize": _("makes images up")}


class About:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui = panel, panel.ui
        self._ids = [record.id for record in models()]
        head(panel.ui.modelsTable, [_("Model"), _("What it does"), _("Size"), _("sha256"), _("License")])
        fill(panel.ui.modelsTable, [_row(record) for record in models()])
        panel.ui.modelsTable.selectRow(0)
        panel.wire(panel.ui.cardButton, "clicked()", self._open_card)
        panel.wire(panel.ui.otherPythonButton, "clicked()", self._ask_python)
        panel.wire(panel.ui.runningEngineButton, "clicked()", lambda: panel.choose_python(environment.RUNNING))
        panel.wire(panel.ui.ownPythonButton, "clicked()", lambda: panel.choose_python(""))
        self.draw_environment()

    def draw(self, topic: Topic) -> None:
        """Nothing of it is the session's."""

    def draw_environment(self) -> None:
        own = self._panel.python == environment.own_python()
        self._ui.ownPythonButton.enabled = not own
        self._ui.runningEngineButton.enabled = self._panel.python != environment.RUNNING
        self._ui.pythonLabel.text = self._python_words(own)

    def _python_words(self, own: bool) -> str:
        found = self._panel.found
        if self._panel.python == environment.RUNNING:
            return _("DiffuFuseMed {version}; a running engine of this computer is used.").format(version=__version__)
        versions = ", ".join(f"{name} {v}" for name, v in found.versions.items() if v) if found else _("being asked")
        whose = _("Slicer's own Python") if own else self._panel.python
        return _("DiffuFuseMed {version}; the engine runs with {python}: {packages}").format(
            version=__version__, python=whose, packages=versions or _("nothing it needs")
        )

    def _open_card(self) -> None:
        row = self._ui.modelsTable.currentRow()
        path = card(self._ids[row]) if 0 <= row < len(self._ids) else None
        if path is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def _ask_python(self) -> None:
        title = _("The Python of an environment with PyTorch and MONAI")
        python = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, str(Path.home()))
        if python:
            self._panel.choose_python(python)


def _row(record: Any) -> list[str]:
    return [
        record.id,
        TASKS.get(record.task, ""),
        f"{weights_bytes(record) / 1e6:.1f} MB",
        record.sha256,
        record.licence,
    ]
