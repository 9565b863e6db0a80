"""A review as JSON text, for a scene or a file, and back; nothing of the patient is in it but the regions' voxels."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import ndimage

from ..core.errors import InputError, input_error
from ..core.fields import wrong_field
from ..core.grid import Grid
from .decisions import Decision
from .regions import Region, Worklist

FORMAT = "DiffuFuseMed review 1"


def to_json(worklist: Worklist, decisions: Mapping[int, Decision]) -> str:
    """Labels are cut to their bounding box, packed by zlib (little-endian uint16) and written in base64."""
    content = {
        "format": FORMAT,
        "grid": asdict(worklist.grid),
        "regions": [asdict(region) for region in worklist.regions],
        "labels": _packed(worklist.labels),
        "expected_error_mm3": worklist.expected_error_mm3,
        "left_over_mm3": worklist.left_over_mm3,
        "decisions": [asdict(decision) for _, decision in sorted(decisions.items())],
    }
    return json.dumps(content, allow_nan=False)


def from_json(text: str) -> tuple[Worklist, dict[int, Decision]]:
    """What to_json() was given. Raises InputError for anything else."""
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError("another format")
        return _worklist(content), {d["region_id"]: Decision(**_checked(d, Decision)) for d in content["decisions"]}
    except (ValueError, TypeError, LookupError, AttributeError, zlib.error, InputError) as error:
        raise input_error("a review that cannot be read", f"one in the format {FORMAT!r}", "review again") from error


def _worklist(content: dict[str, Any]) -> Worklist:
    grid = Grid(**{name: tuple(values) for name, values in content["grid"].items()})
    regions = tuple(_region(values) for values in content["regions"])
    labels = _unpacked(content["labels"], grid)
    ids = [region.id for region in regions]
    if ids != list(range(1, len(ids) + 1)) or set(np.unique(labels)) - {0} != set(ids):
        raise ValueError("labels and regions do not fit")
    return Worklist(regions, labels, grid, float(content["expected_error_mm3"]), float(content["left_over_mm3"]))


def _region(values: dict[str, Any]) -> Region:
    region = Region(**{**_checked(values, Region), "center_lps": tuple(values["center_lps"])})
    numbers = (*region.center_lps, region.volume_mm3, region.expected_error_mm3, region.uncertainty)
    if len(region.center_lps) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError("no region")
    return region


def _checked(values: dict[str, Any], kind: type) -> dict[str, Any]:
    if wrong := wrong_field(values, kind):
        raise ValueError(wrong)
    return values


def _packed(labels: np.ndarray) -> dict[str, Any]:
    found = ndimage.find_objects((labels > 0).astype(np.uint8))
    box = found[0] if found else (slice(0, 0),) * 3
    data = zlib.compress(np.ascontiguousarray(labels[box], "<u2").tobytes(), 9)
    return {"start": [p.start for p in box], "stop": [p.stop for p in box], "data": base64.b64encode(data).decode()}


def _unpacked(packed: dict[str, Any], grid: Grid) -> np.ndarray:
    box = tuple(slice(a, b) for a, b in zip(packed["start"], packed["stop"], strict=True))
    labels = np.zeros(grid.shape, np.uint16)
    # The box is known before the data, so no more is unpacked than fits into it.
    size = labels[box].nbytes
    data = zlib.decompressobj().decompress(base64.b64decode(packed["data"], validate=True), size + 1)
    if len(data) != size:
        raise ValueError("labels of another size")
    labels[box] = np.frombuffer(data, "<u2").reshape(labels[box].shape)
    return labels
