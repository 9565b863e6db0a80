"""Which modality a file holds, by the words of its name."""

from __future__ import annotations

import re
from itertools import pairwise

from ..core.errors import InputError, input_error
from ..core.modalities import MODALITIES, contrasts, is_mr, spec_of
from . import contrast_agent
from .image_words import LOCALIZER_WORDS, PROJECTION_WORDS, T2_STAR, contrast_named, other_words

EXTENSION = re.compile(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$")
# "sub" of BIDS is no subtraction, and the letters of "CE012" name nobody's contrast agent.
SUBJECT = re.compile(r"^sub-[a-z0-9]+|^(?!t[12](?!\d))[a-z]{1,8}[-_ ]?\d+(?![a-z0-9])")
NO_WORD = "no word for its modality"
UNCORRECTED = re.compile(r"nac|non? ?ac|un ?corr(ected)?|not corrected|ohne ak")


def modality_from_name(name: str) -> str:
    """The modality key of a file name such as patient7_CT.nii.gz or sub-01_ce-gad_T1w.nii.gz; whole words only, upper
    or lower case. Of an MR, words of a contrast agent count as they do in a DICOM series ("T1_post").

    Raises InputError when no word, or words of several modalities, are in the name, and for one that says it is no such
    image: a map, a subtraction, a localizer, a projection, a PET without attenuation correction.
    """
    stem = re.split(r"[\\/]", name)[-1]
    words = re.split(r"[^A-Z0-9]+", stem.upper())
    known = {word: key for key, spec in MODALITIES.items() for word in spec.words}
    found = {known[word] for word in words if word in known}
    text = SUBJECT.sub("", EXTENSION.sub("", stem.lower())).replace("_", " ")
    if other := found and _other(text, found):
        raise _unknown(f"file '{stem}' whose name says '{other}'")
    if len(found) > 1 and all(is_mr(key) for key in found):
        found = {key for key in [_contrast(text, found)] if key} or found
    if len(found) == 1:
        [key] = found
        return _contrast(text, found) or key
    raise _unknown(f"file '{stem}' whose name holds {'words of several modalities' if found else NO_WORD}")


def _contrast(text: str, found: set[str]) -> str | None:
    """Of MR keys, the one that all words together name."""
    if not found.issubset(contrasts()):
        return None
    told = any(contrasts()[key].agent for key in found)
    return contrast_named(text, told or contrast_agent.said(text) is True)


def _other(text: str, found: set[str]) -> str:
    """The word that says it is no such image, "" where there is none."""
    words = [word for word in re.split(r"[^a-z0-9]+", text) if word]
    for word in (*words, *(" ".join(pair) for pair in pairwise(words))):
        if PROJECTION_WORDS.fullmatch(word) or LOCALIZER_WORDS.fullmatch(word):
            return word
        if any(spec_of(key).scale == "SUV" for key in found) and UNCORRECTED.fullmatch(word):
            return word
        if all(is_mr(key) for key in found) and _of_other_mr(word):
            return word
    star = T2_STAR.search(text) if all(is_mr(key) for key in found) else None
    return star[0] if star else ""


def _of_other_mr(word: str) -> bool:
    """b-values are left to the words beside them: "b100" is as often a patient."""
    own = {word for spec in MODALITIES.values() for word in spec.words}
    return other_words(word) == [word] and not re.fullmatch(r"b ?\d+", word) and word.upper() not in own


def _unknown(given: str) -> InputError:
    words = sorted(word for spec in MODALITIES.values() for word in spec.words)
    return input_error(given, "one of " + ", ".join(words), "name the modality or rename the file")
