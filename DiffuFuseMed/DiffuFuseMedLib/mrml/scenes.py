"""The whole scene as one file (.mrb, a zip of a .mrml and its data), saved and loaded whole or not at all.

A file that was sent may be made to do harm, so nothing of it reaches MRML before its names and paths are looked at.
"""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote
from xml.etree import ElementTree

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene

from ..core.errors import InputError, input_error
from ..core.staging import staged
from .bundle import Bundle
from .nodes import nodes_of

LIMIT_BYTES = 16 * 2**30
WANTED = "a scene file (.mrb) as this program or 3D Slicer saves it"
REMEDY = "choose another file or save the scene again"
LOADED_FROM = ("fileName", "fileListMember", "uri", "uriListMember", "url")  # attributes of MRML's storage nodes
DATA_FILE = re.compile(rb"^(?:data ?file:|ElementDataFile *=) *(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
HEADER_BYTES = 2**20


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


def load_scene(scene: vtkMRMLScene, path: str | Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Replace the scene by the file's. InputError, before the present scene is touched, for what is no zip, is damaged,
    holds names outside itself, links, no .mrml or several, refers to other files, or unpacks to more than limit_bytes.

    The host blocks its rendering meanwhile, and sets its layers again afterwards (`layers.show`).
    """
    with tempfile.TemporaryDirectory(prefix="scene-") as folder:  # mode 0700
        mrml = _unpacked(Path(path), Path(folder), limit_bytes)
        scene.Clear(False)  # what is there once in every scene (views, colors) stays
        scene.SetURL(str(mrml))
        scene.SetRootDirectory(str(mrml.parent))
        loaded = scene.Import()
        _forget_files(scene)
    scene.SetURL(str(path))
    scene.SetRootDirectory(str(Path(path).parent))
    if not loaded:
        raise _refused("a scene file with nodes that cannot be read")


def _unpacked(path: Path, folder: Path, limit_bytes: int) -> Path:
    """The .mrml in `folder`, with everything beside it."""
    with _refusing(), zipfile.ZipFile(path) as archive:
        _check_members(archive.infolist(), limit_bytes)
        if sum(member.file_size for member in archive.infolist()) > shutil.disk_usage(folder).free:
            raise input_error("a scene file larger than the free disk space", "room for it", "make room on the disk")
        archive.extractall(folder)  # checks each member's CRC
        mrml = [p for p in folder.rglob("*") if p.suffix == ".mrml"]
        if len(mrml) != 1:
            raise _refused(f"a scene file with {len(mrml)} .mrml files")
        _check_references(mrml[0])
        for file in filter(Path.is_file, folder.rglob("*")):
            _check_data_file(file)
        return mrml[0]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except ElementTree.ParseError as cause:
        raise _refused("a scene file whose .mrml is damaged") from cause
    # RuntimeError: a password; NotImplementedError: an unknown compression; both are zipfile's.
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zipfile.LargeZipFile) as cause:
        raise _refused("a file that is missing, damaged or no scene") from cause


def _check_members(members: list[zipfile.ZipInfo], limit_bytes: int) -> None:
    if any(_leaves(m.filename) for m in members):
        raise _refused("a scene file with names outside itself")
    if any(stat.S_IFMT(m.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR) for m in members):
        raise _refused("a scene file with links in it")
    size = sum(m.file_size for m in members)
    if size > limit_bytes:
        given = f"a scene file that unpacks to {size / 2**30:.1f} GiB"
        raise input_error(given, f"at most {limit_bytes / 2**30:.1f} GiB", REMEDY)


def _leaves(name: str) -> bool:
    """Whether a path, read the way of any operating system, leads out of the folder it is unpacked to, or is a URL."""
    kinds = (PurePosixPath(name), PureWindowsPath(name))
    return "://" in name or any(p.is_absolute() or p.drive or p.root or ".." in p.parts for p in kinds)


def _check_references(mrml: Path) -> None:
    """MRML reads whatever file or address a storage node names: only what was unpacked with it is allowed."""
    root = ElementTree.parse(mrml).getroot()
    if root.tag != "MRML":
        raise _refused("a scene file whose .mrml is something else")
    for element in root.iter():
        for key, value in element.attrib.items():
            if key.rstrip("0123456789") in LOADED_FROM and _leaves(unquote(value)):
                raise _refused("a scene file that refers to files outside itself")


def _check_data_file(header: Path) -> None:
    """The headers of NRRD and MetaImage may in turn name the files that hold their voxels."""
    with header.open("rb") as opened:
        text = opened.read(HEADER_BYTES)
    if not (text.startswith(b"NRRD") or header.suffix.lower() in (".mha", ".mhd")):
        return
    names = [name.decode("latin-1") for name in DATA_FILE.findall(re.split(rb"\r?\n\r?\n", text)[0])]
    if any(name.upper().startswith("LIST") or _leaves(name) for name in names):
        raise _refused("a scene file that refers to files outside itself")


def _forget_files(scene: vtkMRMLScene) -> None:
    """The unpacked files are gone: no storage node may go on naming one."""
    for node in nodes_of(scene, "vtkMRMLStorageNode"):
        node.ResetFileNameList()
        node.ResetURIList()
        node.SetFileName(None)
        node.SetURI(None)


def _refused(given: str) -> InputError:
    return input_error(given, WANTED, REMEDY)
