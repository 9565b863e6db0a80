"""Whether what MRML wrote of a scene is whole: its writers keep a full disk to themselves."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from slicer import vtkMRMLStorableNode, vtkMRMLTableNode, vtkMRMLTextNode

from ..core.whole_file import not_whole
from ..io.written_voxels import check_nrrd

GZIPPED, HEADER_END = b"encoding: gzip", b"\n\n"  # of NRRD
HEADER_BYTES = 2**16


def check_written(node: vtkMRMLStorableNode, path: Path) -> None:
    """OSError unless the node's file holds all of it: its text, its rows, its compressed voxels; of other kinds, unless
    there is something in it."""
    if not path.is_file():  # a storage node that had nothing to write
        return
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    if path.suffix == ".nrrd" and GZIPPED in start.split(HEADER_END)[0]:
        check_nrrd(path)
    elif not _is_whole(node, path, start):
        raise not_whole(path)


def _is_whole(node: vtkMRMLStorableNode, path: Path, start: bytes) -> bool:
    if isinstance(node, vtkMRMLTextNode):
        return path.read_bytes() == (node.GetText() or "").encode("utf-8")
    if isinstance(node, vtkMRMLTableNode):
        lines = path.read_bytes().splitlines(keepends=True)
        return len(lines) == node.GetNumberOfRows() + 1 and lines[-1].endswith(b"\n")
    return HEADER_END in start if path.suffix == ".nrrd" else bool(start)


def check_scene(path: Path) -> None:
    """OSError unless the .mrml is well formed to its end."""
    try:
        ElementTree.parse(path)
    except (ElementTree.ParseError, FileNotFoundError) as cause:
        raise not_whole(path) from cause
