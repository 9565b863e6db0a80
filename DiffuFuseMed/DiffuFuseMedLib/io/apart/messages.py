"""What goes between the two processes: a line of JSON each way, and after the answer its arrays as plain bytes.

Nothing that came is trusted: only these words, numbers and arrays are made of it, no object of the sender's choice.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import PurePath
from typing import IO, Any

import numpy as np

from ...core.grid import Grid
from ...core.triples import triple
from ...core.volume import Volume
from ..study import Study

LONGEST_LINE = 256 << 20
DTYPES = ("float32", "uint8")


class BrokenError(Exception):
    """What came is no answer."""


def send(stream: IO[bytes], words: dict[str, Any], arrays: list[np.ndarray] | None = None) -> None:
    """Raises OSError where nobody listens any more."""
    stream.write(json.dumps(words, default=_plain).encode() + b"\n")
    for array in arrays or []:
        stream.write(np.ascontiguousarray(array).data.cast("B"))
    stream.flush()


def received(stream: IO[bytes]) -> dict[str, Any]:
    """The line of words. Raises BrokenError."""
    line = stream.readline(LONGEST_LINE)
    try:
        words = json.loads(line)
    except ValueError as error:
        raise BrokenError("no line of words came") from error
    if not isinstance(words, dict):
        raise BrokenError("words of another kind came")
    return words


def words_of_study(study: Study) -> tuple[dict[str, Any], list[np.ndarray]]:
    single = [study.reference_mask] if study.reference_mask else []
    volumes = [*study.volumes.values(), *study.references.values(), *single]
    words = {
        "name": study.name,
        "notes": study.notes,
        "keys": list(study.volumes),
        "annotators": list(study.references),
        "volumes": [_words_of_volume(volume) for volume in volumes],
    }
    return words, [volume.array for volume in volumes]


def study_of(words: dict[str, Any], stream: IO[bytes], most_bytes: int) -> Study:
    """The study, its arrays read from the stream. Raises BrokenError for what is none, or more than most_bytes."""
    try:
        keys = [str(key) for key in words["keys"]]
        volumes = [_volume(part, stream, most_bytes) for part in words["volumes"]]
        annotators = [str(name) for name in words["annotators"]]
        images, drawn = volumes[: len(keys)], volumes[len(keys) :]
        references, single = drawn[: len(annotators)], drawn[len(annotators) :]
        notes = tuple(str(note) for note in words["notes"])
        return Study(
            str(words["name"]),
            dict(zip(keys, images, strict=True)),
            single[0] if single else None,
            notes,
            references=dict(zip(annotators, references, strict=True)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenError("the study is none") from error


def _words_of_volume(volume: Volume) -> dict[str, Any]:
    meta, grid = dict(volume.meta), asdict(volume.grid)
    return {
        "grid": grid,
        "modality": volume.modality,
        "meta": meta,
        "dtype": volume.array.dtype.name,
        "shape": volume.array.shape,
    }


def _volume(words: dict[str, Any], stream: IO[bytes], most_bytes: int) -> Volume:
    shape, dtype = tuple(int(n) for n in words["shape"]), str(words["dtype"])
    if dtype not in DTYPES or min(shape) < 1 or math.prod(shape) * np.dtype(dtype).itemsize > most_bytes:
        raise BrokenError("an array of another kind or size came")
    array = np.empty(shape, dtype)
    room, filled = array.reshape(-1).view(np.uint8).data, 0
    while filled < len(room) and (count := stream.readinto(room[filled:])):  # type: ignore[attr-defined]  # files do
        filled += count
    if filled < len(room):
        raise BrokenError("an array ended early")
    grid = words["grid"]
    place = Grid(
        triple(int(n) for n in grid["size"]),
        triple(float(x) for x in grid["spacing_mm"]),
        triple(float(x) for x in grid["origin"]),
        tuple(float(x) for x in grid["direction"]),
    )
    modality = None if words["modality"] is None else str(words["modality"])
    return Volume(array, place, modality, dict(words["meta"]))


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's numbers
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is none of what is sent")
