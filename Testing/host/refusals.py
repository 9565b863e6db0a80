"""What the source of desktop code must not hold, found with `ast`: no widget has to be made to find it.

    python refusals.py FILE_OR_FOLDER ...

Each refusal is a line "file:line: reason". A name is known as a Qt object where the file says so: it is assigned from
qt., ctk. or slicer.qMRML..., or reached through `ui` (what childWidgetVariables gives).
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

API = json.loads((Path(__file__).parent / "slicer_qt_api.json").read_text(encoding="utf-8"))
QT_MODULES = ("qt", "ctk")
HEAVY = ("torch", "monai")
TRANSLATORS = ("_", "tr", "translate")
# Properties of Qt's own widgets that are most often called by mistake.
PROPERTIES = {
    "QLabel": {"text"}, "QPushButton": {"text", "checked"}, "QCheckBox": {"text", "checked"}, "QLineEdit": {"text"},
    "QRadioButton": {"text", "checked"}, "QToolButton": {"text", "checked"}, "QGroupBox": {"title", "checked"},
    "QComboBox": {"count", "currentIndex", "currentText"}, "QSpinBox": {"value"}, "QDoubleSpinBox": {"value"},
    "QSlider": {"value"}, "QProgressBar": {"value"}, "QTimer": {"interval"},
    "QTableWidget": {"columnCount", "rowCount"},
}  # fmt: skip
QT_PREFIXES = ("slicer.qMRML", "slicer.qSlicer")
# Methods of widgets that no Python class of this project shares: a keyword argument to one is meant for Qt.
QT_METHODS = set(API["QWidget"]["methods"]) | {
    "addButton", "addItem", "addItems", "addLayout", "addRow", "addStretch", "addTab", "addWidget", "blockSignals",
    "exec_", "findChild", "findChildren", "getExistingDirectory", "getOpenFileName", "getOpenFileNames",
    "getSaveFileName", "insertRow", "insertWidget", "setAlignment", "setCellWidget", "setChecked", "setColumnWidth",
    "setCurrentIndex", "setCurrentNode", "setHorizontalHeaderLabels", "setIcon", "setItem", "setMRMLScene",
    "setMaximum", "setMinimum", "setRange", "setText", "setValue", "singleShot",
}  # fmt: skip
NOT_ONLY_QT = {"close", "connect", "move", "parent", "property", "render", "show", "update", "event", "help", "style",
               "delete", "hide", "layout", "mask", "raise", "repaint", "scroll", "size", "children"}  # fmt: skip


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of names, else ""."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def qt_class(name: str) -> str:
    """The Qt class that a dotted name stands for, such as "ctkSliderWidget" for ctk.ctkSliderWidget, else ""."""
    head, _, last = name.rpartition(".")
    is_qt = head.split(".")[0] in QT_MODULES or name.startswith(QT_PREFIXES)
    return last if is_qt and last[:1] in ("Q", "c", "q") else ""


def refusals(source: str, file: str = "", widgets: dict[str, str] | None = None) -> list[str]:
    """Every refusal in this source. widgets: class by objectName, from the .ui file."""
    tree = ast.parse(source, filename=file)
    kinds = {**assigned(tree), **{f"ui.{n}": c for n, c in (widgets or {}).items()}}
    found = [r for node in ast.walk(tree) for check in CHECKS for r in check(node, kinds)]
    found += heavy_imports(tree)
    return [f"{file}:{line}: {reason}" for line, reason in sorted(set(found))]


def assigned(tree: ast.AST) -> dict[str, str]:
    """Class of each name that is assigned from a Qt constructor, such as {"self.slider": "ctkSliderWidget"}."""
    kinds = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            made = qt_class(dotted(node.value.func))
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            kinds.update({dotted(t): made for t in targets if made and dotted(t)})
    return kinds


def kind_of(name: str, kinds: dict[str, str]) -> str:
    """Of `self.ui.slider`, `ui.slider` or `self.slider`."""
    if name in kinds:
        return kinds[name]
    tail = name.split("ui.", 1)
    return kinds.get(f"ui.{tail[1]}", "") if len(tail) == 2 else ""


Found = Iterator[tuple[int, str]]


def keyword_arguments(node: ast.AST, kinds: dict[str, str]) -> Found:
    """PythonQt takes none."""
    if not (isinstance(node, ast.Call) and node.keywords):
        return
    name = dotted(node.func)
    last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    on_widget = bool(last) and bool(kind_of(name.rpartition(".")[0], kinds))
    by_name = last in QT_METHODS - NOT_ONLY_QT
    if qt_class(name) or name.split(".")[0] in QT_MODULES or on_widget or by_name:
        yield node.lineno, f"keyword argument {node.keywords[0].arg!r} to {name or last}: PythonQt takes none"


def base_class_isinstance(node: ast.AST, kinds: dict[str, str]) -> Found:
    """False for subclasses in PythonQt."""
    if isinstance(node, ast.Call) and dotted(node.func) in ("isinstance", "issubclass") and len(node.args) == 2:
        asked = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
        for kind in filter(None, (qt_class(dotted(a)) for a in asked)):
            yield node.lineno, f'isinstance on {kind} is False for its subclasses: use x.inherits("{kind}")'


def absent_members(node: ast.AST, kinds: dict[str, str]) -> Found:
    """Members that the class has not, by the measured list: setMinimum of a ctkSliderWidget."""
    if not isinstance(node, ast.Attribute):
        return
    kind = kind_of(dotted(node.value), kinds)
    if kind in API and node.attr not in members(kind):
        yield node.lineno, f"{kind} has no {node.attr}{_instead(kind, node.attr)}"


def called_properties(node: ast.AST, kinds: dict[str, str]) -> Found:
    """label.text() is a TypeError."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        kind = kind_of(dotted(node.func.value), kinds)
        own = API[kind]["properties"] if kind in API else PROPERTIES.get(kind, ())
        widget = API["QWidget"]["properties"] if kind and kind != "QTimer" else ()
        if node.func.attr in {*own, *widget}:
            yield node.lineno, f"{node.func.attr} is a property of {kind}: leave out the brackets"


def _instead(kind: str, name: str) -> str:
    prop = name[3:4].lower() + name[4:]
    return f": it is a property, write x.{prop} = ..." if prop in API[kind]["properties"] else ""


@cache
def members(kind: str) -> frozenset:
    entry, base = API[kind], API["QWidget"] if API[kind]["is_widget"] else {"methods": (), "properties": ()}
    own = {*entry["methods"], *entry["properties"], *entry["signals"]}
    inherited = {*base["methods"], *base["properties"], "name", "destroyed", "delete", "raise_", "exec_"}
    return frozenset(own | inherited)


def translated_f_strings(node: ast.AST, kinds: dict[str, str]) -> Found:
    """A translator never sees the finished text."""
    if not (isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in TRANSLATORS):
        return
    for argument in node.args:
        if any(isinstance(part, ast.JoinedStr) for part in ast.walk(argument)):
            yield node.lineno, 'f-string inside a translation: write _("... {name}").format(name=...)'
        elif isinstance(argument, ast.Call | ast.BinOp):
            yield node.lineno, "a text put together inside a translation: translate first, then .format"


def private_access(node: ast.AST, kinds: dict[str, str]) -> Found:
    """The stand-in's inside, or Qt's."""
    if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
        name = dotted(node.value)
        if kind_of(name, kinds) or name.split(".")[0] in QT_MODULES or node.attr in ("_qt", "_pyside"):
            yield node.lineno, f"private {node.attr} of a Qt object"


def foreign_qt(node: ast.AST, kinds: dict[str, str]) -> Found:
    """Slicer ships PythonQt, none of the other bindings."""
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
    for name in names:
        if name.split(".")[0] in ("PySide6", "PySide2", "PyQt5", "PyQt6", "qtpy", "shiboken6", "host"):
            yield node.lineno, f"import of {name}: Slicer has PythonQt's qt and ctk only"


def widgets_set_free(node: ast.AST, kinds: dict[str, str]) -> Found:
    """PythonQt then owns the widget beside Qt and destroys it a second time: Slicer crashes when its scene closes."""
    call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setParent"
    if call and [getattr(argument, "value", "") for argument in node.args] == [None]:
        yield node.lineno, "setParent(None) gives the widget to PythonQt, which destroys it twice: hide() it"


CHECKS = (
    keyword_arguments, base_class_isinstance, absent_members, called_properties, translated_f_strings, private_access,
    foreign_qt, widgets_set_free,
)  # fmt: skip


def heavy_imports(tree: ast.Module) -> list[tuple[int, str]]:
    """torch and monai where they run when the file is imported: anywhere but in a function."""
    found, waiting = [], list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        heavy = [n for n in names if n.split(".")[0] in HEAVY]
        found += [(node.lineno, f"import of {n} at file scope: Slicer starts without it") for n in heavy]
        waiting.extend(ast.iter_child_nodes(node))
    return found


def ui_widgets(path: Path) -> dict[str, str]:
    """Class by objectName of a .ui file."""
    from xml.etree import ElementTree

    return {w.get("name"): w.get("class") for w in ElementTree.parse(path).iter("widget")}


def check_paths(paths: list[Path], ui: Path | None = None) -> list[str]:
    files = [f for p in paths for f in (sorted(p.rglob("*.py")) if p.is_dir() else [p])]
    widgets = ui_widgets(ui) if ui else {}
    return [r for f in files for r in refusals(f.read_text(encoding="utf-8"), str(f), widgets)]


if __name__ == "__main__":
    lines = check_paths([Path(a) for a in sys.argv[1:]])
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(bool(lines))
