"""Exactly two or three values, as a tuple whose length a type checker knows: what runs along the axes of an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def pair(values: Iterable[T]) -> tuple[T, T]:
    """Both values; ValueError for another number of them."""
    first, second = values
    return first, second


def triple(values: Iterable[T]) -> tuple[T, T, T]:
    """All three values; ValueError for another number of them."""
    first, second, third = values
    return first, second, third
