"""TEST THE MODEL: a synthetic tumor in the case's own images, the banner while it is shown, and how many were found."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...session import Topic
from ..context import Panel
from ..wire import Values, fill, head

INTRO = _(
    "A tumor that no patient has is drawn into the images of this case, and the model chosen under Segmentation looks "
    "for it. A lesion that is there is taken out first, where a model for that is installed."
)


class Probing:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        ui, probing = panel.ui, panel.session.probing
        self._values = Values(panel.session, panel.wire)
        self._values.number(ui.diameterSlider, "probe_diameter_mm")
        self._values.number(ui.contrastSlider, "probe_contrast")
        head(ui.probesTable, [_("Synthetic tumor"), _("Contrast"), _("Found"), _("By")])
        panel.wire(ui.placeButton, "clicked()", lambda: panel.ready(probing.place_at_crosshair))
        panel.wire(ui.anywhereButton, "clicked()", lambda: panel.ready(probing.place_at_random))
        for button in (ui.patientButton, ui.syntheticButton):
            panel.wire(button, "clicked()", probing.back)

    def exit(self) -> None:
        """Other modules have no banner: they see the patient."""
        self._session.probing.back()

    def draw(self, topic: Topic) -> None:
        if topic in (Topic.PARAMETERS, Topic.CASE):
            self._values.draw()
        if topic in (Topic.PROBING, Topic.CASE):
            self._draw()

    def _draw(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        can = bool(view_state.modalities) and not view_state.no_probing
        ui.probingHintLabel.text = view_state.no_probing or INTRO
        for widget in (ui.diameterSlider, ui.contrastSlider):
            widget.enabled = can
        for button in (ui.placeButton, ui.anywhereButton):
            button.enabled = can and view_state.probing != "working"
        ui.patientButton.text = _("Stop") if view_state.probing == "working" else _("Back to the patient's images")
        ui.patientButton.visible = view_state.probing != "none"
        ui.probingLabel.text = view_state.probing_words
        ui.probingLabel.visible = bool(view_state.probing_words)
        rows = [[row["size"], row["contrast"], row["found"], row["model"]] for row in view_state.probes]
        fill(ui.probesTable, rows)
        ui.probesTable.visible = bool(rows)
        ui.syntheticLabel.text = "\n".join((view_state.synthetic, view_state.probing_words))
        ui.syntheticFrame.visible = bool(view_state.synthetic)
