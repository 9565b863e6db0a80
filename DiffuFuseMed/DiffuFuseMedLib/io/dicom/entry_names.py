"""What the ROIs of a structure set and the segments of a SEG are called: each by a name of its own."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.printable import printable_name

MOST_LISTED = 12


def told_apart(entries: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Printable names by number; one given twice gets its number appended."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for number, words in entries:
        name = printable_name(words)
        while name in taken:
            name = f"{name} ({number})"
        taken.add(name)
        names[number] = name
    return names


def listed(names: Iterable[str]) -> str:
    """For a sentence: the first twelve, and how many more there are."""
    known = list(names)
    more = len(known) - MOST_LISTED
    return ", ".join(known[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
