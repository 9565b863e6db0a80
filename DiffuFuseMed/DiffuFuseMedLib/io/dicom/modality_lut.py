"""The Modality LUT (DICOM PS3.3 C.11.1): values by a table, in place of slope and intercept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from ...core.errors import InputError, input_error
from .tags import numbers, value_of

SEQUENCE = "ModalityLUTSequence"
MOST_ENTRIES = 1 << 16
WHAT = "a DICOM slice"


@dataclass(frozen=True)
class ModalityTable:
    """entries: values of the stored pixels from `first` on; those below and above have the first and the last one.
    kind: ModalityLUTType (0028,3004), such as HU, empty where it is not told."""

    entries: np.ndarray
    first: int
    kind: str

    def applied(self, stored: np.ndarray) -> np.ndarray:
        """float32 of the same shape."""
        return self.entries[np.clip(stored.astype(np.int64) - self.first, 0, len(self.entries) - 1)]


def modality_table(dataset: Dataset) -> ModalityTable | None:
    """The dataset's table, None where it has none. Raises InputError for one that is not whole, and beside a slope,
    where nothing says which of the two holds."""
    items = value_of(dataset, SEQUENCE)
    if not items:
        return None
    if value_of(dataset, "RescaleSlope") is not None:
        raise input_error(f"{WHAT} with RescaleSlope and a Modality LUT", "one of the two", "export the series again")
    item = items[0]
    descriptor, kind = numbers(item, "LUTDescriptor", 3), str(value_of(item, "ModalityLUTType") or "").strip().upper()
    entries = _entries(item)
    if descriptor is None or entries is None:
        raise _not_whole()
    count, first = int(descriptor[0]) or MOST_ENTRIES, int(descriptor[1])
    if len(entries) not in (count, count + 1):  # an odd number of bytes is padded
        raise _not_whole()
    if kind == "HU":  # entries have no sign, so negative ones are written as two's complement
        entries = np.where(entries >= 1 << 15, entries - (1 << 16), entries).astype(np.float32)
    signed = value_of(dataset, "PixelRepresentation") == 1
    first -= MOST_ENTRIES if signed and first >= MOST_ENTRIES // 2 else 0
    return ModalityTable(entries[:count], first, kind)


def _entries(item: Dataset) -> np.ndarray | None:
    """float32; None where there are none. Words, whichever way the tag is packed: 8 bits only where told so."""
    raw, descriptor = value_of(item, "LUTData"), numbers(item, "LUTDescriptor", 3)
    if raw is None or descriptor is None:
        return None
    if isinstance(raw, bytes):
        return np.frombuffer(raw, "u1" if len(raw) <= descriptor[0] + 1 else "<u2").astype(np.float32)
    try:
        return np.atleast_1d(np.asarray(raw, np.float32))
    except (TypeError, ValueError):
        return None


def _not_whole() -> InputError:
    given = f"{WHAT} whose Modality LUT (0028,3000) is not whole"
    return input_error(given, "a descriptor and as many entries as it says", "export the series with rescaled values")
