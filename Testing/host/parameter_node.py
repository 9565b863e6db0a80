"""slicer.parameterNodeWrapper: typed fields kept as text in a scripted module node, bound to widgets by name.

Covered: int, float, str, bool, Enum, pathlib.Path, list, tuple and dict of these, MRML nodes, Optional; the validators
below; check boxes, spin boxes, sliders, combo boxes, line edits and node selectors. Beyond these it raises.
"""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

import dataclasses
import enum
import json
import pathlib
import types
import typing
from collections.abc import Callable
from types import ModuleType
from typing import Any

import slicer

from .surface import NotCovered

PROPERTY = "SlicerParameterName"


# Annotations
@dataclasses.dataclass
class Default:
    value: Any


@dataclasses.dataclass
class Decimals:
    value: int


@dataclasses.dataclass
class SingleStep:
    value: float


class Validator:
    def validate(self, value: Any) -> None:
        raise NotImplementedError


@dataclasses.dataclass
class WithinRange(Validator):
    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within [{self.minimum}, {self.maximum}], is {value}")


@dataclasses.dataclass
class Minimum(Validator):
    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


@dataclasses.dataclass
class Maximum(Validator):
    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


class Choice(Validator):
    def __init__(self, choices: Any) -> None:
        self.choices = list(choices)

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, is {value!r}")


class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


# Types to text and back
def _is_node(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _typed(value: Any, kind: Any) -> Any:
    """What _plain made, as the declared type again."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _typed(value, next(a for a in arguments if a is not type(None)))
    if origin is list:
        return [_typed(v, arguments[0]) for v in value]
    if origin is tuple:
        return tuple(_typed(v, a) for v, a in zip(value, arguments, strict=True))
    if origin is dict:
        return {arguments[0](k): _typed(v, arguments[1]) for k, v in value.items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value]
    return kind(value)


SIMPLE: dict[Any, Callable] = {int: int, float: float, str: str, bool: lambda text: text == "True"}


def _empty(kind: Any) -> Any:
    """The default where the class gives none."""
    if kind in SIMPLE:
        return kind()
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if kind in (pathlib.Path, pathlib.PurePath):
        return kind()
    return {list: [], dict: {}}.get(typing.get_origin(kind))


class Parameter:
    """One field: its type, default and validators; reads and writes a node."""

    def __init__(self, name: str, hint: Any, default: Any) -> None:
        self.name, self.hint = name, hint
        annotated = typing.get_origin(hint) is typing.Annotated
        self.kind, self.notes = (hint.__origin__, hint.__metadata__) if annotated else (hint, ())
        self.node = _node_kind(self.kind)
        given = self.note(Default)
        self.default = default if default is not None else given.value if given else _empty(self.kind)
        _check_kind(self.kind, name)

    def note(self, kind: type) -> Any:
        return next((n for n in self.notes if isinstance(n, kind)), None)

    def check(self, value: Any) -> None:
        wanted = (int, float) if self.kind is float else self.node or self.kind
        plain_type = isinstance(wanted, type | tuple)
        if plain_type and not (isinstance(value, wanted) or (self.node and value is None)):
            raise ValueError(f"{self.name} takes {self.kind}, not {value!r}")
        if self.kind in (int, float) and isinstance(value, bool):
            raise ValueError(f"{self.name} takes {self.kind}, not {value!r}")
        for note in self.notes:
            if isinstance(note, Validator):
                note.validate(value)

    def write(self, node: Any, value: Any) -> None:
        self.check(value)
        if self.node:
            with slicer.util.NodeModify(node):
                node.SetParameter(self.name, "")
                node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        else:
            node.SetParameter(self.name, self._text(value))

    def _text(self, value: Any) -> str:
        simple = self.kind in SIMPLE or isinstance(value, enum.Enum | pathlib.PurePath)
        return str(_plain(value)) if simple and value is not None else json.dumps(_plain(value))

    def read(self, node: Any) -> Any:
        if self.node:
            return node.GetNodeReference(self.name)
        if not node.HasParameter(self.name):
            self.write(node, self.default)
        text = node.GetParameter(self.name)
        if self.kind in SIMPLE:
            return SIMPLE[self.kind](text)
        direct = isinstance(self.kind, type) and issubclass(self.kind, enum.Enum | pathlib.PurePath)
        return _typed(text if direct else json.loads(text), self.kind)


def _node_kind(kind: Any) -> Any:
    """The node class of `Node` and `Optional[Node]`, else None."""
    kinds = [a for a in typing.get_args(kind) if a is not type(None)] or [kind]
    return kinds[0] if len(kinds) == 1 and _is_node(kinds[0]) else None


def _check_kind(kind: Any, name: str) -> None:
    known = kind in SIMPLE or kind in (pathlib.Path, pathlib.PurePath) or _node_kind(kind) is not None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        known = True
    if not known and typing.get_origin(kind) not in (list, tuple, dict, typing.Union, types.UnionType):
        raise NotCovered(f"a parameter of type {kind} ({name})")


# Widgets
def _fit_range(widget: Any, parameter: Parameter) -> None:
    """A slider needs a bounded number, as in Slicer."""
    within, low, high = (parameter.note(k) for k in (WithinRange, Minimum, Maximum))
    low = within.minimum if within else low.minimum if low else None
    high = within.maximum if within else high.maximum if high else None
    if widget.className() in ("ctkSliderWidget", "QSlider") and (low is None or high is None):
        raise RuntimeError(f"{parameter.name}: a slider needs a bounded number (WithinRange)")
    for name, note in (("decimals", Decimals), ("singleStep", SingleStep)):
        if parameter.note(note):
            setattr(widget, name, parameter.note(note).value)
    widget.minimum = low if low is not None else -(2**31)
    widget.maximum = high if high is not None else 2**31 - 1


def _fill_combo(widget: Any, parameter: Parameter) -> None:
    widget.clear()
    for _, label in _options(parameter):
        widget.addItem(label)


def _options(parameter: Parameter) -> list[tuple[Any, str]]:
    if isinstance(parameter.kind, type) and issubclass(parameter.kind, enum.Enum):
        return [(e, getattr(e, "label", lambda e=e: e.name)()) for e in parameter.kind]
    if parameter.note(Choice) is None:
        raise RuntimeError(f"{parameter.name}: a combo box needs the Choice annotation")
    return [(c, str(c)) for c in parameter.note(Choice).choices]


def _index_of(value: Any, parameter: Parameter) -> int:
    return [v for v, _ in _options(parameter)].index(value)


@dataclasses.dataclass(frozen=True)
class Bond:
    """How a widget class carries values of these types."""

    kinds: tuple
    signal: str
    read: Callable
    write: Callable
    prepare: Callable = lambda widget, parameter: None


def _attribute(name: str) -> tuple[Callable, Callable]:
    return (lambda w, p: getattr(w, name)), (lambda w, p, v: setattr(w, name, v))


CHECKED, TEXT, VALUE, PATH = map(_attribute, ("checked", "text", "value", "currentPath"))
COMBO = (lambda w, p: _options(p)[w.currentIndex][0]), (lambda w, p, v: setattr(w, "currentIndex", _index_of(v, p)))
NODE = (lambda w, p: w.currentNode()), (lambda w, p, v: w.setCurrentNode(v))
AS_PATH = (lambda w, p: p.kind(w.currentPath)), (lambda w, p, v: setattr(w, "currentPath", str(v)))
BONDS: dict[str, list[Bond]] = {
    "QCheckBox": [Bond((bool,), "toggled(bool)", *CHECKED)],
    "QPushButton": [Bond((bool,), "toggled(bool)", *CHECKED)],
    "QSpinBox": [Bond((int,), "valueChanged(int)", *VALUE, _fit_range)],
    "QSlider": [Bond((int,), "valueChanged(int)", *VALUE, _fit_range)],
    "QDoubleSpinBox": [Bond((float,), "valueChanged(double)", *VALUE, _fit_range)],
    "ctkSliderWidget": [Bond((float,), "valueChanged(double)", *VALUE, _fit_range)],
    "QLineEdit": [Bond((str,), "textChanged(QString)", *TEXT)],
    "QComboBox": [Bond((int, float, str, enum.Enum), "currentIndexChanged(int)", *COMBO, _fill_combo)],
    "ctkPathLineEdit": [Bond((pathlib.Path,), "currentPathChanged(QString)", *AS_PATH)],
    "qMRMLNodeComboBox": [Bond((slicer.vtkMRMLNode,), "currentNodeChanged(vtkMRMLNode*)", *NODE)],
}


def _bond(widget: Any, parameter: Parameter) -> Bond:
    kind = parameter.node or parameter.kind
    for bond in BONDS.get(widget.className(), []):
        if any(kind is k or (k in (enum.Enum, slicer.vtkMRMLNode) and issubclass(kind, k)) for k in bond.kinds):
            return bond
    given = widget.className()
    raise RuntimeError(f"Unable to create GUI connector from {parameter.kind} to {given} for {parameter.name}")


class Connection:
    """Widgets bound to a wrapper; each change on one side reaches the other, never back again."""

    def __init__(self, wrapper: Any, widgets: dict[str, Any]) -> None:
        self._wrapper, self._widgets, self._busy, self._slots = wrapper, widgets, False, []
        parameters = wrapper.allParameters
        self._bonds = {n: _bond(w, parameters[n]) for n, w in widgets.items()}
        for name, widget in widgets.items():
            self._bonds[name].prepare(widget, parameters[name])
        self.show()
        for name, widget in widgets.items():
            slot = self._slot(name)
            widget.connect(self._bonds[name].signal, slot)
            self._slots.append((widget, self._bonds[name].signal, slot))
        self._tag = wrapper.parameterNode.AddObserver("ModifiedEvent", lambda *_: self.show())

    def _slot(self, name: str) -> Callable:
        def changed() -> None:
            if not self._busy:
                parameter = self._wrapper.allParameters[name]
                self._wrapper.setValue(name, self._bonds[name].read(self._widgets[name], parameter))

        return changed

    def show(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            for name, widget in self._widgets.items():
                parameter = self._wrapper.allParameters[name]
                self._bonds[name].write(widget, parameter, self._wrapper.getValue(name))
        finally:
            self._busy = False

    def close(self) -> None:
        self._wrapper.parameterNode.RemoveObserver(self._tag)
        for widget, signal, slot in self._slots:
            widget.disconnect(signal, slot)


class _Wrapper:
    """What the decorator adds."""

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode, self._connections, self._next = parameterNode, {}, 0
        for parameter in self.allParameters.values():
            if not parameterNode.HasParameter(parameter.name):
                parameter.write(parameterNode, parameter.default)

    def _parameter(self, name: str) -> Parameter:
        if name not in self.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return self.allParameters[name]

    def getValue(self, name: str) -> Any:
        return self._parameter(name).read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        self._parameter(name).write(self.parameterNode, value)

    def default(self, name: str) -> Default:
        return Default(self._parameter(name).default)

    def dataType(self, name: str) -> Any:
        return self._parameter(name).hint

    def connectGui(self, gui: Any) -> int:
        every = vars(gui).values() if hasattr(gui, "__dict__") else gui.findChildren("QWidget")
        named = [w for w in every if hasattr(w, "property") and w.property(PROPERTY)]
        return self.connectParametersToGui({w.property(PROPERTY): w for w in named})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            self._parameter(name)
        tag, self._next = self._next, self._next + 1
        self._connections[tag] = Connection(self, dict(mapping))
        return tag

    def disconnectGui(self, tag: int) -> None:
        if tag in self._connections:
            self._connections.pop(tag).close()

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, before: Any) -> None:
        self.parameterNode.EndModify(before)


def _property(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))


def parameterNodeWrapper(cls: type | None = None) -> Any:
    """The class decorator, with or without ()."""
    if cls is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(cls, include_extras=True)
    parameters = {n: Parameter(n, hint, getattr(cls, n, None)) for n, hint in hints.items()}
    for name, member in vars(_Wrapper).items():
        if name in hints:
            raise ValueError(f"Cannot use reserved name {name!r} in a parameterNodeWrapper")
        if not name.startswith("__") or name == "__init__":
            setattr(cls, name, member)
    cls.allParameters, cls._is_parameter_node_wrapper = parameters, True
    for name in parameters:
        setattr(cls, name, _property(name))
    return cls


def build() -> ModuleType:
    module = ModuleType("slicer.parameterNodeWrapper")
    public = (
        Default,
        Decimals,
        SingleStep,
        WithinRange,
        Minimum,
        Maximum,
        Choice,
        NotNone,
        Validator,
        parameterNodeWrapper,
    )
    for thing in public:
        setattr(module, thing.__name__, thing)
    module.SlicerParameterNamePropertyName = PROPERTY
    module.isParameterNodeWrapper = lambda thing: getattr(thing, "_is_parameter_node_wrapper", False)
    return module
