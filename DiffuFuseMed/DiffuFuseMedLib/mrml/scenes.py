"""The whole scene as one file (.mrb, a zip of a .mrml and its data), saved and loaded whole or not at all.

A file that was sent may be made to do harm, so nothing of it reaches MRML but what was understood and written anew.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from pathlib import Path

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene

from ..core.errors import input_error
from ..core.private_folder import PrivateFolder
from ..core.staging import staged
from ..io.apart.limits import most_of_the_memory
from ..io.scene_files import PreparedScene, prepared_scene
from ..io.scene_files.refusals import refused
from .bundle import PREFIX, Bundle
from .nodes import nodes_of

LIMIT_BYTES = min(16 * 2**30, most_of_the_memory())  # of the file unpacked, and of its images as MRML holds them
Prepare = Callable[[Path, Path, int], PreparedScene]
Check = Callable[[vtkMRMLScene], None]


def save_scene(scene: vtkMRMLScene, path: str | Path) -> None:
    """Write the scene to path (.mrb): whole, or InputError and a file that was there before stays as it was."""
    saving(scene, path)()


def saving(
    scene: vtkMRMLScene, path: str | Path, constant: Collection[vtkMRMLScalarVolumeNode] = ()
) -> Callable[[], None]:
    """save_scene() in two parts: the scene is taken down now, and written to path by the function returned, on any
    thread. constant: volumes whose voxels nobody writes to. Both raise InputError."""
    path = Path(path)
    if path.suffix.lower() != ".mrb":
        raise input_error("a scene file of another kind", "a name that ends in .mrb", "choose such a name")
    bundle = Bundle(scene, path.stem, constant)

    def write() -> None:
        with bundle, staged(path.parent) as folder:
            bundle.write(folder / path.name)

    return write


def load_scene(
    scene: vtkMRMLScene,
    path: str | Path,
    limit_bytes: int = LIMIT_BYTES,
    prepare: Prepare = prepared_scene,
    check: Check = lambda _: None,
) -> None:
    """Replace the scene by the file's. InputError, before the present scene is touched, for what is no zip, is damaged,
    holds names outside itself, links, no .mrml or several, places of files that are not known, images that cannot be
    read or lie under a transform, or unpacks to more than limit_bytes. prepare: prepared_scene() or what does the same
    elsewhere; check: as of SceneFile.replace().

    The host blocks its rendering meanwhile, and sets its layers again afterwards (`layers.show`).
    """
    with SceneFile(path, limit_bytes, prepare) as read:
        read.replace(scene, check)


class SceneFile:
    """A scene file, read: on any thread, in a folder of its own until close(). Raises InputError as load_scene().

    left_out: a sentence on the nodes that are not read, "" where there are none.
    """

    def __init__(self, path: str | Path, limit_bytes: int = LIMIT_BYTES, prepare: Prepare = prepared_scene) -> None:
        private = PrivateFolder(PREFIX)
        self._path, self.close = Path(path), weakref.finalize(self, private.remove)
        try:
            prepared = prepare(self._path, private.path, limit_bytes)
        except BaseException:
            self.close()
            raise
        self._mrml, self.left_out = prepared.mrml, prepared.left_out

    def __enter__(self) -> SceneFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def replace(self, scene: vtkMRMLScene, check: Check = lambda _: None) -> None:
        """Put it in the place of what the scene holds. InputError, the scene being as it was, for nodes that cannot be
        read; check(scratch): raises what is wrong with it, asked of a scene of its own before this one is touched."""
        scratch = vtkMRMLScene()
        scene.CopyRegisteredNodesToScene(scratch)
        try:
            self._import(scratch)
            check(scratch)
        finally:
            scratch.Clear(True)
        scene.Clear(False)  # what is there once in every scene (views, colors) stays
        self._import(scene)
        scene.SetURL(str(self._path))
        scene.SetRootDirectory(str(self._path.parent))

    def _import(self, scene: vtkMRMLScene) -> None:
        scene.SetURL(str(self._mrml))
        scene.SetRootDirectory(str(self._mrml.parent))
        loaded = scene.Import()
        _forget_files(scene)
        if not loaded:
            raise refused("a scene file with nodes that cannot be read")


def _forget_files(scene: vtkMRMLScene) -> None:
    """The unpacked files are gone: no storage node may go on naming one."""
    for node in nodes_of(scene, "vtkMRMLStorageNode"):
        node.ResetFileNameList()
        node.ResetURIList()
        node.SetFileName(None)
        node.SetURI(None)
