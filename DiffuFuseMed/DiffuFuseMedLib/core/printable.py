"""Words out of files made fit for a terminal, a log and a page: ROI names, series descriptions, file names.

An escape sequence in one would move the cursor or recolor what stands beside it (CWE-150), a mark of direction would
turn it round, and half a surrogate, as a file name that is no UTF-8 has, cannot be written at all.
"""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 120  # a DICOM long string has 64
ENDS = " ..."
JOINERS = "\u200c\u200d"  # without them Persian and Hindi words are spelled wrong
UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def printable(words: str) -> str:
    """The words on one line: "_" for what is no character to be read, a space for a tab or the end of a line."""
    if words.isprintable():
        return words
    return "".join(map(_shown, words))


def printable_name(words: str) -> str:
    """The same of a name, at most 120 characters."""
    name = printable(words).strip()
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - len(ENDS)] + ENDS


def _shown(character: str) -> str:
    if character in JOINERS or unicodedata.category(character) not in UNPRINTABLE:
        return character
    return " " if character.isspace() and character not in "\x1c\x1d\x1e\x1f" else "_"
