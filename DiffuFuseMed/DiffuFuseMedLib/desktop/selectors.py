"""Selectors: one choice of a volume for each modality, as the table of modalities has them."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..session import MODALITIES, shown
from . import words

VOLUMES = "vtkMRMLScalarVolumeNode"


def make_selectors(ui: Any) -> dict[str, Any]:
    """A qMRMLNodeComboBox by modality, and as `<key>Selector` of ui: the common ones above the rest of the inputs, the
    others in the group that is folded away. Tab goes through them in this order."""
    made, before = {}, ui.inputsSection
    for common, form, last in ((True, ui.inputsSection.layout(), None), (False, ui.moreGroup.layout(), ui.moreGroup)):
        keys = [key for key, spec in MODALITIES.items() if spec.common is common and key in shown()]
        before = last or before
        for row, key in enumerate(keys):
            made[key] = _row(form, row, key)
            qt.QWidget.setTabOrder(before, made[key])
            before = made[key]
            setattr(ui, f"{key}Selector", made[key])
    return {key: made[key] for key in shown()}


def _row(form: Any, row: int, key: str) -> Any:
    label, selector = qt.QLabel(words.modality(key)), slicer.qMRMLNodeComboBox()
    label.objectName, selector.objectName = f"{key}SelectorTitle", f"{key}Selector"
    selector.toolTip = _(MODALITIES[key].description)
    selector.nodeTypes = [VOLUMES]
    selector.showChildNodeTypes = selector.addEnabled = selector.removeEnabled = False
    selector.noneEnabled = True
    selector.noneDisplay = _("not used")
    selector.setMRMLScene(slicer.mrmlScene)
    form.insertRow(row, label, selector)
    return selector
