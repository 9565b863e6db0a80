"""NRRD headers (teem.sourceforge.net/nrrd/format.html): `field: value` and `key:=value`, an empty line, voxels."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from .header import Data, ImageHeader, not_understood
from .text import beside, line_of, listed, number, numbers, patterned, whole, wholes

HEADER_BYTES = 1 << 20
MAGIC = re.compile(r"NRRD000[1-5]")
FIELD = re.compile(r"([A-Za-z][A-Za-z ]{0,31}): ?(.*?)\s*")
KEY = re.compile(r"([^:=\s][^:=]{0,255}):=(.*)")
ESCAPED = re.compile(r"\\(n|\\)")
USED = frozenset(("dimension", "type", "sizes", "encoding", "endian", "space", "space dimension", "space origin",
                  "space directions", "spacings", "kinds", "space units", "data file", "line skip", "byte skip",
                  "axis mins"))  # fmt: skip
UNUSED = frozenset(("content", "number", "min", "max", "old min", "old max", "thicknesses", "axis maxs", "centers",
                    "labels", "units", "sample units", "measurement frame"))  # fmt: skip
SAME = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "axismins": "axis mins",
        "axismaxs": "axis maxs", "centerings": "centers", "oldmin": "old min", "oldmax": "old max",
        "sampleunits": "sample units"}  # fmt: skip
TYPES = {
    "i1": ("signed char", "int8", "int8_t"), "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"), "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",), "f8": ("double",),
}  # fmt: skip
DTYPES = {word: dtype for dtype, words in TYPES.items() for word in words}
PACKINGS = {"raw": "raw", "gz": "gzip", "gzip": "gzip"}
UNREAD = frozenset(("ascii", "text", "txt", "hex", "bz2", "bzip2"))
SPACES = {
    "right-anterior-superior": "RAS", "ras": "RAS", "left-anterior-superior": "LAS", "las": "LAS",
    "left-posterior-superior": "LPS", "lps": "LPS",
    **{name: name for name in ("scanner-xyz", "3d-right-handed", "3d-left-handed")},
}  # fmt: skip
DOMAIN = frozenset(("domain", "space", "time", "none", "???", ""))  # all other kinds hold the values of one voxel
VECTOR = re.compile(r"\(([^()]*)\)|none", re.IGNORECASE)
MILLIMETERS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3, "\u00b5m": 1e-3, "nm": 1e-6} | {
    "meter": 1000.0, "centimeter": 10.0, "millimeter": 1.0, "micron": 1e-3, "micrometer": 1e-3,
}  # fmt: skip


@dataclass(frozen=True)
class _Lines:
    """fields: by name; keys: the file's own; names: of files, the lines after `data file: LIST`; end: of the header."""

    fields: dict[str, str]
    keys: dict[str, str]
    names: list[str]
    end: int


def read_nrrd(path: Path) -> ImageHeader:
    """Raises InputError for what is no NRRD of binary voxels, or names files outside its folder."""
    lines = _lines(path)
    fields = lines.fields
    axes = whole(fields.get("dimension", ""), path, "dimension")
    sizes = wholes(fields.get("sizes", ""), path, "sizes")
    if len(sizes) != axes or not 2 <= axes <= 5:
        raise not_understood(path, f"of {axes} axes with {len(sizes)} sizes")
    values = _values_axis(fields, path, axes)
    domain = [n for n in range(axes) if n != values]
    place = _place(fields, path, axes, domain)
    size = tuple(sizes[n] for n in domain)
    dtype = _dtype(fields, path)
    components = 1 if values is None else sizes[values]
    return ImageHeader(
        size, dtype, _data(lines, path, sizes), _canonical(size, place), ".nrrd", place.spacing, place.unit_mm,
        (*(x for vector in place.directions for x in vector), *place.origin), components, values or 0, lines.keys,
        says_where=place.space not in ("", "3"),
    )  # fmt: skip


def _lines(path: Path) -> _Lines:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    raw, end, ended = [], 0, False
    while not ended:
        stop = head.find(b"\n", end)
        line = head[end : len(head) if stop < 0 else stop]
        end = len(head) + 1 if stop < 0 else stop + 1
        ended = line in (b"", b"\r")
        raw.append(line)
        if stop < 0 and not ended and end > HEADER_BYTES:
            raise not_understood(path, f"whose header is longer than {HEADER_BYTES / 2**20:.0f} MB")
        ended = ended or stop < 0
    return _sorted([line_of(line, path) for line in raw if line.strip()], end, path)


def _sorted(lines: list[str], end: int, path: Path) -> _Lines:
    if not lines or not MAGIC.fullmatch(lines[0]):
        raise not_understood(path, "that does not begin as a NRRD does")
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for n, line in enumerate(lines[1:], 1):
        if line.startswith("#"):
            continue
        if found := KEY.fullmatch(line):
            keys[found[1]] = ESCAPED.sub(lambda part: "\n" if part[1] == "n" else "\\", found[2])
            continue
        name, value = _field(line, path)
        if name in fields:
            raise not_understood(path, f"that says '{name}' twice")
        fields[name] = value
        if name == "data file" and value.upper().startswith("LIST"):
            return _Lines(fields, keys, [other.strip() for other in lines[n + 1 :]], end)
    return _Lines(fields, keys, [], end)


def _field(line: str, path: Path) -> tuple[str, str]:
    found = FIELD.fullmatch(line)
    name = SAME.get(found[1].lower(), found[1].lower()) if found else ""
    if found is None or name not in USED | UNUSED:
        raise not_understood(path, "with a line in its header that is no field of a NRRD")
    return name, found[2]


def _dtype(fields: dict[str, str], path: Path) -> str:
    kind = DTYPES.get(" ".join(fields.get("type", "").lower().split()))
    if kind is None:
        raise not_understood(path, "whose type is none of integers or floating-point numbers")
    if fields.get("encoding", "").lower() in UNREAD:
        raise not_understood(path, f"whose voxels are in the encoding {fields['encoding']}, which is not read")
    order = fields.get("endian", "little" if kind[1] == "1" else "").lower()
    if order not in ("little", "big"):
        raise not_understood(path, "whose byte order is neither little nor big")
    return (">" if order == "big" else "<") + kind


def _values_axis(fields: dict[str, str], path: Path, axes: int) -> int | None:
    """The axis along which the values of one voxel lie; None where each has one."""
    kinds = fields.get("kinds", "").lower().split() or ["domain"] * axes
    if len(kinds) != axes:
        raise not_understood(path, f"of {axes} axes with {len(kinds)} kinds")
    found = [n for n, kind in enumerate(kinds) if kind not in DOMAIN]
    if len(found) > 1:
        raise not_understood(path, "with several axes of values")
    return found[0] if found else None


@dataclass(frozen=True)
class _Place:
    """directions, origin: in the header's space, () where it has none; spacing: of the axes of space, as stated."""

    space: str
    directions: tuple[tuple[float, ...], ...]
    origin: tuple[float, ...]
    spacing: tuple[float, ...]
    unit_mm: float


def _place(fields: dict[str, str], path: Path, axes: int, domain: list[int]) -> _Place:
    space, unit_mm = _space(fields, path), _unit_mm(fields)
    if "space directions" in fields:
        if not space:
            raise not_understood(path, "with directions in a space that it does not name")
        found = _vectors(fields["space directions"], path, "space directions")
        if len(found) != axes or any(len(found[n]) != 3 for n in domain):
            raise not_understood(path, "without a direction of three numbers for each axis of the image")
        directions = tuple(found[n] for n in domain)
        origin = _vectors(fields.get("space origin", "(0,0,0)"), path, "space origin")
        if len(origin) != 1 or len(origin[0]) != 3:
            raise not_understood(path, "whose space origin is not three numbers")
        return _Place(space, directions, origin[0], tuple(math.hypot(*v) for v in directions), unit_mm)
    if any(not math.isnan(x) for x in numbers(fields.get("axis mins", ""), path, "axis mins")):
        raise not_understood(path, "that gives its place as axis mins, not as space origin")
    spacing = numbers(fields.get("spacings", ""), path, "spacings") or (math.nan,) * axes
    if len(spacing) != axes:
        raise not_understood(path, f"of {axes} axes with {len(spacing)} spacings")
    steps = tuple(spacing[n] for n in domain)
    return _Place("", (), (), () if all(map(math.isnan, steps)) else steps, unit_mm)


def _space(fields: dict[str, str], path: Path) -> str:
    if "space" not in fields:
        if whole(fields.get("space dimension", "3"), path, "space dimension") != 3:
            raise not_understood(path, "whose space has not three axes")
        return "3" if "space dimension" in fields else ""
    found = SPACES.get(fields["space"].lower())
    if found is None:
        raise not_understood(path, "in a space that is not the patient's")
    return found


def _vectors(text: str, path: Path, name: str) -> tuple[tuple[float, ...], ...]:
    """`none` is (); raises InputError for what else is no vector."""
    if VECTOR.sub("", text).strip():
        raise not_understood(path, f"whose {name} are no vectors")
    return tuple(
        tuple(number(x.strip(), path, name) for x in found[1].split(",")) if found[1] is not None else ()
        for found in VECTOR.finditer(text)
    )


def _unit_mm(fields: dict[str, str]) -> float:
    """How long a unit of `space units` is; 1 where the header has none or an unknown one, as most writers mean mm."""
    words = re.findall(r'"([^"]*)"', fields.get("space units", ""))
    units = {MILLIMETERS.get(word.strip().lower().removesuffix("s"), 1.0) for word in words}
    return units.pop() if len(units) == 1 else 1.0


def _data(lines: _Lines, path: Path, sizes: tuple[int, ...]) -> Data:
    fields = lines.fields
    packing = PACKINGS.get(fields.get("encoding", "").lower())
    if packing is None:
        raise not_understood(path, "whose encoding is neither raw nor gzip")
    line_skip, skip = (whole(fields.get(name, "0"), path, name) for name in ("line skip", "byte skip"))
    if line_skip or skip < -1 or (skip and packing != "raw"):
        raise not_understood(path, "with lines or bytes to be skipped that are not")
    start = None if skip == -1 else skip
    name = fields.get("data file")
    if name is None:
        if skip:
            raise not_understood(path, "with bytes to be skipped before voxels in the same file")
        return Data((path,), lines.end, packing)
    names = lines.names if name.upper().startswith("LIST") else patterned(name)
    if names is not None:
        if name.upper().startswith("LIST ") or packing != "raw":
            raise not_understood(path, "of several packed files, which is not read")
        return Data(listed(path, names, sizes[-1]), start, is_part=skip != 0)
    return Data((beside(path, name),), start, packing, is_part=skip != 0)


def _canonical(size: tuple[int, ...], place: _Place) -> bytes:
    lines = ["NRRD0004", "type: unsigned char", f"dimension: {len(size)}"]
    if place.directions:
        lines.append("space dimension: 3" if place.space == "3" else f"space: {_long(place.space)}")
        lines.append("space directions: " + " ".join(map(_vector, place.directions)))
        lines.append(f"space origin: {_vector(place.origin)}")
    elif place.spacing:
        lines.append("spacings: " + " ".join(repr(step) for step in place.spacing))
    lines += ["sizes: " + " ".join(map(str, size)), "kinds: " + " ".join(["domain"] * len(size)), "encoding: raw"]
    return ("\n".join(lines) + "\n\n").encode()


def _long(space: str) -> str:
    names = {"RAS": "right-anterior-superior", "LAS": "left-anterior-superior", "LPS": "left-posterior-superior"}
    return names.get(space, space)


def _vector(values: tuple[float, ...]) -> str:
    return "(" + ",".join(repr(value) for value in values) + ")"
