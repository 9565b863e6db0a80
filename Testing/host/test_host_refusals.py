"""Each refusal of the ast check, and the project's own desktop code under it."""

from pathlib import Path

import pytest

from host.refusals import check_paths, refusals

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "DiffuFuseMed"
DESKTOP = [p for p in (MODULE / "DiffuFuseMed.py", MODULE / "DiffuFuseMedLib" / "desktop") if p.exists()]
UI = [p for p in (ROOT / "Resources" / "UI" / "DiffuFuseMed.ui",) if p.exists()]
WIDGETS = {"alphaSlider": "ctkSliderWidget", "caseLabel": "QLabel", "petSelector": "qMRMLNodeComboBox"}

REFUSED = {
    "keyword to a constructor": ("qt.QLabel('x', parent=w)", "keyword argument"),
    "keyword to a ctk constructor": ("ctk.ctkSliderWidget(parent=w)", "keyword argument"),
    "keyword to a qMRML constructor": ("slicer.qMRMLNodeComboBox(parent=w)", "keyword argument"),
    "keyword to a static method": ("qt.QFileDialog.getOpenFileName(None, caption='x')", "keyword argument"),
    "keyword to a method known as Qt's": ("self.row.addWidget(w, stretch=1)", "keyword argument"),
    "keyword to a method of a known widget": ("self.b = qt.QPushButton('x')\nself.b.click(now=1)", "keyword argument"),
    "isinstance on a Qt base": ("isinstance(x, qt.QWidget)", "inherits"),
    "isinstance on one of several": ("isinstance(x, (int, qt.QLabel))", "inherits"),
    "isinstance on a MRML widget": ("isinstance(x, slicer.qMRMLWidget)", "inherits"),
    "a setter ctk has not": ("s = ctk.ctkSliderWidget()\ns.setMinimum(0)", "write x.minimum"),
    "a setter, in the .ui file": ("self.ui.alphaSlider.setSingleStep(0.1)", "write x.singleStep"),
    "an unknown member": ("ui.petSelector.setNode(n)", "has no setNode"),
    "a property that is called": ("self.ui.alphaSlider.value()", "leave out the brackets"),
    "a property of a Qt widget that is called": ("self.ui.caseLabel.text()", "leave out the brackets"),
    "an f-string": ("_(f'{n} voxels')", "f-string"),
    "an f-string inside .format": ("_(f'{n}' + 'x')", "f-string"),
    "an f-string, with context": ("translate('C', f'{n}')", "f-string"),
    "formatted before translation": ("_('{n}'.format(n=1))", "translate first"),
    "torch": ("import torch", "file scope"),
    "torch inside if": ("if x:\n    import torch.nn as nn", "file scope"),
    "monai inside try": ("try:\n    from monai import nets\nexcept ImportError:\n    pass", "file scope"),
    "torch in a class body": ("class A:\n    import torch", "file scope"),
    "private of a widget": ("l = qt.QLabel()\nl._qt", "private"),
    "private of a module": ("qt._hidden", "private"),
    "another binding": ("from PySide6.QtWidgets import QLabel", "PythonQt"),
    "the stand-in itself": ("import host", "PythonQt"),
    "a widget set free": ("combo.setParent(None)", "destroys it twice"),
}  # fmt: skip
ALLOWED = {
    "a property": "s = ctk.ctkSliderWidget()\ns.minimum = 0\ns.setValue(0.5)\ns.setDecimals(2)",
    "what QWidget gives": "self.ui.alphaSlider.setEnabled(False)\nself.ui.alphaSlider.toolTip = _('x')",
    "signals": "ui.petSelector.connect('currentNodeChanged(bool)', f)\nui.alphaSlider.valueChanged.connect(f)",
    "keywords to Python": "s.connect(host=1)\nslicer.util.errorDisplay('x', detailedText='y')\nlogic.run(x=1)",
    "isinstance on Python and VTK": "isinstance(x, (int, slicer.vtkMRMLNode))",
    "inherits": "x.inherits('QWidget')",
    "a formatted translation": "_('{n} voxels').format(n=f'{x:.1f}')",
    "torch in a function": "def f():\n    import torch\n    return torch",
    "relative imports": "from .torch import x\nfrom . import monai",
    "another parent": "combo.setParent(frame)\nline.hide()\nline.deleteLater()",
    "own private members": "self._parameters = 1\nself._bind()",
}


@pytest.mark.parametrize(("source", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses(source, reason):
    found = refusals(source, "f.py", WIDGETS)
    assert len(found) == 1, found
    assert reason in found[0]
    assert found[0].startswith("f.py:")


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_allows(source):
    assert refusals(source, "f.py", WIDGETS) == []


def test_the_line_is_that_of_the_fault():
    assert refusals("x = 1\n\nimport torch\n", "f.py")[0].startswith("f.py:3: ")


def test_the_demo_module_holds_nothing_that_is_refused():
    demo = Path(__file__).parent / "demo"
    assert check_paths([demo], demo / "Resources" / "UI" / "HostDemo.ui") == []


@pytest.mark.skipif(not DESKTOP, reason="there is no desktop code yet")
def test_the_desktop_code_holds_nothing_that_is_refused():
    assert check_paths(DESKTOP, next(iter(UI), None)) == []
