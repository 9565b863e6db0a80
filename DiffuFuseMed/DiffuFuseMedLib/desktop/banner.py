"""The banner above the panel: what the engine's Python lacks, in one sentence, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CalledProcessError

import qt
import slicer
from slicer.i18n import tr as _

from . import environment
from .context import Panel


class Banner:
    """check(): ask the Python again."""

    def __init__(self, panel: Panel, check: Callable[[], None]) -> None:
        self._panel, self._ui, self._check = panel, panel.ui, check
        panel.wire(panel.ui.installButton, "clicked()", lambda: self.install())
        panel.wire(panel.ui.wheelsButton, "clicked()", self._ask_wheels)
        panel.wire(panel.ui.pythonButton, "clicked()", lambda: panel.ui.otherPythonButton.click())

    def draw(self) -> None:
        found, ui = self._panel.found, self._ui
        ui.bannerFrame.visible = found is not None and not found.ready
        if found is not None and not found.ready:
            ui.bannerLabel.text = self.sentence(found)
            own = environment.can_install(self._panel.python) and not found.broken
            ui.installButton.visible = ui.wheelsButton.visible = own

    def sentence(self, found: environment.Found) -> str:
        """What is missing and what to do."""
        if found.broken and self._panel.python == environment.RUNNING:
            return found.broken.splitlines()[-1]  # in attach.py's own words
        if found.broken:
            return _("The Python that was chosen for the engine does not run: choose another one.")
        names = ", ".join(found.missing)
        if environment.can_install(self._panel.python):
            return _(
                "Fusion and segmentation need packages that Slicer's Python does not have ({names}): "
                "install them, or choose a Python that has them."
            ).format(names=names)
        return _(
            "The Python that was chosen for the engine lacks {names}: install them there, or choose another Python."
        ).format(names=names)

    def install(self, wheels: str = "") -> None:
        """Ask, naming what will be installed, then install."""
        found = self._panel.found
        if found is None or not found.missing:
            return
        listed = "\n".join(environment.NEEDED[name] for name in found.missing)
        source = _("the folder {folder}").format(folder=wheels) if wheels else _("the Internet, up to 3 GB")
        question = _("These packages will be installed into Slicer's Python, from {source}:\n\n{packages}").format(
            source=source, packages=listed
        )
        if not slicer.util.confirmOkCancelDisplay(question, _("Install what the engine needs")):
            return
        try:
            with slicer.util.WaitCursor():
                environment.install(found.missing, wheels)
        except (RuntimeError, OSError, CalledProcessError) as error:  # of pip: its own words are the detail
            sentence = _("The packages could not be installed: see the details, or choose another Python.")
            self._panel.session.say("error", sentence, str(error))
        self._check()

    def _ask_wheels(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The folder of wheels"))
        if folder:
            self.install(folder)
