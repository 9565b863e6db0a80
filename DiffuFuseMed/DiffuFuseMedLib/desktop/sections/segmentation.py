"""SEGMENTATION: run, cancel, and how far it is."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

from ...session import Topic
from .. import words
from ..context import Panel
from ..wire import Values, put


class Segmentation:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        self._values = Values(panel.session, panel.wire)
        models = [(record.id, record.id) for record in panel.session.segmenters()]
        self._values.choice(panel.ui.modelCombo, "model", models)
        self._values.number(panel.ui.samplesSpin, "samples", whole=True)
        self._device = self._values.choice(panel.ui.deviceCombo, "device", words.DEVICES.items())
        panel.wire(panel.ui.runButton, "clicked()", self.run)
        panel.wire(panel.ui.cancelButton, "clicked()", panel.session.cancel)

    def run(self) -> None:
        self._panel.ready(self._session.run)

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.PARAMETERS, Topic.CASE):
            self._values.draw()
        if topic in (Topic.RUN, Topic.CASE):
            self._draw_run()

    def _draw_run(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        working = view_state.run == "working"
        ui.runButton.enabled = bool(view_state.modalities) and not working
        ui.cancelButton.enabled = working
        ui.runProgress.visible = working
        put(ui.runProgress, "value", round(100 * view_state.run_share))
        ui.runStateLabel.text = "\n".join((self._words(), *view_state.domain))
        ui.numbersTable.enabled = view_state.run == "ready"  # dimmed while they are of another run

    def _words(self) -> str:
        view_state = self._session.view_state
        if view_state.run == "none" and not view_state.run_words:
            return _("Not segmented yet.")
        if view_state.run != "working" or view_state.run_seconds_left is None:
            return view_state.run_words
        left = math.ceil(view_state.run_seconds_left)
        return _("{words}, {seconds} s left").format(words=view_state.run_words, seconds=left)

    def draw_environment(self) -> None:
        """The memory of each device that the engine's Python has."""
        found = self._panel.found
        devices = found.devices if found else ()
        told = [_("{name}: {free:.1f} GiB free").format(name=name, free=free / 2**30) for _key, name, free in devices]
        self._ui.memoryLabel.text = "; ".join(told)
        keys = {key for key, _name, _free in devices}
        self._device.offer([(key, title) for key, title in words.DEVICES.items() if key != "cuda" or "cuda" in keys])
        self._values.draw()
