"""What a case's images are encoded to, kept between runs: a modality switched off and on is not encoded again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from typing import Any

BOUND_BYTES = 512 * 2**20


class Encodings:
    """Values by key up to bound_bytes. A full cache takes nothing more: a run goes through its windows in the same
    order each time, and pushing out the oldest would lose each one just before it is wanted."""

    def __init__(self, bound_bytes: int = BOUND_BYTES) -> None:
        self.bound_bytes, self.used_bytes, self.hits, self.misses = bound_bytes, 0, 0, 0
        self._values: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of the key, made when it is not there."""
        with self._lock:
            if key in self._values:
                self.hits += 1
                return self._values[key]
            self.misses += 1
        value = make()
        size = sum(_bytes_of(value))
        with self._lock:
            if key not in self._values and self.used_bytes + size <= self.bound_bytes:
                self._values[key] = value
                self.used_bytes += size
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self.used_bytes = 0


def _bytes_of(value: Any) -> Iterable[int]:
    """The sizes of all arrays or tensors in nested lists and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _bytes_of(item)
    else:
        yield getattr(value, "nbytes", 0)
