"""Which modality a file holds, by the words of its name."""

from __future__ import annotations

import re

from ..core.errors import input_error
from ..core.modalities import MODALITIES


def modality_from_name(name: str) -> str:
    """The modality key of a file name such as patient7_CT.nii.gz; whole words only, upper or lower case.

    Raises InputError when no word, or words of several modalities, are in the name.
    """
    stem = re.split(r"[\\/]", name)[-1]
    words = re.split(r"[^A-Z0-9]+", stem.upper())
    known = {word: key for key, spec in MODALITIES.items() for word in spec.words}
    found = {known[word] for word in words if word in known}
    if len(found) == 1:
        return found.pop()
    given = f"file '{stem}' whose name holds {'words of several modalities' if found else 'no word for its modality'}"
    raise input_error(given, "one of " + ", ".join(sorted(known)), "name the modality or rename the file")
