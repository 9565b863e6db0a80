"""The .mrml of a scene, understood and written anew: known storage nodes with known attributes, which name files of the
bundle alone.

MRML reads whatever file or address a storage node names, in whatever way it is written; a node of another kind of
storage would have other libraries read it.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from ...core.errors import InputError
from .refusals import refused
from .unpack import leaves

LARGEST_BYTES = 64 << 20
MOST_NODES = 20_000
DEEPEST = 64
MOST_COLORS = 1 << 18  # of all tables together
FEW_POINTS = 10_000
STORAGES = frozenset(
    ("VolumeArchetypeStorage", "SegmentationStorage", "TableStorage", "TextStorage", "ColorTableStorage")
)
FILE, MEMBER, SCHEMA = "fileName", "fileListMember", "schemaFileName"
PLAIN = frozenset(
    (
        "id", "name", "description", "hideFromEditors", "selectable", "selected", "singletonTag", "attributes",
        "references", "useCompression", "compressionParameter", "defaultWriteFileExtension", "readState", "writeState",
        "centerImage", "forceRightHandedIJKCoordinateSystem", "singleFile", "UseOrientationFromFile",
        "CropToMinimumExtent", "autoFindSchema",
    )
)  # fmt: skip
ELSEWHERE = frozenset(("fileName", "fileListMember", "uri", "uriListMember", "url", "schemaFileName", "filePath"))
NUMBERED = "0123456789"


def read_nodes(mrml: Path) -> ElementTree.Element:
    """The scene's root. Raises InputError for what is no MRML, is too large or deep, or declares entities."""
    if mrml.stat().st_size > LARGEST_BYTES:
        raise refused(f"a scene file whose .mrml is larger than {LARGEST_BYTES >> 20} MB")
    root = parsed_nodes(mrml.read_bytes())
    if root.tag != "MRML":
        raise refused("a scene file whose .mrml is something else")
    return root


def check_nodes(root: ElementTree.Element) -> None:
    """Raises InputError for nodes that would have MRML read something else than files of the bundle."""
    _check_colors(root)
    for element in root.iter():
        _check_points(element)
        if element.tag.endswith("Storage"):
            _check_storage(element)
        elif any(key.rstrip(NUMBERED) in ELSEWHERE for key in element.attrib):
            raise refused("a scene file that refers to files outside itself")


def parsed_nodes(text: bytes) -> ElementTree.Element:
    """The root of a .mrml. Raises InputError as read_nodes() does, for what XML alone can tell."""
    if b"<!" in re.sub(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", b"", text, flags=re.DOTALL) or b"\0" in text:
        raise refused("a scene file whose .mrml declares entities")
    parser = ElementTree.XMLParser(target=_Bounded())
    try:
        parser.feed(text)
        root: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError) as cause:
        if isinstance(cause, InputError):
            raise
        raise refused("a scene file whose .mrml is damaged") from cause
    return root


def storages_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    """The storage nodes that name a file."""
    return [element for element in root.iter() if element.tag in STORAGES and element.get(FILE)]


def file_of(value: str, mrml: Path) -> Path:
    """The file of the bundle that a storage node names. Raises InputError for one outside it, or that is not there."""
    name = unquote(value)
    found = mrml.parent / name
    if re.search(r"[\x00-\x1f:]", name) or leaves(name):
        raise refused("a scene file that refers to files outside itself")
    if not found.resolve().is_relative_to(mrml.parent.resolve()):
        raise refused("a scene file that refers to files outside itself")
    if not found.is_file():
        raise refused("a scene file that refers to a file it does not hold")
    return found


class _Bounded(ElementTree.TreeBuilder):
    """Counts as it builds: what is too much is refused before it is in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._count = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self._count, self._depth = self._count + 1, self._depth + 1
        if self._count > MOST_NODES or self._depth > DEEPEST:
            raise refused(f"a scene file of more than {MOST_NODES} nodes, or {DEEPEST} in each other")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *_: str | None) -> None:
        raise refused("a scene file whose .mrml declares entities")


def _check_colors(root: ElementTree.Element) -> None:
    """MRML makes room for as many colors as each table announces, 50 bytes for one."""
    counts = [element.get("numcolors", "0").strip() for element in root.iter()]
    if not all(count.isdecimal() and len(count) <= 9 for count in counts) or sum(map(int, counts)) > MOST_COLORS:
        raise refused("a scene file with tables of too many colors")


def _check_points(element: ElementTree.Element) -> None:
    """A volume rendering's functions begin with the count of the numbers that follow, and MRML makes room for it."""
    for value in element.attrib.values() if element.tag.endswith("VolumeProperty") else ():
        words = value.split(maxsplit=1)
        count = words[0].lstrip("+") if words else ""
        if count.isdecimal() and (len(count) > 9 or int(count) > max(len(value), FEW_POINTS)):
            raise refused("a scene file with a function of more points than it holds")


def _check_storage(element: ElementTree.Element) -> None:
    """What is not known of a storage node is left out; raises InputError for what would make it read something else."""
    if element.tag not in STORAGES:
        raise refused(f"a scene file with a {element.tag[:40]}, a kind of file that is not read")
    for key in list(element.attrib):
        kind = key.rstrip(NUMBERED)
        if kind in ELSEWHERE - {FILE, MEMBER, SCHEMA} or (kind in (MEMBER, SCHEMA) and not element.get(FILE)):
            raise refused("a scene file that refers to files outside itself")
        if key not in PLAIN and key != FILE and kind not in (MEMBER, SCHEMA):
            del element.attrib[key]
