"""The XML of LIDC-IDRI: what each radiologist of a CT outlined in the unblinded reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ...core.errors import InputError, input_error

ROOT = "LidcReadMessage"  # that of a chest radiograph is IdriReadMessage
FEWEST_POINTS = 3  # a nodule below 3 mm is a single point


@dataclass(frozen=True)
class Outline:
    """The edge of a nodule in one slice: points (n, 2), column and row, of the pixels just outside of it. inclusion:
    False for a hole."""

    sop_uid: str
    z_mm: float
    inclusion: bool
    points: np.ndarray


@dataclass(frozen=True)
class Drawing:
    """One nodule by one radiologist; reader: of the scan, from 1 on."""

    reader: int
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class Readings:
    """Of the CT series with this UID, the nodules of 3 mm and more."""

    series_uid: str
    drawings: tuple[Drawing, ...]


def read_readings(path: Path) -> Readings | None:
    """What the file says, None where it is of no CT. Raises InputError for one that is no XML, or is not as LIDC's."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError) as cause:
        raise _wrong(path, "that is no XML") from cause
    if _tag(root) != ROOT:
        return None
    uid = next((_text(one) for one in root.iter() if _tag(one) == "SeriesInstanceUid"), "")
    sessions = [one for one in root if _tag(one) == "readingSession"]
    if not uid or not sessions:
        raise _wrong(path, f"without {'a readingSession' if uid else 'a SeriesInstanceUid'}")
    return Readings(uid, tuple(d for n, one in enumerate(sessions, 1) for d in _drawings(one, n, path)))


def _drawings(session: ElementTree.Element, reader: int, path: Path) -> Iterator[Drawing]:
    for nodule in (one for one in session if _tag(one) == "unblindedReadNodule"):
        outlines = tuple(_outline(roi, path) for roi in nodule if _tag(roi) == "roi")
        if any(len(outline.points) >= FEWEST_POINTS for outline in outlines):
            yield Drawing(reader, outlines)


def _outline(roi: ElementTree.Element, path: Path) -> Outline:
    told = {_tag(one): _text(one) for one in roi}
    edges = [[_text(value) for value in one] for one in roi if _tag(one) == "edgeMap"]
    try:
        points = np.array(edges, float).astype(int).reshape(-1, 2)
        z_mm = float(told["imageZposition"])
    except (KeyError, ValueError) as cause:
        raise _wrong(path, "with a roi whose imageZposition or edgeMap is no number") from cause
    return Outline(told.get("imageSOP_UID", ""), z_mm, told.get("inclusion", "TRUE").upper() != "FALSE", points)


def _tag(element: ElementTree.Element) -> str:
    """Without its namespace, of which the set has several."""
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()


def _wrong(path: Path, why: str) -> InputError:
    return input_error(f"file '{path.name}' {why}", "the XML of the readings as it is downloaded", "download it again")
