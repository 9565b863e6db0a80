"""What this library writes on a node besides its data: attributes 'DiffuFuseMed.<key>', saved with the scene."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from slicer import vtkMRMLNode, vtkMRMLScene

PREFIX = "DiffuFuseMed."
PROVENANCE = "provenance"


def tag(node: vtkMRMLNode, key: str) -> str | None:
    """What `set_tag` wrote, None when there is nothing."""
    return node.GetAttribute(PREFIX + key)


def set_tag(node: vtkMRMLNode, key: str, value: str | None) -> None:
    """Write attribute 'DiffuFuseMed.<key>'; None removes it. Nothing is modified when it is so already."""
    if tag(node, key) == value:
        return
    if value is None:
        node.RemoveAttribute(PREFIX + key)
    else:
        node.SetAttribute(PREFIX + key, value)


def find(scene: vtkMRMLScene, key: str, value: str | None = None, class_name: str | None = None) -> list[vtkMRMLNode]:
    """The scene's nodes that carry the tag, with this value unless it is None, of this class or one made from it."""
    nodes = nodes_of(scene, class_name or "vtkMRMLNode")
    return [n for n in nodes if tag(n, key) is not None and value in (None, tag(n, key))]


def nodes_of(scene: vtkMRMLScene, class_name: str) -> list[vtkMRMLNode]:
    """The scene's nodes of this class or one made from it, in the scene's order."""
    collection = scene.GetNodesByClass(class_name)
    collection.UnRegister(None)  # the scene hands over its reference, which Python would leak
    return [collection.GetItemAsObject(n) for n in range(collection.GetNumberOfItems())]


def kept(scene: vtkMRMLScene, key: str, name: str, class_name: str) -> vtkMRMLNode | None:
    """The node that `kept_or_new` made under this name, whatever a user calls it by now."""
    return next(iter(find(scene, key, name, class_name)), None)


def kept_or_new(scene: vtkMRMLScene, key: str, name: str, class_name: str) -> vtkMRMLNode:
    """The one node of its kind (key) and name, made when the scene has none."""
    node = kept(scene, key, name, class_name)
    if node is None:
        node = scene.AddNewNodeByClass(class_name, name)
        set_tag(node, key, name)
    return node


def provenance(node: vtkMRMLNode) -> dict[str, Any]:
    """What made the node; empty when nothing is written on it, or nothing that can be read."""
    try:
        record = json.loads(tag(node, PROVENANCE) or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def set_provenance(node: vtkMRMLNode, record: dict[str, Any]) -> None:
    """Write what made the node: model ids, sha256, settings, seed, versions. Values: what JSON knows, and numpy's."""
    set_tag(node, PROVENANCE, json.dumps(record, default=_plain, sort_keys=True))


@contextmanager
def one_modified(node: vtkMRMLNode) -> Iterator[None]:
    """What changes on the node inside the block is told to observers once, at its end."""
    before = node.StartModify()
    try:
        yield
    finally:
        node.EndModify(before)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"provenance of type {type(value).__name__} cannot be written as JSON")
