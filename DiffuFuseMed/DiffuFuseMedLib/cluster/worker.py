"""A worker: the body of an actor, in a process of its own on some node; no ray here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..core.errors import input_error, reason_of
from .shared_folder import Proof, why_not_seen
from .work import Outcome, Work


class Worker:
    """Prepares once and then does item by item."""

    def __init__(self, work: Work, device: str, place: str) -> None:
        self._work, self._device, self._place = work, device, place
        self._prepared: Any = None

    def prepare(self, version: str, proofs: Sequence[Proof]) -> str:
        """Check the node and load what the work needs. Returns why it cannot work here, "" where it can."""
        try:
            self._check(version, proofs)
            self._prepared = self._work.prepare(self._device)
        except Exception as error:  # whatever it is, other nodes may do better
            return f"{self._place}: {reason_of(error)}"
        return ""

    def _check(self, version: str, proofs: Sequence[Proof]) -> None:
        if version != __version__:
            given = f"a node with DiffuFuseMed {__version__}"
            raise input_error(given, f"{version}, as the machine has that asks it", "install one version on all nodes")
        for error in filter(None, map(why_not_seen, proofs)):
            raise error

    def do(self, item: Any) -> Outcome:
        """One item; whatever it raises is the reason of a failure."""
        began = time.monotonic()
        try:
            result, reason = self._work.do(self._prepared, item), ""
        except Exception as error:
            result, reason = None, reason_of(error)
        return Outcome(item, result, reason, self._place, time.monotonic() - began)
