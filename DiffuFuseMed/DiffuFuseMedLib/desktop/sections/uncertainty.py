"""UNCERTAINTY: where it may be wrong, as an overlay and as a band of contours."""

from __future__ import annotations

from typing import Any

import qt

from ...session import Topic
from .. import words
from ..context import Panel
from ..wire import Values, put


class Uncertainty:
    def __init__(self, panel: Panel) -> None:
        self._ui, self._session = panel.ui, panel.session
        self._values = Values(panel.session, panel.wire)
        self._values.check(panel.ui.uncertaintyCheck, "show_uncertainty")
        self._values.check(panel.ui.bandCheck, "show_band")
        self._values.choice(panel.ui.mapCombo, "uncertainty_map", words.maps())
        self._values.number(panel.ui.uncertaintyOpacitySlider, "uncertainty_opacity")
        self._values.number(panel.ui.uncertaintyAboveSlider, "uncertainty_above")
        self._painted: tuple[str, ...] = ()

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.PARAMETERS, Topic.CASE):
            self._values.draw()
            self._ui.mapWordsLabel.text = words.map_words(self._session.parameters.uncertainty_map)
        if topic in (Topic.LAYERS, Topic.PARAMETERS, Topic.CASE):
            self._draw_legend()

    def _draw_legend(self) -> None:
        legend, ui = self._session.view_state.legend, self._ui
        for widget in (ui.legendLabel, ui.legendLowLabel, ui.legendHighLabel):
            widget.visible = bool(legend)
        if not legend:
            return
        ui.legendLowLabel.text = f"{legend['low']:.2f}"
        ui.legendHighLabel.text = f"{legend['high']:.2f} {legend['unit']}"
        put(ui.uncertaintyAboveSlider, "maximum", max(legend["high"], self._session.parameters.uncertainty_above))
        if self._painted != tuple(legend["colors"]):
            self._painted = tuple(legend["colors"])
            ui.legendLabel.setPixmap(strip(self._painted))


def strip(colors: tuple[str, ...]) -> Any:
    """A QPixmap of the colors ('#rrggbb'), from left to right, one pixel each: its label stretches it."""
    picture = f"P6 {len(colors)} 1 255\n".encode() + bytes.fromhex("".join(color[1:] for color in colors))
    pixmap = qt.QPixmap()
    pixmap.loadFromData(qt.QByteArray(picture))  # the portable pixmap format
    return pixmap
