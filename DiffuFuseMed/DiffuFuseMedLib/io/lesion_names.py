"""Which ROI, segment or file is the lesion, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

GTV = re.compile(r"\bgtv")
LESION = re.compile(r"tumou?r|lesion|sarcoma")
# Drawn next to the lesion and named after it.
NOT_LESION = re.compile(r"o?edema|\bperi ?(tumou?r|lesion)|(tumou?r|lesion) bed|\b(non?|not|without)\b")
ANNOTATOR = re.compile(
    r"(?<![a-z0-9])(?:(reader|rater|observer|annotator|radiologist|annotation|expert)[_\-. ]*([0-9]{1,3}|[a-z])"
    r"|(rad|obs)[_\-. ]*([0-9]{1,3}))(?![a-z0-9])"
)
IN_FULL = {"rad": "radiologist", "obs": "observer"}
MASK_FILE = re.compile(r"^gtv|(^|[_\-. ])(seg|segmentation|mask|label)$")


def lesion_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those that name the lesion: every GTV, else everything called tumor, lesion or sarcoma; may be empty."""
    names = tuple(names)
    gtv = tuple(name for name in names if _is(GTV, name))
    return gtv or tuple(name for name in names if _is(LESION, name))


def is_gtv(name: str) -> bool:
    """Whether the name says gross tumor volume, the firmest of the lesion's names."""
    return _is(GTV, name)


def is_mask_stem(stem: str) -> bool:
    """Whether a file name without its extension is a mask's: GTV..., mask, ..._seg, ..._reader1 and the like."""
    return bool(MASK_FILE.search(stem.lower()) or annotator_in(stem))


def annotator_in(name: str) -> str:
    """Who drew it, as a name says: "GTV_reader1" is by reader 1, "Patient01_Rad02" by radiologist 2; "" where it names
    nobody."""
    found = ANNOTATOR.search(name.lower())
    if not found:
        return ""
    word, which = found[1] or IN_FULL[found[3]], found[2] or found[4]
    return f"{word} {int(which) if which.isdigit() else which.upper()}"


def _is(pattern: re.Pattern[str], name: str) -> bool:
    words = re.sub(r"[_\-.]+", " ", name.lower())
    return bool(pattern.search(words)) and not NOT_LESION.search(words)
