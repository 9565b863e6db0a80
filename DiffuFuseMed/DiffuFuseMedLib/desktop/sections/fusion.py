"""FUSION: preset and sliders; the slices follow the hand."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ...session import Topic, name_from
from .. import words
from ..context import Panel
from ..wire import Choice, Values, put


class Fusion:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._ui, self._session = panel, panel.ui, panel.session
        wire, ui = panel.wire, panel.ui
        self._preset = Choice(ui.presetCombo, wire, self._session.use_preset)
        self._values = Values(panel.session, wire)
        for name in ("alpha", "beta", "gamma"):
            self._values.number(getattr(ui, f"{name}Slider"), name)
        self._values.number(ui.tauSlider, "tau_mm")
        self._values.number(ui.stepsSpin, "steps", whole=True)
        self._values.check(ui.guidedCheck, "guided")
        self._values.check(ui.protectCheck, "protect_border")
        self._mri = self._values.choice(ui.mriCombo, "mri")
        self._lambdas = [ui.lambda1Slider, ui.lambda2Slider, ui.lambda3Slider]
        for slider in self._lambdas:
            wire(slider, "valueChanged(double)", self._weigh)
        for slider in (ui.alphaSlider, ui.betaSlider, ui.gammaSlider, ui.tauSlider, *self._lambdas):
            self._follow_hand(slider)
        wire(ui.beforeButton, "pressed()", lambda: self.before(True))
        wire(ui.beforeButton, "released()", lambda: self.before(False))
        for name, call in (("reset", "reset_fusion"), ("undo", "undo"), ("redo", "redo")):
            wire(getattr(ui, f"{name}Button"), "clicked()", getattr(self._session, call))
        wire(ui.acceptLesionButton, "clicked()", self._session.accept_lesion)
        wire(ui.savePresetButton, "clicked()", self._save_preset)

    def _follow_hand(self, slider: Any) -> None:
        """One drag is one step of undo. The ctkSliderWidget does not tell of the hand, the slider inside it does."""
        hand = slider.findChild("ctkDoubleSlider")
        if hand is not None:
            self._panel.wire(hand, "sliderPressed()", lambda: self._session.hold())
            self._panel.wire(hand, "sliderReleased()", lambda: self._session.hold(False))

    def draw(self, topic: Topic) -> None:
        if topic is Topic.CASE:
            mris = self._session.fusion.mris()
            self._mri.offer([("", _("the first")), *((key, words.modality(key)) for key in mris)])
        if topic in (Topic.PARAMETERS, Topic.CASE):
            self._draw_parameters()
        if topic in (Topic.STEPS, Topic.CASE):
            self._draw_steps()
        if topic in (Topic.FUSION, Topic.CASE):
            self._draw_state()

    def before(self, on: bool) -> None:
        """The reference image in place of the fused picture."""
        self._session.display.show_before(on)

    def _weigh(self, _value: float) -> None:
        self._session.set(lambdas=tuple(float(slider.value) for slider in self._lambdas))

    def _draw_parameters(self) -> None:
        self._values.draw()
        parameters, ui = self._session.parameters, self._ui
        for slider, value in zip(self._lambdas, parameters.lambdas, strict=True):
            put(slider, "value", value)
        known = self._session.presets()
        choices = [(preset.name, preset.title) for preset in known.values()]
        if parameters.preset not in known:
            choices.append((parameters.preset, _("custom")))
        self._preset.offer(choices)
        self._preset.show(parameters.preset)
        there = known.get(parameters.preset)
        ui.presetCombo.toolTip = there.reason if there else _("The sliders left their preset.")

    def _draw_steps(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        ui.undoButton.enabled, ui.redoButton.enabled = view_state.can_undo, view_state.can_redo
        ui.undoButton.toolTip = _("Take back {step} (Ctrl+Z)").format(step=view_state.undo_words or _("nothing"))
        ui.redoButton.toolTip = _("Do {step} again (Ctrl+Y)").format(step=view_state.redo_words or _("nothing"))

    def _draw_state(self) -> None:
        view_state, ui = self._session.view_state, self._ui
        ui.fusionStateLabel.text = view_state.fusion_words
        ui.fusionStateLabel.enabled = view_state.fusion == "ready"  # dimmed while the picture is of earlier settings
        ui.fusionProgress.visible = view_state.fusion == "working"
        put(ui.fusionProgress, "value", round(100 * view_state.fusion_share))
        ui.gammaHintLabel.text = view_state.gamma_hint
        ui.gammaHintLabel.visible = bool(view_state.gamma_hint)
        ui.acceptLesionButton.visible = view_state.acceptable
        ui.fusionLimitsLabel.text = "\n".join(view_state.fusion_limits)
        ui.fusionLimitsLabel.visible = bool(view_state.fusion_limits)
        can = view_state.fusion != "none"
        for widget in (ui.alphaSlider, ui.betaSlider, ui.presetCombo, ui.beforeButton, ui.resetButton):
            widget.enabled = can
        ui.gammaSlider.enabled = can and not view_state.gamma_hint

    def _save_preset(self) -> None:
        title = qt.QInputDialog.getText(slicer.util.mainWindow(), _("A preset of your own"), _("Name of the preset"))
        if not title or not title.strip():
            return
        self._session.save_preset(name_from(title), title.strip(), _("Saved by the reader."))
