"""PythonQt's manners around PySide objects: properties are attributes, nothing unknown passes, no keyword arguments.

A proxy class stands for one Qt class and inherits from no other, because PythonQt's `isinstance(x, qt.QWidget)` is
False for subclasses. Here that question raises: it is always a mistake. `x.inherits("QWidget")` answers it.
"""

from __future__ import annotations

import enum
import inspect
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from shiboken6 import delete, getCppPointer, isValid
from vtkmodules.vtkCommonCore import vtkObjectBase

from . import signals
from .enums import EnumInt
from .surface import NotCovered, Surface, listed_surface, property_names, qt_surface

CLASSES: dict[type, type] = {}  # PySide class -> proxy class
EXTRAS: dict[str, dict[str, Callable]] = {}  # class name -> method name -> function(proxy, *arguments)
STATICS: dict[str, dict[str, Callable]] = {}  # class name -> name -> function(*arguments) or constant
CONSTRUCTORS: dict[str, Callable] = {}  # class name -> function(*unwrapped arguments) -> PySide object
KEYWORDS = {"exec_": "exec", "print_": "print", "raise_": "raise", "del_": "del"}
MAIN = threading.main_thread()
_alive: weakref.WeakValueDictionary = weakref.WeakValueDictionary()


def wrap(value: Any) -> Any:
    """A PySide value as PythonQt gives it: enums as ints, lists as tuples, objects as proxies."""
    if isinstance(value, enum.Enum):
        return EnumInt(value)
    if isinstance(value, list | tuple):
        return tuple(wrap(v) for v in value)
    kind = next((c for c in type(value).__mro__ if c in CLASSES), None)
    if kind is None:
        return value
    return _proxy_of(value, CLASSES[kind])


def _proxy_of(obj: Any, kind: type) -> Any:
    if not isinstance(obj, QObject):
        return _adopted(object.__new__(kind), obj)
    key = getCppPointer(obj)[0]
    found = _alive.get(key)
    if found is None or found._qt is not obj:
        found = _adopted(object.__new__(kind), obj)
    return found


def _adopted(proxy: Any, obj: Any) -> Any:
    object.__setattr__(proxy, "_qt", obj)
    if isinstance(obj, QObject):
        pointer = getCppPointer(obj)[0]
        _alive[pointer] = proxy
        obj.destroyed.connect(lambda *_: (signals.forget(pointer), _alive.pop(pointer, None)))
    return proxy


def unwrap(value: Any) -> Any:
    """An argument as PySide wants it."""
    if isinstance(value, EnumInt):
        return value.member
    if type(value) in _PROXIES:
        return value._qt
    if isinstance(value, type) and value in _PROXIES:
        return value._pyside
    if isinstance(value, list | tuple):
        return [unwrap(v) for v in value]
    if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        raise ValueError(f"{value!r} is no Qt argument: connect it to a signal")
    return value


def no_keywords(name: str, keywords: dict) -> None:
    if keywords:
        raise ValueError(f"{name} was called with keyword arguments {sorted(keywords)}: PythonQt takes none")


def call(function: Callable, name: str, arguments: tuple) -> Any:
    """Call into PySide; wrong arguments are PythonQt's ValueError, a VTK object that does not fit a TypeError."""
    if hasattr(function, "__code__") or inspect.ismethod(function):
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            raise ValueError(f"{name} called with wrong number of arguments: {error}") from None
        return wrap(function(*arguments))
    try:
        return wrap(function(*arguments))
    except (TypeError, ValueError, AttributeError) as error:
        kind = TypeError if any(isinstance(a, vtkObjectBase) for a in arguments) else ValueError
        raise kind(f"Could not find matching overload for given arguments: {name}{arguments}: {error}") from None


class BoundMethod:
    """`widget.show`: a method and its object."""

    __slots__ = ("_function", "_name")

    def __init__(self, function: Callable, name: str) -> None:
        self._function, self._name = function, name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        no_keywords(self._name, keywords)
        return call(self._function, self._name, tuple(unwrap(a) for a in arguments))


class _Extra:
    """A method that PythonQt adds, or one that this stand-in answers itself."""

    __slots__ = ("_first", "_function", "_name")

    def __init__(self, function: Callable, name: str, *first: Any) -> None:
        self._function, self._name, self._first = function, name, first

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        no_keywords(self._name, keywords)
        try:
            inspect.signature(self._function).bind(*self._first, *arguments)
        except TypeError as error:
            raise ValueError(f"{self._name} called with wrong number of arguments: {error}") from None
        return self._function(*self._first, *arguments)


class ProxyType(type):
    """Class attributes: enum values and static methods."""

    def __getattr__(cls, name: str) -> Any:
        static = STATICS.get(cls.__name__, {}).get(name)
        if static is not None:
            return _Extra(static, f"{cls.__name__}.{name}") if callable(static) else static
        found = None if name.startswith("_") else getattr(cls._pyside, name, None)
        if isinstance(found, enum.Enum):
            return EnumInt(found)
        # What this stand-in writes in Python keeps its own plain numbers, such as ctkPathLineEdit.Files.
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        if callable(found) and not isinstance(found, type) and not cls._surface.listed:
            return BoundMethod(found, f"{cls.__name__}.{name}")
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __instancecheck__(cls, instance: Any) -> bool:
        obj = getattr(instance, "_qt", None) if type(instance) in _PROXIES else None
        if isinstance(obj, getattr(cls, "_pyside", ())):
            given, wanted = type(instance).__name__, cls.__name__
            raise TypeError(f"isinstance({given}, {wanted}) is False in PythonQt: ask x.inherits('{wanted}')")
        return False


_PROXIES: set[type] = set()


def proxy_class(pyside: type, listed: bool = False) -> type:
    """The class that Python code sees for a PySide class (or for one of the stand-in's own, then listed)."""
    if pyside in CLASSES:
        return CLASSES[pyside]
    surface = listed_surface(pyside.__name__) if listed else qt_surface(pyside)
    if issubclass(pyside, QObject):
        property_names(pyside)
    made = ProxyType(pyside.__name__, (), {**_MEMBERS, "_pyside": pyside, "_surface": surface})
    _PROXIES.add(made)
    CLASSES[pyside] = made
    return made


def _refuse_subclass(cls: type, **keywords: Any) -> None:
    raise NotCovered(f"subclassing {cls.__mro__[1].__name__}: the stand-in has no virtual methods")


def _init(self: Any, *arguments: Any, **keywords: Any) -> None:
    name = type(self).__name__
    no_keywords(name, keywords)
    _main_thread_only(self, name)
    make = CONSTRUCTORS.get(name, self._pyside)
    plain = tuple(unwrap(a) for a in arguments)
    try:
        made = make(*plain)
    except (TypeError, AttributeError, NotImplementedError) as error:
        if isinstance(error, NotCovered):
            raise
        raise ValueError(f"Could not find matching overload for given arguments: {name}{arguments}: {error}") from None
    _adopted(self, made)


def _main_thread_only(self: Any, name: str) -> None:
    if issubclass(self._pyside, QObject) and threading.current_thread() is not MAIN:
        raise RuntimeError(f"{type(self).__name__}.{name} from another thread: Qt objects belong to the main thread")


def _object(self: Any, name: str) -> Any:
    obj = self._qt
    _main_thread_only(self, name)
    if not isValid(obj):
        raise ValueError(f"Trying to reach {name!r} on a destroyed {type(self).__name__} object")
    return obj


def _getattr(self: Any, name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    obj, kind, surface = _object(self, name), type(self).__name__, self._surface
    name = KEYWORDS.get(name, name)
    if isinstance(obj, QObject):
        if name == "name":
            return obj.objectName()
        if name in surface.properties:
            return wrap(_read_property(obj, name))
        if signatures := surface.named(name):
            return signals.BoundSignal(obj, name, signatures, wrap)
    extra = EXTRAS.get(kind, {}).get(name) or (EXTRAS["QObject"].get(name) if isinstance(obj, QObject) else None)
    if extra:
        return _Extra(extra, f"{kind}.{name}", self)
    if name in surface.methods:
        return _method(obj, name, kind, surface)
    for child in obj.children() if isinstance(obj, QObject) else ():
        if name and child.objectName() == name:
            return wrap(child)
    raise AttributeError(f"{kind!r} object has no attribute {name!r}")


def _read_property(obj: QObject, name: str) -> Any:
    if obj.metaObject().indexOfProperty(name) < 0:
        raise NotCovered(f"the property {name} of {type(obj).__name__}")
    return obj.property(name)


def _method(obj: Any, name: str, kind: str, surface: Surface) -> Any:
    found = getattr(obj, name, None)
    if isinstance(found, enum.Enum):
        return EnumInt(found)
    if found is None and surface.listed:
        raise NotCovered(f"{kind}.{name}()")
    if not callable(found) or isinstance(found, type):
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")
    return BoundMethod(found, f"{kind}.{name}")


def _setattr(self: Any, name: str, value: Any) -> None:
    obj, kind = _object(self, name), type(self).__name__
    if not isinstance(obj, QObject):
        raise AttributeError(f"{kind!r} object has no attribute {name!r} that can be set")
    if name == "name":
        name = "objectName"
    if name not in self._surface.properties:
        raise AttributeError(f"Attribute {name!r} does not exist or is not writable on {kind} objects")
    index = obj.metaObject().indexOfProperty(name)
    if index < 0:
        raise NotCovered(f"the property {name} of {kind}")
    if isinstance(value, vtkObjectBase):
        raise TypeError(f"{kind}.{name} does not accept {type(value).__name__}")
    plain = int(value) if isinstance(value, EnumInt) else unwrap(value)
    if not obj.metaObject().property(index).isWritable() or not obj.setProperty(name, plain):
        raise AttributeError(f"Property {name!r} of {kind} does not accept {value!r}")


def _equal(self: Any, other: Any) -> Any:
    if self is other:
        return True
    if type(other) is not type(self) or isinstance(self._qt, QObject):
        return False
    return self._qt == other._qt


def _hash(self: Any) -> int:
    return id(self) if isinstance(self._qt, QObject) else hash(str(self._qt))


def _repr(self: Any) -> str:
    return f"{type(self).__name__} ({self._qt!r})"


_MEMBERS = {
    "__slots__": ("__weakref__", "_qt"), "__init__": _init, "__getattr__": _getattr, "__setattr__": _setattr,
    "__eq__": _equal, "__hash__": _hash, "__repr__": _repr, "__init_subclass__": classmethod(_refuse_subclass),
}  # fmt: skip


def _class_name(given: Any) -> str:
    return given.__name__ if isinstance(given, type) else str(given)


def _children(self: Any, given: Any = "QObject", name: str = "") -> tuple:
    """findChildren(type or its name, objectName), at any depth."""
    wanted = _class_name(given)
    found = [c for c in self._qt.findChildren(QObject) if c.inherits(wanted) and (not name or c.objectName() == name)]
    return wrap(found)


def _connect(self: Any, signature: str, *callee: Any) -> bool:
    """connect(signature, callable) or connect(signature, receiver, slot signature)."""
    wanted = signals.exact(self._surface, signature, type(self).__name__)
    return signals.connect(_object(self, "connect"), wanted, _callee(callee), wrap)


def _callee(callee: tuple) -> Callable:
    if len(callee) == 2:
        return getattr(callee[0], str(callee[1]).split("(")[0])
    if len(callee) != 1:
        raise ValueError("connect called with wrong number of arguments")
    return callee[0]


def _disconnect(self: Any, signature: str, *callee: Any) -> bool:
    wanted = signals.exact(self._surface, signature, type(self).__name__)
    return signals.disconnect(_object(self, "disconnect"), wanted, _callee(callee) if callee else None)


def _set_property(self: Any, name: str, value: Any) -> bool:
    return self._qt.setProperty(name, int(value) if isinstance(value, EnumInt) else unwrap(value))


def _set_parent(self: Any, *arguments: Any) -> None:
    if arguments[:1] == (None,):
        raise RuntimeError("setParent(None) makes PythonQt a second owner: it destroys the object twice; hide() it")
    call(_object(self, "setParent").setParent, "setParent", tuple(unwrap(a) for a in arguments))


EXTRAS["QObject"] = {
    "className": lambda self: self._qt.metaObject().className(),
    "connect": _connect,
    "delete": lambda self: delete(_object(self, "delete")),
    "disconnect": _disconnect,
    "findChild": lambda self, kind="QObject", name="": next(iter(_children(self, kind, name)), None),
    "findChildren": _children,
    "inherits": lambda self, kind: _object(self, "inherits").inherits(_class_name(kind)),
    "setParent": _set_parent,
    "setProperty": _set_property,
}
