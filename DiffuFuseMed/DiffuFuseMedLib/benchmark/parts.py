"""What a page is made of, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells are text. beside: the columns whose figures are a paper's; notes: sentences below it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    beside: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A PNG. name: of its file; says: what is seen, for those who do not see it."""

    title: str
    name: str
    png: bytes
    says: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """A table or figure of a paper that is not filled, and in a sentence why."""

    title: str
    why: str


Part = Table | Picture | Missing
