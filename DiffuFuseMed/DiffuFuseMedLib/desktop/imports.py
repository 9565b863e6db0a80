"""What a scene brings in: a case to take up where none is open, plain volumes where one is."""

from __future__ import annotations

from typing import Any

from ..mrml import parameters, tables
from ..mrml.nodes import find, set_tag
from ..mrml.volumes import ROLE

RECORDS = (tables.TEXT, tables.TABLE, parameters.TAG)


class Imports:
    """Tells the nodes of this program that were in the scene before an import from those that came with it.

    Slicer adds what it imports to the scene, so that records and roles may be there twice; whoever reads them later
    could mix two cases.
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._before: list[Any] = []

    def begin(self) -> None:
        self._before = self._records() + find(self._scene, ROLE)

    def keep_mine(self) -> bool:
        """A case is open: what came of another one is plain volumes, without its records; whether there was any."""
        came = [node for node in self._records() if node not in self._before]
        strangers = [node for node in find(self._scene, ROLE) if node not in self._before]
        for node in strangers:
            set_tag(node, ROLE, None)
        for node in came:
            self._scene.RemoveNode(node)
        return bool(strangers)

    def keep_theirs(self) -> None:
        """No case is open: records that came take the place of those that were left over."""
        for key in RECORDS:
            nodes = find(self._scene, key)
            if any(node not in self._before for node in nodes):
                for node in filter(self._before.__contains__, nodes):
                    self._scene.RemoveNode(node)

    def _records(self) -> list[Any]:
        return [node for key in RECORDS for node in find(self._scene, key)]
