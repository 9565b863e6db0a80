"""PET nuclides: half-lives in seconds (NIST / DDEP), and how the tags of an injection name them.

Codes are those of DICOM PS3.16 CID 4020, SRT (old) and SCT or DCM.
"""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from .tags import value_of

NUCLIDES = {
    "F-18": (6586.2, ("C-111A1", "77004003")),
    "C-11": (1221.8, ("C-105A1", "40565003")),
    "N-13": (597.9, ("C-107A1", "21576001")),
    "O-15": (122.2, ("C-B1038", "129504001")),
    "Na-22": (8.21e7, ("C-155A1", "71633006")),
    "Sc-44": (14550.0, ("126600",)),
    "Cu-62": (580.4, ("C-127A5", "422934004")),
    "Cu-64": (45723.0, ("C-127A2", "3932008")),
    "Ga-66": (34164.0, ("C-131A1", "79477007")),
    "Ga-68": (4062.6, ("C-131A3", "35337001")),
    "Ge-68": (2.341e7, ("C-128A2", "53315004")),
    "Rb-82": (75.45, ("C-159A2", "79197006")),
    "Y-86": (53064.0, ("C-162A3", "10738001")),
    "Y-90": (230580.0, ("C-162A7", "14691008")),
    "Zr-89": (282280.0, ("C-168A4", "63360001")),
    "I-124": (360800.0, ("C-114A5", "40937006")),
}
FDG = re.compile(r"(?<![a-z])fdg|desoxyglucose|deoxyglucose")


def coded(drug: Dataset) -> tuple[str, float] | None:
    """Name and half-life of the nuclide that a code names, None where none that is known does."""
    codes = {str(value_of(item, "CodeValue") or "") for item in value_of(drug, "RadionuclideCodeSequence") or []}
    return next(((name, seconds) for name, (seconds, known) in NUCLIDES.items() if codes & set(known)), None)


def named(drug: Dataset) -> tuple[tuple[str, float], ...]:
    """What the code, its meaning and the name of the tracer say, each nuclide once."""
    sequences = ("RadionuclideCodeSequence", "RadiopharmaceuticalCodeSequence")
    items = [item for name in sequences for item in value_of(drug, name) or []]
    words = [str(value_of(item, "CodeMeaning") or "") for item in items]
    text = " ; ".join([*words, str(value_of(drug, "Radiopharmaceutical") or "")]).lower()
    by_code = coded(drug)
    said = [name for name in NUCLIDES if _is_in(name, text) or (name == "F-18" and FDG.search(text))]
    return tuple((name, NUCLIDES[name][0]) for name in dict.fromkeys([*([by_code[0]] if by_code else []), *said]))


def _is_in(name: str, text: str) -> bool:
    """As "F-18", "18F" or "^18^Fluorine"."""
    symbol, mass = name.lower().split("-")
    return bool(re.search(rf"(?<![a-z]){symbol}[\W_]?{mass}(?!\d)|(?<!\d){mass}[\W_]{{0,2}}{symbol}", text))
