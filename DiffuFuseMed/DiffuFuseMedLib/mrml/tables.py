"""Rows and documents in the scene: the worklist as a table node, JSON documents as text nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from slicer import vtkMRMLScene, vtkMRMLTableNode, vtkMRMLTextNode
from vtkmodules.vtkCommonCore import vtkAbstractArray, vtkDoubleArray, vtkLongLongArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from .nodes import kept, kept_or_new, one_modified, set_tag, tag

WORKLIST = "DiffuFuseMed worklist"
TABLE, TEXT, COLUMNS, EXACT = "table", "text", "columns", "exact"
# A scene keeps tables as tab-separated text, where MRML loses quotation marks and tears cells apart at line breaks.
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\q"})
UNESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t", "q": '"'}
ARRAYS = {"float": vtkDoubleArray, "int": vtkLongLongArray, "str": vtkStringArray, "json": vtkStringArray}


def set_rows(scene: vtkMRMLScene, rows: Sequence[dict[str, Any]], name: str = WORKLIST) -> vtkMRMLTableNode:
    """Write rows, dicts with the same keys, on the table node of this name, made when there is none.

    A column of one kind (float, int, str) is kept as such; any other (bool, None, mixed, tuples as lists) as
    JSON text.
    """
    columns = list(rows[0]) if rows else []
    if any(list(row) != columns for row in rows):
        raise ValueError("the rows of a table must have the same keys in the same order")
    kinds = {c: _kind([row[c] for row in rows]) for c in columns}
    table = vtkTable()
    for column, kind in kinds.items():
        table.AddColumn(_array(column, kind, [row[column] for row in rows]))
    node = kept_or_new(scene, TABLE, name, "vtkMRMLTableNode")
    with one_modified(node):
        set_tag(node, COLUMNS, json.dumps(kinds))
        floats = {c: [row[c] for row in rows] for c, kind in kinds.items() if kind == "float"}
        set_tag(node, EXACT, json.dumps(floats))
        node.SetAndObserveTable(table)
    return node


def table_of(scene: vtkMRMLScene, name: str = WORKLIST) -> vtkMRMLTableNode | None:
    """The table node of `set_rows`."""
    return kept(scene, TABLE, name, "vtkMRMLTableNode")


def rows_of(table: vtkMRMLTableNode) -> list[dict[str, Any]]:
    """The rows as they were written, or as a user has changed them since in Slicer's Tables module."""
    kinds = json.loads(tag(table, COLUMNS) or "{}")
    arrays = {name: table.GetTable().GetColumnByName(name) for name in kinds}
    columns = {name: _values(array, kinds[name]) for name, array in arrays.items() if array is not None}
    for name, exact in json.loads(tag(table, EXACT) or "{}").items():
        if name in columns and len(exact) == len(columns[name]):
            columns[name] = list(map(_unrounded, columns[name], exact))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def set_text(scene: vtkMRMLScene, name: str, text: str) -> vtkMRMLTextNode:
    """Write a document on the text node of this name, made when there is none."""
    node = kept_or_new(scene, TEXT, name, "vtkMRMLTextNode")
    if node.GetText() != text:
        node.SetText(text)
    return node


def text_of(scene: vtkMRMLScene, name: str) -> str | None:
    """What `set_text` wrote; None when the scene has no such document."""
    node = kept(scene, TEXT, name, "vtkMRMLTextNode")
    return None if node is None else node.GetText() or ""


def _unrounded(value: float, exact: float) -> float:
    """What was written, unless a user has changed it since: a loaded table has six digits of it."""
    return exact if f"{value:.6g}" == f"{exact:.6g}" else value


def _kind(values: list[Any]) -> str:
    kinds = {type(v).__name__ for v in values}
    return kinds.pop() if len(kinds) == 1 and kinds <= {"float", "int", "str"} else "json"


def _array(name: str, kind: str, values: list[Any]) -> vtkAbstractArray:
    array: Any = ARRAYS[kind]()  # what an element is follows from the kind
    array.SetName(name)
    for value in values:
        text = json.dumps(value, ensure_ascii=False) if kind == "json" else value
        array.InsertNextValue(text.translate(ESCAPES) if isinstance(text, str) else text)
    return array


def _values(array: Any, kind: str) -> list[Any]:
    values = [array.GetValue(n) for n in range(array.GetNumberOfValues())]
    if kind in ("float", "int"):
        return values
    texts = [re.sub(r"\\(.)", lambda found: UNESCAPES.get(found[1], found[0]), value) for value in values]
    return [json.loads(t) for t in texts] if kind == "json" else texts
