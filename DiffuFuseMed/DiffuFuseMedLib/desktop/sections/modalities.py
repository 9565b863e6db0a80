"""MODALITIES: switches that run the segmentation again, bars of how far each was trusted."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from ...session import Topic
from .. import words
from ..context import Panel
from ..wire import put

TIP = _(
    "Off: the segmentation is run again without it and the change is shown. "
    "The bar is the reliability gate: the weight that the model gave it."
)


class Modalities:
    """rows: check box, bar and value by modality."""

    def __init__(self, panel: Panel) -> None:
        self._ui, self._session, self._wire = panel.ui, panel.session, panel.wire
        self.rows: dict[str, tuple[Any, Any, Any]] = {}
        self._lines: list[Any] = []

    def draw(self, topic: Topic) -> None:
        if topic is Topic.CASE and tuple(self.rows) != self._session.view_state.modalities:
            self._build()
        if topic in (Topic.CASE, Topic.PARAMETERS, Topic.RUN):
            self._draw_rows()

    def _build(self) -> None:
        for line in self._lines:
            line.hide()  # setParent(None) would make PythonQt its second owner, and destroy it twice
            line.deleteLater()
        self._lines, self.rows = [], {}
        for key in self._session.view_state.modalities:
            self._add(key)

    def _add(self, key: str) -> None:
        line = qt.QWidget()
        layout = qt.QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        check, bar, value = qt.QCheckBox(words.modality(key)), qt.QProgressBar(), qt.QLabel()
        check.objectName, bar.objectName, value.objectName = f"{key}Check", f"{key}Gate", f"{key}GateLabel"
        check.setToolTip(TIP)
        check.setMinimumWidth(110)
        bar.setRange(0, 100)
        bar.setTextVisible(False)
        value.setMinimumWidth(36)
        for widget in (check, bar, value):
            layout.addWidget(widget)
        self._ui.modalitiesFrame.layout().addWidget(line)
        self._wire(check, "toggled(bool)", lambda on: self._session.switch(key, bool(on)))
        self._lines.append(line)
        self.rows[key] = check, bar, value

    def _draw_rows(self) -> None:
        gates = self._session.view_state.gates
        for key, (check, bar, value) in self.rows.items():
            put(check, "checked", self._session.parameters.on(key))
            put(bar, "value", round(100 * gates.get(key, 0.0)))
            value.text = f"{gates[key]:.2f}" if key in gates else _("none")
            bar.visible = value.visible = bool(gates)  # nothing to say of a model without gates, nor before a run
        self._ui.changeLabel.text = self._session.view_state.change
        self._ui.changeLabel.visible = bool(self._session.view_state.change)
