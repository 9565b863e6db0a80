"""Enums are ints in PythonQt; here an int that remembers Qt's own member, because PySide asks for it."""

from __future__ import annotations

import enum
from typing import Any


class EnumInt(int):
    """An enum or flag value: prints, compares and computes as the int it is."""

    member: enum.Enum

    def __new__(cls, member: enum.Enum) -> EnumInt:
        made = super().__new__(cls, member.value)
        made.member = member
        return made

    def _with(self, other: Any, operate: Any) -> Any:
        kind = type(self.member)
        if issubclass(kind, enum.Flag) and isinstance(other, int):
            return EnumInt(operate(self.member, kind(int(other))))
        return operate(int(self), int(other))

    def __or__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a | b)

    def __and__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a & b)

    __ror__, __rand__ = __or__, __and__

    def __invert__(self) -> Any:
        return EnumInt(~self.member) if isinstance(self.member, enum.Flag) else ~int(self)
