"""REVIEW: the worklist, one region at a time, and the tools that correct it."""

from __future__ import annotations

from functools import partial
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ...session import Topic
from ..context import Panel
from ..editor import EFFECTS
from ..wire import Values, fill, head

STATES = ("open", "accepted", "corrected", "skipped")


class Review:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        wire, ui, review = panel.wire, panel.ui, panel.session.review
        self._icons = {state: qt.QIcon(panel.resource(f"Icons/{state}.svg")) for state in STATES}
        head(ui.worklistTable, [_("Question"), _("Expected error"), _("Why"), _("State")])
        wire(ui.worklistTable, "cellClicked(int,int)", self._clicked)
        head(ui.choicesTable, [_("Key"), _("Outline"), _("Samples"), _("Change")])
        wire(ui.choicesTable, "cellClicked(int,int)", lambda row, _column: panel.session.choices.preview(row + 1))
        wire(ui.takeButton, "clicked()", panel.session.choices.take)
        wire(ui.noneButton, "clicked()", panel.session.choices.none)
        wire(ui.nextButton, "clicked()", review.next)
        wire(ui.previousButton, "clicked()", review.previous)
        wire(ui.acceptButton, "clicked()", review.decide)
        wire(ui.skipButton, "clicked()", lambda: review.decide(skip=True))
        wire(ui.restoreButton, "clicked()", self._restore)
        self._values = Values(panel.session, wire)
        self._values.check(ui.insideCheck, "inside_region_only")
        self._shortcuts = self._keys()
        self._enters = [self._key(key, panel.session.choices.take) for key in ("Return", "Enter")]
        self._shown = False

    def enter(self) -> None:
        self._shown = True
        self._session.review.limit()
        for shortcut in self._shortcuts:
            shortcut.setEnabled(True)
        self._draw_choices()

    def exit(self) -> None:
        """Other modules see the reader's segments alone."""
        self._shown = False
        self._panel.editor.free()
        self._session.choices.drop()
        for shortcut in (*self._shortcuts, *self._enters):
            shortcut.setEnabled(False)

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.PARAMETERS, Topic.CASE):
            self._values.draw()
        if topic in (Topic.REVIEW, Topic.CASE):
            self._draw_list()
            self._draw_choices()
        if topic in (Topic.SCENE, Topic.CASE, Topic.REVIEW):
            self._edit()
        if topic is Topic.NUMBERS and self._shown:
            self._session.review.keep_limit()  # an undo may have brought back those of the region before

    def _draw_list(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        finding = _("{progress}, finding the reasons").format(progress=view_state.progress)
        shown = (finding if view_state.explaining else view_state.progress) or _("Nothing to review yet.")
        ui.progressLabel.text = _("Looking for the regions in doubt.") if view_state.listing else shown
        rows = [[row["place"], row["error_ml"], row["why"], row["status"]] for row in view_state.regions]
        fill(ui.worklistTable, rows, [self._icons[row["state"]] for row in view_state.regions])
        chosen = [n for n, row in enumerate(view_state.regions) if row["id"] == view_state.region]
        if chosen:
            ui.worklistTable.selectRow(chosen[0])
        else:
            ui.worklistTable.clearSelection()
        for button in (ui.nextButton, ui.previousButton):
            button.enabled = bool(rows)
        for button in (ui.acceptButton, ui.skipButton):
            button.enabled = view_state.region is not None

    def _draw_choices(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        chosen, rows = view_state.choice, view_state.choices
        fill(ui.choicesTable, [[row["key"], row["source"], row["share"], row["change"]] for row in rows])
        if chosen is None:
            ui.choicesTable.clearSelection()
        else:
            ui.choicesTable.selectRow(chosen - 1)
        ui.choicesTable.visible = bool(rows)
        ui.noChoiceLabel.text, ui.noChoiceLabel.visible = view_state.no_choice, bool(view_state.no_choice)
        ui.choosingLabel.text, ui.choosingLabel.visible = view_state.choosing, bool(view_state.choosing)
        ui.takeButton.enabled, ui.noneButton.enabled = chosen is not None, view_state.region is not None
        for shortcut in self._enters:  # else Enter would do nothing in a field where it ends what is typed
            shortcut.setEnabled(self._shown and chosen is not None)

    def _edit(self) -> None:
        """Tools act on the lesion of the case in the session."""
        session = self._session
        there = session.case is not None and session.lesion.node is not None
        if there:
            self._panel.editor.edit(session.lesion.node, session.reference_node)
        else:
            self._panel.editor.leave_segmentation()
        why = session.view_state.no_edit
        if why:
            self._panel.editor.lay_down()
        self._ui.editorFrame.enabled = there and not why
        self._ui.noEditLabel.text, self._ui.noEditLabel.visible = why, bool(why)
        self._ui.restoreButton.enabled = "previous" in session.nodes

    def _clicked(self, row: int, _column: int) -> None:
        regions = self._session.view_state.regions
        if 0 <= row < len(regions):
            self._session.review.choose(regions[row]["id"])

    def _restore(self) -> None:
        self._session.restore_previous()

    def _keys(self) -> list[Any]:
        """Keys that work while the module is shown."""
        review, session, ui, editor = self._session.review, self._session, self._ui, self._panel.editor
        keys = {
            "N": review.next,
            "P": review.previous,
            "A": review.decide,
            "S": lambda: review.decide(skip=True),
            "R": lambda: ui.runButton.click() if ui.runButton.enabled else None,
            "U": lambda: session.set(show_uncertainty=not session.parameters.show_uncertainty),
            # the editor's own keys would undo by the editor, which knows the voxels alone
            "Ctrl+Z": session.undo,
            "Ctrl+Y": session.redo,
            "Ctrl+Shift+Z": session.redo,
            "Esc": self._lay_down,
            **{str(n): partial(self._session.choices.preview, n) for n in range(1, 5)},
            "0": session.choices.none,
            # as in Slicer's Segment Editor, whose own digits are the outlines' here
            **{f"Alt+{n}": partial(editor.toggle, effect) for n, effect in enumerate(EFFECTS, 1)},
        }
        return [self._key(key, call) for key, call in keys.items()]

    def _lay_down(self) -> None:
        self._panel.editor.lay_down()
        self._session.choices.drop()

    def _key(self, key: str, call: Any) -> Any:
        shortcut = qt.QShortcut(slicer.util.mainWindow() or self._ui.worklistTable)
        shortcut.setKey(qt.QKeySequence(key))
        shortcut.setEnabled(False)
        self._panel.wire(shortcut, "activated()", call)
        return shortcut
