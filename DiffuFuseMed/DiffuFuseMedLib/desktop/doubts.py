"""Doubts: what may be wrong with the images, above the panel until the reader has seen it."""

from __future__ import annotations

from ..session import Topic
from .context import Panel


class Doubts:
    def __init__(self, panel: Panel) -> None:
        self._ui, self._session = panel.ui, panel.session
        panel.wire(panel.ui.doubtsButton, "clicked()", panel.session.seen_doubts)

    def draw(self, topic: Topic) -> None:
        if topic is Topic.CASE:
            doubts = self._session.view_state.doubts
            self._ui.doubtsLabel.text = "\n".join(doubts)
            self._ui.doubtsFrame.visible = bool(doubts)
