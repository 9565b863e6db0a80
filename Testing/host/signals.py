"""Signals as PythonQt has them: exact signatures, callees that may take fewer arguments, slots that fail aloud."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from shiboken6 import getCppPointer

from . import records
from .surface import NotCovered, Surface, normalized

_connected: dict[tuple, list] = {}
# PySide chooses among overloads, clicked() or clicked(bool), by how many arguments the callee has.
EXACT: dict[int, Callable] = {
    0: lambda run: lambda: run(),
    1: lambda run: lambda a: run(a),
    2: lambda run: lambda a, b: run(a, b),
    3: lambda run: lambda a, b, c: run(a, b, c),
    4: lambda run: lambda a, b, c, d: run(a, b, c, d),
}


def argument_count(signature: str) -> int:
    inside = signature[signature.index("(") + 1 : -1]
    return len(inside.split(",")) if inside else 0


def taken(callee: Callable, given: int) -> int:
    """How many of the given arguments PythonQt hands over.

    It counts a function's positional parameters, those with a default too: in `lambda i=i: ...` connected to
    clicked(bool), i becomes the bool. A partial or another callable gets all.
    """
    function = callee.__func__ if isinstance(callee, types.MethodType) else callee
    if not isinstance(function, types.FunctionType) or function.__code__.co_flags & 0x04:
        return given
    bound = 1 if isinstance(callee, types.MethodType) else 0
    return min(given, function.__code__.co_argcount - bound)


def guarded(callee: Callable, signature: str, wrap: Callable) -> Callable:
    """What Qt calls: trims the arguments, wraps them, and records what the callee raises."""
    declared = argument_count(signature)
    as_bool = signature == "currentNodeChanged(bool)"

    def slot(*given: Any) -> None:
        values = [wrap(bool(a) if as_bool else a) for a in given[:declared]]
        try:
            callee(*values[: taken(callee, len(values))])
        except Exception as error:
            records.record_slot_error(error)

    return slot


def exact(surface: Surface, signature: str, owner: str) -> str:
    """The signature as Qt writes it; raises where PythonQt only prints that the signal is unknown."""
    wanted = normalized(signature)
    if wanted not in surface.signals:
        known = ", ".join(sorted(surface.signals))
        raise AttributeError(f"{owner} has no signal {signature!r}; it has {known}")
    return wanted


def connect(obj: QObject, signature: str, callee: Any, wrap: Callable) -> bool:
    if not callable(callee):
        raise TypeError(f"{signature} connected to {callee!r}, which cannot be called")
    name = signature.split("(")[0]
    if not hasattr(type(obj), name):
        raise NotCovered(f"the stand-in's {type(obj).__name__} never emits {signature}")
    slot = EXACT[argument_count(signature)](guarded(callee, signature, wrap))
    connection = getattr(obj, name).connect(slot)
    _connected.setdefault((getCppPointer(obj)[0], signature), []).append((callee, connection))
    return True


def disconnect(obj: QObject, signature: str, callee: Any) -> bool:
    """False when they were not connected, as PythonQt returns."""
    kept = _connected.get((getCppPointer(obj)[0], signature), [])
    for entry in kept:
        if callee is None or entry[0] == callee:
            QObject.disconnect(entry[1])
            kept.remove(entry)
            return True
    return False


def forget(pointer: int) -> None:
    """The object at this address is gone; another may take its place."""
    for key in [k for k in _connected if k[0] == pointer]:
        del _connected[key]


def drop(obj: QObject) -> None:
    """Disconnect all that was connected to this object."""
    pointer = getCppPointer(obj)[0]
    for key in [k for k in _connected if k[0] == pointer]:
        for _, connection in _connected.pop(key):
            QObject.disconnect(connection)


class BoundSignal:
    """`button.clicked`: connect, disconnect, or call it to emit."""

    __slots__ = ("_name", "_obj", "_signatures", "_wrap")

    def __init__(self, obj: QObject, name: str, signatures: list[str], wrap: Callable) -> None:
        self._obj, self._name, self._signatures, self._wrap = obj, name, signatures, wrap

    def _signature(self, callee: Any) -> str:
        """The longest; where overloads differ in more than a left-out default, only a callee without arguments."""
        longest = max(self._signatures, key=argument_count)
        rivals = [s for s in self._signatures if argument_count(s) == argument_count(longest)]
        if len(rivals) > 1 and taken(callee, 1):
            raise TypeError(f"{self._name} is one of {rivals}: connect by signature, obj.connect('{rivals[0]}', f)")
        return longest

    def connect(self, callee: Any) -> bool:
        return connect(self._obj, self._signature(callee), callee, self._wrap)

    def disconnect(self, callee: Any) -> bool:
        return disconnect(self._obj, self._signature(callee), callee)

    def __call__(self, *values: Any) -> None:
        getattr(self._obj, self._name).emit(*values)
