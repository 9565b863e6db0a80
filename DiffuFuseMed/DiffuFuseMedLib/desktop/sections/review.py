"""REVIEW: the worklist, one region at a time, and the tools that correct it."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..context import Panel
from ..wire import Values, fill, head

STATES = ("open", "accepted", "corrected", "skipped")


class Review:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        wire, ui, reviewing = panel.wire, panel.ui, panel.session.reviewing
        self._icons = {state: qt.QIcon(panel.resource(f"Icons/{state}.svg")) for state in STATES}
        head(ui.worklistTable, [_("Place"), _("Expected error"), _("Why"), _("State")])
        wire(ui.worklistTable, "cellClicked(int,int)", self._clicked)
        wire(ui.nextButton, "clicked()", reviewing.next)
        wire(ui.previousButton, "clicked()", reviewing.previous)
        wire(ui.acceptButton, "clicked()", reviewing.decide)
        wire(ui.skipButton, "clicked()", lambda: reviewing.decide(skip=True))
        wire(ui.restoreButton, "clicked()", self._restore)
        self._values = Values(panel.session, wire)
        self._values.check(ui.insideCheck, "inside_region_only")
        self._shortcuts = self._keys()
        self._shown = False

    def enter(self) -> None:
        self._shown = True
        self._session.reviewing.limit()
        for shortcut in self._shortcuts:
            shortcut.setEnabled(True)

    def exit(self) -> None:
        """Other modules see the reader's segments alone."""
        self._shown = False
        self._panel.editor.free()
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)

    def draw(self, topic: str) -> None:
        if topic in ("parameters", "case"):
            self._values.draw()
        if topic in ("review", "case"):
            self._draw_list()
        if topic in ("scene", "case"):
            self._edit()
        if topic == "numbers" and self._shown:
            self._session.reviewing.keep_limit()  # an undo may have brought back those of the region before

    def _draw_list(self) -> None:
        screen, ui = self._session.screen, self._ui
        finding = _("{progress}, finding the reasons").format(progress=screen.progress)
        shown = (finding if screen.explaining else screen.progress) or _("Nothing to review yet.")
        ui.progressLabel.text = _("Looking for the regions in doubt.") if screen.listing else shown
        rows = [[row["place"], row["error_ml"], row["why"], row["status"]] for row in screen.regions]
        fill(ui.worklistTable, rows, [self._icons[row["state"]] for row in screen.regions])
        chosen = [n for n, row in enumerate(screen.regions) if row["id"] == screen.region]
        if chosen:
            ui.worklistTable.selectRow(chosen[0])
        else:
            ui.worklistTable.clearSelection()
        for button in (ui.nextButton, ui.previousButton):
            button.enabled = bool(rows)
        for button in (ui.acceptButton, ui.skipButton):
            button.enabled = screen.region is not None

    def _edit(self) -> None:
        """Tools act on the lesion of the case on the desk."""
        desk = self._session.desk
        there = desk.case is not None and "lesion" in desk.nodes
        if there:
            self._panel.editor.edit(desk.nodes["lesion"], desk.nodes[desk.case.reference])
        else:
            self._panel.editor.leave_segmentation()
        self._ui.editorFrame.enabled = there
        self._ui.restoreButton.enabled = "previous" in desk.nodes

    def _clicked(self, row: int, _column: int) -> None:
        regions = self._session.screen.regions
        if 0 <= row < len(regions):
            self._session.reviewing.choose(regions[row]["id"])

    def _restore(self) -> None:
        self._panel.editor.keep_state()
        self._session.restore_previous()

    def _keys(self) -> list[Any]:
        """Keys that work while the module is shown."""
        reviewing, session, ui = self._session.reviewing, self._session, self._ui
        keys = {
            "N": reviewing.next,
            "P": reviewing.previous,
            "A": reviewing.decide,
            "S": lambda: reviewing.decide(skip=True),
            "R": lambda: ui.runButton.click() if ui.runButton.enabled else None,
            "U": lambda: session.set(show_uncertainty=not session.parameters.show_uncertainty),
        }
        return [self._key(key, call) for key, call in keys.items()]

    def _key(self, key: str, call: Any) -> Any:
        shortcut = qt.QShortcut(slicer.util.mainWindow() or self._ui.worklistTable)
        shortcut.setKey(qt.QKeySequence(key))
        shortcut.setEnabled(False)
        self._panel.wire(shortcut, "activated()", call)
        return shortcut
