"""A folder with a scene for MRML to read, in which nothing stands as it came: each data file that a storage node names
is read and written anew, under a name of our own."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import SimpleITK as sitk

from ...core.errors import InputError, input_error
from ..headers import read_complete
from .left_out import without_unread
from .nodes import FILE, MEMBER, MOST_COLORS, NUMBERED, SCHEMA, check_nodes, file_of, read_nodes, storages_of
from .refusals import REMEDY, refused
from .segments import MOST_SEGMENTS, known_keys
from .unpack import unpack_scene

IMAGES, WORDS = ("VolumeArchetypeStorage", "SegmentationStorage"), ("TableStorage", "TextStorage", "ColorTableStorage")
LARGEST_WORDS = 64 << 20
SUFFIXES = {
    "VolumeArchetypeStorage": (".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz"),
    "SegmentationStorage": (".seg.nrrd", ".nrrd", ".nhdr"),
    "TableStorage": (".tsv", ".csv", ".txt"),
    "TextStorage": (".txt", ".json", ".xml", ".html", ".csv", ".tsv"),
    "ColorTableStorage": (".csv", ".ctbl", ".txt"),
}
WRITTEN_AS = {"VolumeArchetypeStorage": ".nrrd", "SegmentationStorage": ".seg.nrrd"}
SCHEMA_SUFFIX = ".schema"


@dataclass(frozen=True)
class PreparedScene:
    """mrml: the file for MRML to read; left_out: a sentence on the nodes that it lacks, "" where it has all."""

    mrml: Path
    left_out: str = ""


@dataclass
class _Clean:
    """Where a scene is written anew. left_bytes, left_colors: how much more there may be of its data files, which MRML
    puts into memory whole; read: those that a node has named already."""

    folder: Path
    limit_bytes: int
    left_bytes: int
    left_colors: int = MOST_COLORS
    read: set[Path] = field(default_factory=set)

    def read_once(self, source: Path) -> None:
        """A file for each node, as they are saved: else a few bytes of the .mrml would write it again and again."""
        if source in self.read:
            raise refused("a scene file of which several nodes read one file")
        self.read.add(source)

    def take(self, count: int) -> None:
        """Bytes that are about to be written."""
        self.left_bytes -= count
        if self.left_bytes < 0:
            given = f"a scene file whose images take more than {self.limit_bytes / 2**30:.1f} GiB"
            raise input_error(given, "fewer or smaller ones", REMEDY)

    def take_colors(self, count: int) -> None:
        self.left_colors -= count
        if self.left_colors < 0:
            raise refused("a scene file with tables of too many colors")


def prepared_scene(path: Path, folder: Path, limit_bytes: int) -> PreparedScene:
    """A scene file in a new folder `clean` of `folder`, which holds nothing but what was understood. Raises InputError
    for whatever is not, unless it is a node that can be left out, and for one that takes more than limit_bytes as it
    is packed out, or its images as they are in memory."""
    came, clean = folder / "came", folder / "clean"
    came.mkdir()
    (clean / "Data").mkdir(parents=True)
    mrml = unpack_scene(path, came, limit_bytes)
    root = read_nodes(mrml)
    left_out = without_unread(root)
    check_nodes(root)
    written_anew = _Clean(clean, limit_bytes, limit_bytes)
    for number, storage in enumerate(storages_of(root)):
        _write_anew(storage, mrml, written_anew, number)
    written = clean / "scene.mrml"
    ElementTree.ElementTree(root).write(written, encoding="utf-8", xml_declaration=True)
    shutil.rmtree(came)
    return PreparedScene(written, left_out)


def _write_anew(storage: ElementTree.Element, mrml: Path, clean: _Clean, number: int) -> None:
    source = file_of(storage.attrib[FILE], mrml)
    clean.read_once(source)
    suffixes = SUFFIXES[storage.tag]
    suffix = max((s for s in suffixes if source.name.lower().endswith(s)), key=len, default="")
    if not suffix:
        raise refused(f"a scene file with a {storage.tag} of another kind than {', '.join(suffixes)}")
    others = _others(storage, source, mrml)
    name = f"Data/{number}{WRITTEN_AS.get(storage.tag, suffix)}"
    storage.set(FILE, name)
    if storage.tag in IMAGES:
        if others:
            raise refused("a scene file with a volume of several files")
        _write_image(source, clean, name, storage.tag)
        return
    if storage.tag == "ColorTableStorage":
        clean.take_colors(_colors(source))
    _write_words(source, clean, name)
    if storage.tag == "TableStorage" and len(others) == 1:
        schema = f"Data/{number}{SCHEMA_SUFFIX}{suffix}"
        clean.read_once(others[0])
        _write_words(others[0], clean, schema)
        storage.set(f"{MEMBER}0", schema)
    elif others:
        raise refused(f"a scene file with a {storage.tag} of several files")


def _others(storage: ElementTree.Element, source: Path, mrml: Path) -> list[Path]:
    """The files that a storage node names beside its first, taken from it."""
    found = []
    for key in [key for key in storage.attrib if key.rstrip(NUMBERED) in (MEMBER, SCHEMA)]:
        other = file_of(storage.attrib.pop(key), mrml)
        if other != source and other not in found:
            found.append(other)
    return found


def _write_image(source: Path, clean: _Clean, name: str, kind: str) -> None:
    try:
        image = read_complete(source)
    except InputError as error:
        raise refused(f"a scene file with an image that cannot be read ({_given(error)})") from error
    if kind == "SegmentationStorage":
        _describe_anew(image)
    values = image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel()
    clean.take(values * image.GetSizeOfPixelComponent())
    sitk.WriteImage(image, str(clean.folder / name), useCompression=False)


def _describe_anew(image: sitk.Image) -> None:
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() > MOST_SEGMENTS:
        raise refused("a scene file with a segmentation that is no image of three axes")
    keys = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    for key in keys:
        image.EraseMetaData(key)
    for key, value in known_keys(keys, image.GetSize(), image.GetNumberOfComponentsPerPixel()).items():
        image.SetMetaData(key, value)


def _given(error: InputError) -> str:
    return str(error).split(", wanted", 1)[0].removeprefix("Given ")


def _write_words(source: Path, clean: _Clean, name: str) -> None:
    if source.stat().st_size > LARGEST_WORDS:
        raise refused(f"a scene file with a text of more than {LARGEST_WORDS >> 20} MB")
    text = source.read_bytes()
    if b"\0" in text:
        raise refused("a scene file with a text that is none")
    clean.take(len(text))
    (clean.folder / name).write_bytes(text)


def _colors(source: Path) -> int:
    """MRML makes room for as many colors as the largest label among them."""
    largest = 0
    with source.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.reader(line[:1000] for line in file):
            label = (row[0].split() or ["0"])[0] if row else "0"
            if label.lstrip("-").isdecimal() and not 0 <= int(label[:9]) < MOST_COLORS:
                raise refused("a scene file with tables of too many colors")
            largest = max(largest, int(label[:9])) if label.isdecimal() else largest
    return largest + 1
