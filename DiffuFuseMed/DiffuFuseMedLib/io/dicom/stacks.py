"""The stacks in one series: what is mixed in it comes apart, a scout that lies in it is left out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.grid import Grid
from .frames import Frame, find_group
from .stack import ordered, stack_grid
from .tags import value_of

SCOUT_SHARE = 1 / 3  # of a series' frames: what lies in other planes is a scout up to this, and no stack beyond
WATER_FIRST = ("W", "WATER", "IN_PHASE", "IP", "IN PHASE")
SAME_PLACE_MM = 1e-2
Key = Callable[[Frame], Any]


@dataclass(frozen=True)
class Stack:
    """frames along k of one Grid; label: what tells it from the other stacks of its series, empty where it is alone."""

    frames: tuple[Frame, ...]
    grid: Grid
    label: str = ""


def stacks_of(frames: Sequence[Frame], name: str, notes: list[str]) -> list[Stack]:
    """The stacks that the frames of a series make, the most useful one first; notes: gets what was done to find them.

    Raises InputError for frames of which no Grid can be made, whichever way they are parted.
    """
    try:
        return [_stack(frames, name)]
    except InputError as error:
        for part in (_without_scout, _parted):
            if found := part(frames, name, notes):
                return found
        raise error


def _stack(frames: Sequence[Frame], name: str, label: str = "") -> Stack:
    sorted_frames = ordered(list(frames), name)
    return Stack(tuple(sorted_frames), stack_grid(sorted_frames, name), label)


def _without_scout(frames: Sequence[Frame], name: str, notes: list[str]) -> list[Stack]:
    """The frames in the plane and size of most of them, when the others are few."""
    planes: dict[tuple, list[Frame]] = {}
    for frame in frames:
        planes.setdefault(_plane(frame), []).append(frame)
    most = max(planes.values(), key=len)
    others = len(frames) - len(most)
    if not 0 < others <= SCOUT_SHARE * len(frames):
        return []
    try:
        found = [_stack(most, name)]
    except InputError:
        return []
    notes.append(f"{others} images of {name} lie in another plane or size than its slices and were left out.")
    return found


def _plane(frame: Frame) -> tuple:
    place = np.round([*frame.row, *frame.column, *frame.spacing_mm], 2)
    return (*(place + 0.0), value_of(frame.dataset, "Rows"), value_of(frame.dataset, "Columns"))


def _parted(frames: Sequence[Frame], name: str, notes: list[str]) -> list[Stack]:
    """The stacks by the first tag, or two, whose values tell frames at the same place apart."""
    for words, keys in _distinctions():
        groups = _grouped(frames, keys)
        if groups and (found := _stacks(groups, words, name)):
            told = ", ".join(stack.label for stack in found)
            notes.append(f"{name[0].upper()}{name[1:]} holds {len(found)} images ({told}): each was read on its own.")
            return found
    return []


def _distinctions() -> list[tuple[str, tuple[Key, ...]]]:
    one = [(words, (key,)) for words, key in MIXED]
    two = [(f"{a} and {b}", (key, other)) for (a, key), (b, other) in itertools.combinations(MIXED, 2)]
    return [*one, *two]


def _grouped(frames: Sequence[Frame], keys: tuple[Key, ...]) -> dict[tuple, list[Frame]]:
    """Frames by the keys' values; empty unless there are several and no group has two frames at one place."""
    groups: dict[tuple, list[Frame]] = {}
    for frame in frames:
        groups.setdefault(tuple(key(frame) for key in keys), []).append(frame)
    if len(groups) < 2 or any(None in values for values in groups):
        return {}
    return groups if all(_apart(group) for group in groups.values()) else {}


def _apart(group: list[Frame]) -> bool:
    depths = sorted(float(frame.position_mm @ np.cross(group[0].row, group[0].column)) for frame in group)
    return len(group) > 1 and bool(min(np.diff(depths)) > SAME_PLACE_MM)


def _stacks(groups: dict[tuple, list[Frame]], words: str, name: str) -> list[Stack]:
    try:
        return [_stack(groups[values], name, f"{words} {_told(values)}") for values in sorted(groups, key=_rank)]
    except InputError:
        return []


def _told(values: tuple) -> str:
    return " and ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _rank(values: tuple) -> tuple:
    """Water and in-phase images before fat, early before late, low b-values before high ones."""
    kinds = [part for value in values if isinstance(value, str) for part in value.split("/")]
    return (not set(kinds) & set(WATER_FIRST), *[(isinstance(v, str), v) for v in values])


def b_value(frame: Frame) -> float | None:
    """In s/mm2: the standard's tag, else those of Siemens, Philips and GE; None for an image without diffusion."""
    dataset = frame.dataset
    for value in (_number(frame, "DiffusionBValue", "MRDiffusionSequence"), *_private_b_values(dataset)):
        if value is not None:
            return value
    return None


def _private_b_values(dataset: Any) -> list[float | None]:
    found: list[float | None] = []
    for tag in ((0x0019, 0x100C), (0x2001, 0x1003), (0x0043, 0x1039)):
        raw = dataset[tag].value if tag in dataset else None
        first = raw[0] if isinstance(raw, (list, tuple)) or (hasattr(raw, "__len__") and raw) else raw
        try:
            found.append(None if first is None else float(first) % 1e5)  # GE adds flags as whole hundred thousands
        except (TypeError, ValueError):
            found.append(None)
    return found


def _number(frame: Frame, keyword: str, group: str) -> float | None:
    value = _value(frame, keyword, group)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _value(frame: Frame, keyword: str, group: str) -> Any:
    holder = frame.dataset if frame.index is None else find_group(frame.dataset, frame.index, group)
    return None if holder is None else value_of(holder, keyword)


def _image_type(frame: Frame) -> str | None:
    value = (
        value_of(frame.dataset, "ImageType")
        if frame.index is None
        else _value(frame, "FrameType", "MRImageFrameTypeSequence")
    )
    return None if value is None else "/".join(str(part).strip().upper() for part in value)


def _first_dimension(frame: Frame) -> float | None:
    value = _value(frame, "DimensionIndexValues", "FrameContentSequence") if frame.index is not None else None
    return None if not value else float(value[0])


def _of(group: str, keyword: str, enhanced: str | None = None) -> Key:
    """The number in `keyword`; in an enhanced image, `enhanced` of the frame's functional group."""
    return lambda frame: _number(frame, keyword if frame.index is None else enhanced or keyword, group)


# What tells the frames of a mixed series apart, in this order: diffusion, Dixon and phase images, echoes, time points.
MIXED: tuple[tuple[str, Key], ...] = (
    ("b-value", b_value),
    ("image type", _image_type),
    ("echo time", _of("MREchoSequence", "EchoTime", "EffectiveEchoTime")),
    ("echo", _of("MREchoSequence", "EchoNumbers")),
    ("inversion time", _of("MRModifierSequence", "InversionTime", "InversionTimes")),
    ("time point", _of("FrameContentSequence", "TemporalPositionIdentifier", "TemporalPositionIndex")),
    ("trigger time", _of("CardiacSynchronizationSequence", "TriggerTime", "NominalCardiacTriggerDelayTime")),
    ("stack", _of("FrameContentSequence", "StackID")),
    ("acquisition", _of("FrameContentSequence", "AcquisitionNumber", "FrameAcquisitionNumber")),
    ("dimension", _first_dimension),
)
