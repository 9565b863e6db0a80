"""A dataclass of settings kept in the scene: a scripted-module node with one JSON string per field.

Plain values are plain JSON; a tuple is {"tuple": [...]} and a dict is {"dict": [[key, value], ...]}, so that each comes
back as it was, whatever its keys.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from slicer import vtkMRMLScene, vtkMRMLScriptedModuleNode

from ..core.errors import InputError
from .nodes import kept, kept_or_new, one_modified

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NODE_CLASS = "vtkMRMLScriptedModuleNode"
MODULE = "DiffuFuseMed"
TAG = "parameters"
logger = logging.getLogger(__name__)
Settings = TypeVar("Settings", bound="DataclassInstance")


def save(instance: Any, scene: vtkMRMLScene, name: str = MODULE) -> vtkMRMLScriptedModuleNode:
    """Write a dataclass instance on the parameter node of this name, made when there is none.

    Fields hold None, bool, int, float, str, lists, tuples and dicts of these; TypeError for anything else. What the
    dataclass does not know is removed from the node. Nothing is modified when it is so already.
    """
    wanted = {f.name: json.dumps(_encoded(getattr(instance, f.name))) for f in dataclasses.fields(instance)}
    node = kept_or_new(scene, TAG, name, NODE_CLASS)
    with one_modified(node):
        if node.GetModuleName() != MODULE:
            node.SetModuleName(MODULE)
        for stale in set(node.GetParameterNames()) - set(wanted):
            node.UnsetParameter(stale)
        for key, text in wanted.items():
            if node.GetParameter(key) != text:
                node.SetParameter(key, text)
    return node


def load(cls: type[Settings], scene: vtkMRMLScene, name: str = MODULE) -> Settings | None:
    """What `save` wrote under this name; None when the scene has no such node.

    An unknown field is passed over, and one that is damaged or of another type keeps its default, each with a warning;
    so does everything when the dataclass itself refuses the values (ValueError).
    """
    node = kept(scene, TAG, name, NODE_CLASS)
    if node is None:
        return None
    hints = typing.get_type_hints(cls)
    fields = {f.name for f in dataclasses.fields(cls)}
    stored = {key: node.GetParameter(key) for key in node.GetParameterNames()}
    for unknown in sorted(set(stored) - fields):
        logger.warning("Parameter %s of the scene is not known: passed over", unknown)
    values = {}
    for key in fields & set(stored):
        try:
            values[key] = _checked(_decoded(json.loads(stored[key])), hints[key])
        except (ValueError, TypeError, KeyError, RecursionError):
            logger.warning("Parameter %s of the scene cannot be read: its default is used", key)
    return _made(cls, values)


def _made(cls: type[Settings], values: dict[str, Any]) -> Settings | None:
    for attempt in (values, {}):
        try:
            return cls(**attempt)
        except (InputError, ValueError, TypeError):
            logger.warning("The parameters of the scene do not go together: the defaults are used")
    return None


def _encoded(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"tuple": [_encoded(v) for v in value]}
    if isinstance(value, list):
        return [_encoded(v) for v in value]
    if isinstance(value, dict):
        return {"dict": [[_encoded(k), _encoded(v)] for k, v in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be kept in a scene")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    [(kind, items)] = value.items()
    if kind == "tuple":
        return tuple(_decoded(v) for v in items)
    if kind == "dict":
        return {_decoded(k): _decoded(v) for k, v in items}
    raise ValueError(f"unknown kind {kind!r}")


def _checked(value: Any, hint: Any) -> Any:
    if not _fits(value, hint):
        raise TypeError("of another type")
    return value


def _fits(value: Any, hint: Any) -> bool:
    """Whether the value is of the type that the dataclass declares; what this does not know is let through."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, a) for a in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple and Ellipsis not in arguments:
        same = isinstance(value, tuple) and len(value) == len(arguments)
        return same and all(map(_fits, value, arguments))
    if origin in (list, tuple):
        return isinstance(value, origin) and all(_fits(v, arguments[0]) for v in value)
    if origin is dict:
        key, item = arguments
        return isinstance(value, dict) and all(_fits(k, key) and _fits(v, item) for k, v in value.items())
    if hint in (int, float):
        return isinstance(value, int if hint is int else (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True
