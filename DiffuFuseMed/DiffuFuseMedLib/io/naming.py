"""Which modality a file holds, by the words of its name."""

from __future__ import annotations

import re

from ..core.errors import input_error
from ..core.volume import UNITS

WORDS = {
    "CT": ("CT",),
    "PET": ("PET", "PT"),
    "MR_T1": ("T1",),
    "MR_T2": ("T2",),
    "MR_FLAIR": ("FLAIR", "FLA"),
    "MR_T1C": ("T1C", "T1CE", "T1GD"),
    "SPECT": ("SPECT",),
}
_BY_WORD = {word: modality for modality, words in WORDS.items() for word in words}


def modality_from_name(name: str) -> str:
    """The modality key of a file name such as STS_010_CT.nii.gz; whole words only, upper or lower case.

    Raises InputError when no word, or words of several modalities, are in the name.
    """
    stem = re.split(r"[\\/]", name)[-1]
    words = re.split(r"[^A-Z0-9]+", stem.upper())
    found = {_BY_WORD[word] for word in words if word in _BY_WORD}
    if len(found) == 1:
        return found.pop()
    given = f"file '{stem}' whose name holds {'words of several modalities' if found else 'no word for its modality'}"
    raise input_error(given, "one of " + ", ".join(sorted(_BY_WORD)), "name the modality or rename the file")


def units_of(modality: str) -> str:
    """The unit a Volume of this modality is in."""
    return UNITS.get(modality, "MR units")
