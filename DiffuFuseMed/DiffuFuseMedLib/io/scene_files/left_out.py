"""Nodes of a scene that are not read, such as markups, models and transforms: they are taken out of it with everything
that belongs to them, and their files are never opened.

What would be shown wrongly without them is refused: an image under a transform, or one whose voxels are in such a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from ...core.printable import printable
from .nodes import STORAGES
from .refusals import refused

# Kinds that no case of this program is made of, whether or not they have a file of their own.
UNREAD = re.compile(r"(Markups|Annotation|Model|SceneView|SnapshotClip|FiberBundle|Sequence)\w*|\w*Transform")
SHOWN = re.compile(r"\w*(Volume|Segmentation)")
ITEM = "SubjectHierarchyItem"
# What is a part of another node, and what is nothing without another; neither is named itself.
PART, DEPENDENT = re.compile(r"\w*(Display|Storage)"), re.compile(rf"\w*VolumeRendering|{ITEM}")
OURS = "DiffuFuseMed."
WORDS = frozenset(("id", "name", "description", "attributes", "userTags"))  # attributes that name no other node
NODE_ID = re.compile(r"[^\s:;]+")
MOST_ROUNDS = 16
MOST_NAMED, LONGEST_NAME = 10, 40


def without_unread(root: Element) -> str:
    """Take them out of the scene; a sentence that names them, "" where there are none. Raises InputError for an image
    or segmentation that is not right without one of them."""
    parents = {child: parent for parent in root.iter() for child in parent}
    refers = {element: _referred(element) for element in parents}
    left = _with_what_hangs_on_them(refers, {element for element in parents if _is_unread(element)})
    ids = _ids(left)
    for element in left:
        parents[element].remove(element)
    for element in refers.keys() - left:
        if refers[element] & ids:
            _forget(element, ids)
    return _told([e for e in parents if e in left and parents[e] not in left])


def _is_unread(element: Element) -> bool:
    storage = element.tag.endswith("Storage") and element.tag not in STORAGES
    return storage or UNREAD.fullmatch(element.tag) is not None


def _with_what_hangs_on_them(refers: dict[Element, frozenset[str]], left: set[Element]) -> set[Element]:
    """Also what lies in them, is kept in their files, or shows nothing but them. refers: each node to others' ids."""
    for _ in range(MOST_ROUNDS):
        left = left | {inner for element in left for inner in element.iter()}
        rest = [e for e in refers if e not in left]
        _check_is_right(refers, left, rest)
        owned = _ids_in(refers, left) - _ids_in(refers, (e for e in rest if e.tag != ITEM))
        ids, files = _ids(left), _ids({e for e in left if e.tag.endswith("Storage")})
        more = {
            e for e in rest
            if refers[e] & files or (DEPENDENT.fullmatch(e.tag) and refers[e] & ids and not len(e))
            or (PART.fullmatch(e.tag) and e.get("id") in owned)
        }  # fmt: skip
        if not more:
            return left
        left = left | more
    raise refused("a scene file whose nodes hang on each other without end")


def _check_is_right(refers: dict[Element, frozenset[str]], left: set[Element], rest: list[Element]) -> None:
    files, transforms = (_ids({e for e in left if e.tag.endswith(kind)}) for kind in ("Storage", "Transform"))
    for element in rest:
        if SHOWN.fullmatch(element.tag) and refers[element] & transforms:
            raise refused(f"a scene file with {_named(element)} under a transform, which is not read")
        if OURS in element.get("attributes", "") and refers[element] & files:
            raise refused(f"a scene file with {_named(element)} in a kind of file that is not read")


def _ids(elements: set[Element]) -> set[str]:
    return {element.attrib["id"] for element in elements if element.get("id")}


def _ids_in(refers: dict[Element, frozenset[str]], elements: Iterable[Element]) -> set[str]:
    return {word for element in elements for word in refers[element]}


def _referred(element: Element) -> frozenset[str]:
    """The words in its attributes that may be another node's id."""
    values = [value for key, value in element.attrib.items() if key not in WORDS]
    return frozenset(word for value in values for word in (value, *NODE_ID.findall(value)))


def _forget(element: Element, ids: set[str]) -> None:
    """No node may refer to one that is gone: another one may get its id."""
    for key, value in element.attrib.items():
        if key not in WORDS:
            rest = NODE_ID.sub(lambda word: "" if word[0] in ids else word[0], value)
            element.set(key, "" if value in ids else rest)


def _told(left: list[Element]) -> str:
    named = [_named(e) for e in left if not (PART.fullmatch(e.tag) or DEPENDENT.fullmatch(e.tag))] or [
        _named(e) for e in left
    ]
    more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    listed = ", ".join([*named[:MOST_NAMED], *more])
    return f"Left out of the scene, as nodes of their kind are not read: {listed}." if listed else ""


def _named(element: Element) -> str:
    name = printable(element.get("name", ""))[:LONGEST_NAME]
    return f"{element.tag[:LONGEST_NAME]} '{name}'" if name else element.tag[:LONGEST_NAME]
