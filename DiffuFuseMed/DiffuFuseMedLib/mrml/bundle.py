"""A scene written as Slicer's bundle (.mrb), in two parts: what needs MRML, and what takes long and needs none.

MRML may be touched by one thread only, and holds Python's lock while it writes. A bundle's bulk is the voxels of its
volumes: their arrays are taken down first, in milliseconds, and compressed into the bundle by the second part, on any
thread. All else (segmentations, tables, texts, the .mrml) is small and written by MRML in the first part.
"""

from __future__ import annotations

import errno
import re
import weakref
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from slicer import (
    vtkMRMLScalarVolumeNode,
    vtkMRMLScene,
    vtkMRMLSegmentationStorageNode,
    vtkMRMLStorableNode,
    vtkMRMLStorageNode,
)

from ..core.errors import input_error
from ..core.grid import Grid
from ..core.private_folder import FAMILY, PrivateFolder
from ..core.staging import not_saved
from ..core.whole_file import not_whole
from ..io.nrrd import write_nrrd
from .nodes import nodes_of
from .volumes import array_of, grid_of
from .written import check_scene, check_written

PREFIX = f"{FAMILY}scene-"
DATA = "Data"
MRML = "scene.mrml"
PLAIN_STORAGE = "vtkMRMLVolumeArchetypeStorageNode"  # reads any NRRD with one gray value per voxel
PLAIN_VOXELS = frozenset(("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"))


@dataclass(frozen=True)
class _Voxels:
    """One volume to write: array [k, j, i] that nobody changes any more."""

    array: np.ndarray
    grid: Grid
    file: str


class Bundle:
    """The scene as it is now; write() puts it into a .mrb, on any thread, and close() forgets it.

    name: of the folder in the bundle; constant: volumes whose voxels nobody writes to, so that no copy is taken. Raises
    InputError when a node cannot be written. The scene and its storage nodes are afterwards as they were.
    """

    def __init__(self, scene: vtkMRMLScene, name: str, constant: Collection[vtkMRMLScalarVolumeNode] = ()) -> None:
        try:
            folder = PrivateFolder(PREFIX)
            self.close = weakref.finalize(self, folder.remove)
            self._root = folder.path / (_plain(name) or "scene")
            (self._root / DATA).mkdir(parents=True)
            self._voxels = _taken_down(scene, self._root, constant)
        except OSError as cause:
            raise not_saved(cause) from cause

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, path: Path) -> None:
        """And read every part of it back. Raises OSError when the disk refuses."""
        for volume in self._voxels:
            write_nrrd(volume.array, volume.grid, self._root / DATA / volume.file, {})
        _zip(self._root, path)


def _taken_down(scene: vtkMRMLScene, root: Path, constant: Collection[vtkMRMLScalarVolumeNode]) -> list[_Voxels]:
    """The .mrml and all small files written below root; the volumes whose voxels are still to be written there."""
    voxels: list[_Voxels] = []
    with _as_it_was(scene) as storages:
        scene.SetRootDirectory(str(root))
        scene.SetURL(str(root / MRML))
        for number, node in enumerate(n for n in nodes_of(scene, "vtkMRMLStorableNode") if n.GetSaveWithScene()):
            storage = _storage(node)
            if storage is None:  # what has no file is in the .mrml
                continue
            storages.note(storage)
            file = f"{number}_{_plain(node.GetName() or '')}.{storage.GetDefaultWriteFileExtension()}"
            storage.SetFileName(str(root / DATA / file))
            if isinstance(storage, vtkMRMLSegmentationStorageNode):
                storage.SetCropToMinimumExtent(True)  # the empty rest of a large image takes seconds
            if _is_plain_volume(node, storage):
                array = array_of(node)
                voxels.append(_Voxels(array if node in constant else array.copy(), grid_of(node), file))
            else:
                _write(storage, node, root / DATA / file)
        scene.Commit(str(root / MRML))
        check_scene(root / MRML)
    return voxels


def _write(storage: vtkMRMLStorageNode, node: vtkMRMLStorableNode, path: Path) -> None:
    storage.GetUserMessages().ClearMessages()  # an error of an earlier time would be taken for one of this
    if storage.WriteData(node) or storage.GetWriteState() == storage.SkippedNoData:
        check_written(node, path)
        return
    if (cause := not_whole(path)).errno == errno.ENOSPC:
        raise cause
    remedy = "make room on the disk, remove what is damaged or save the other files"
    raise input_error("a scene with a node that cannot be written", "nodes with data", remedy)


def _storage(node: vtkMRMLStorableNode) -> vtkMRMLStorageNode | None:
    if node.GetStorageNode() is None:
        node.AddDefaultStorageNode()
    return node.GetStorageNode()


def _is_plain_volume(node: vtkMRMLStorableNode, storage: vtkMRMLStorageNode) -> bool:
    if not isinstance(node, vtkMRMLScalarVolumeNode) or storage.GetClassName() != PLAIN_STORAGE:
        return False
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None or image.GetNumberOfScalarComponents() != 1:
        return False
    return array_of(node).dtype.name in PLAIN_VOXELS


class _Storages:
    """Where storage nodes kept their files before."""

    def __init__(self) -> None:
        self._before: list[tuple[vtkMRMLStorageNode, str | None, list[str]]] = []

    def note(self, storage: vtkMRMLStorageNode) -> None:
        names = [storage.GetNthFileName(n) for n in range(storage.GetNumberOfFileNames())]
        self._before.append((storage, storage.GetFileName(), names))
        storage.ResetFileNameList()

    def bring_back(self) -> None:
        for storage, name, names in self._before:
            storage.ResetFileNameList()
            storage.SetFileName(name)
            for other in names:
                storage.AddFileName(other)


@contextmanager
def _as_it_was(scene: vtkMRMLScene) -> Iterator[_Storages]:
    url, root, storages = scene.GetURL(), scene.GetRootDirectory(), _Storages()
    try:
        yield storages
    finally:
        storages.bring_back()
        scene.SetURL(url)
        scene.SetRootDirectory(root)


def _zip(root: Path, path: Path) -> None:
    """The folder as a zip; its voxels are compressed already."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in sorted(p for p in root.rglob("*") if p.is_file()):
            packed = zipfile.ZIP_DEFLATED if file.suffix in (".mrml", ".txt", ".tsv", ".json", ".csv") else None
            archive.write(file, file.relative_to(root.parent), packed)
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise not_whole(path)


def _plain(name: str) -> str:
    """A file name that every system and MRML's own encoding take."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.")[:60]
