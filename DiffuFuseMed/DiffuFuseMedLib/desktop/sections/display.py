"""DISPLAY: which pictures lie over each other, in which windows; what is under the mouse."""

from __future__ import annotations

from functools import partial
from typing import Any

import qt
from slicer.i18n import tr as _

from ...session import CursorProbe, Topic, window_choices
from .. import words
from ..context import Panel
from ..legends import legends
from ..wire import Choice, Values


class Display:
    def __init__(self, panel: Panel) -> None:
        self._ui, self._session, self._wire = panel.ui, panel.session, panel.wire
        self._values = Values(panel.session, panel.wire)
        self._background = self._values.choice(panel.ui.backgroundCombo, "background")
        self._foreground = self._values.choice(panel.ui.foregroundCombo, "foreground")
        self._suv = self._values.choice(panel.ui.suvCombo, "suv")
        self._values.number(panel.ui.foregroundOpacitySlider, "foreground_opacity")
        self._values.number(panel.ui.lesionOpacitySlider, "lesion_opacity")
        self._values.check(panel.ui.lesionCheck, "show_lesion")
        self._values.check(panel.ui.annotatorsCheck, "show_annotators")
        self._windows: dict[str, Choice] = {}
        self._combos: list[Any] = []
        self._cursor: CursorProbe | None = None

    def enter(self) -> None:
        """Follow the mouse over the views."""
        if self._cursor is None:
            self._cursor = self._session.follow_cursor(self._show_probe)

    def exit(self) -> None:
        if self._cursor is not None:
            self._cursor.stop()
        self._cursor = None

    def draw(self, topic: Topic) -> None:
        if topic is Topic.CASE:
            self._offer()
        if topic in (Topic.CASE, Topic.LAYERS, Topic.REVIEW):
            self._draw_legends()
        if topic in (Topic.CASE, Topic.PARAMETERS):
            self._values.draw()
            self._ui.annotatorsCheck.visible = bool(self._session.view_state.annotator_words)
            for key, choice in self._windows.items():
                self._show_window(key, choice)

    def _draw_legends(self) -> None:
        """What is on screen, in the colors and the window that it is shown in."""
        seen = self._session.view_state
        shown = legends(seen.layers, seen.outlines) if self._session.case is not None else ""
        self._ui.legendsLabel.text = shown
        self._ui.legendsLabel.visible = bool(shown)

    def _offer(self) -> None:
        modalities = self._session.view_state.modalities
        fused = ["fused"] if modalities and not self._session.fusion.why_not() else []
        pictures = [(key, words.picture(key)) for key in (*fused, *modalities)]
        self._background.offer(pictures)
        self._foreground.offer([("", words.picture("")), *pictures])
        self._offer_suv()
        if tuple(self._windows) != (*modalities, *fused):
            self._build_windows((*modalities, *fused))

    def _offer_suv(self) -> None:
        """What PET values can be in, and of the others why not."""
        units, ui = self._session.view_state.suv_units, self._ui
        self._suv.offer([(one["value"], one["title"]) for one in units if not one["why_not"]])
        ui.suvCombo.visible = ui.suvComboTitle.visible = bool(units)
        why_not = [f"{one['title'].split(',')[0]}: {one['why_not']}" for one in units if one["why_not"]]
        ui.suvLabel.text = _("Not offered: {reasons}.").format(reasons="; ".join(why_not)) if why_not else ""
        ui.suvLabel.visible = bool(why_not)

    def _build_windows(self, pictures: tuple[str, ...]) -> None:
        """One choice for each modality, and for the fused picture."""
        form = self._ui.windowsFrame.layout()
        for widget in self._combos:
            widget.hide()  # setParent(None) would make PythonQt its second owner, and destroy it twice
            widget.deleteLater()
        self._windows, self._combos = {}, []
        for key in pictures:
            label, combo = qt.QLabel(_("{picture} window").format(picture=words.picture(key))), qt.QComboBox()
            combo.objectName = f"{key}WindowCombo"
            form.addRow(label, combo)
            self._windows[key] = Choice(combo, self._wire, partial(self._window, key))
            self._combos += [label, combo]

    def _show_window(self, key: str, choice: Choice) -> None:
        """What the reader dragged in a view, by Slicer's own mouse mode, is one more choice."""
        chosen = self._session.parameters.windows.get(key, "")
        names = window_choices(key, chosen)
        choice.offer([(name, name) for name in names])
        choice.show(chosen if chosen in names else names[0])

    def _window(self, key: str, name: str) -> None:
        self._session.choose_windows({key: name})

    def _show_probe(self, _place: tuple[float, float, float] | None, values: dict[str, str]) -> None:
        self._ui.probeLabel.text = "   ".join(f"{name} {value}" for name, value in values.items())
