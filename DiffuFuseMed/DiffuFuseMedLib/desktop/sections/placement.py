"""PLACEMENT: one image registered to the reference, or moved by hand in mm and degrees."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from ...session import Topic
from .. import words
from ..context import Panel
from ..wire import Choice, put

NUMBERS = ("moveLeft", "moveBack", "moveHead", "turnLeft", "turnBack", "turnHead")  # in the order of a Pose


class Placement:
    def __init__(self, panel: Panel) -> None:
        self._ui, self._session, wire = panel.ui, panel.session, panel.wire
        self._image = Choice(panel.ui.moveCombo, wire, lambda _key: self._draw())
        self._spins = [getattr(panel.ui, f"{name}Spin") for name in NUMBERS]
        for number, spin in enumerate(self._spins):
            wire(spin, "valueChanged(double)", lambda value, number=number: self._nudge(number, value))
        wire(panel.ui.registerImageButton, "clicked()", lambda: self._session.placement.register(self._image.value))
        wire(panel.ui.stopRegisteringButton, "clicked()", panel.session.placement.stop_registering)
        wire(panel.ui.resetImageButton, "clicked()", lambda: self._session.placement.reset(self._image.value))

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.CASE, Topic.PARAMETERS):
            self._image.offer([(key, words.modality(key)) for key in self._session.view_state.movable])
            self._draw()

    def _nudge(self, number: int, value: Any) -> None:
        self._session.placement.nudge(self._image.value, number, float(value))

    def _draw(self) -> None:
        key, chosen, ui = self._image.value, self._session.parameters, self._ui
        placing = self._session.view_state.placing
        for number, spin in enumerate(self._spins):
            put(spin, "value", chosen.moved.get(key, (0.0,) * len(NUMBERS))[number])
            spin.enabled = key is not None
        ui.registerImageButton.enabled = key is not None and not placing
        ui.stopRegisteringButton.enabled = bool(placing)
        ui.resetImageButton.enabled = key in chosen.moved or key in chosen.registered
        ui.placingLabel.text = placing or (_("registered") if key in chosen.registered else "")
