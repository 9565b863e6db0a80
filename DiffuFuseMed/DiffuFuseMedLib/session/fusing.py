"""Fusing: the slices on screen follow the sliders, the volume refines behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.client import EngineError, FusedPicture, FusedVolume, Handle
from ..mrml import slices, volumes
from ..mrml.nodes import set_provenance
from .desk import Desk

QUIET_S = 0.35  # the hand has stopped


class Fusing:
    """One request per view is on its way at a time, and always the newest values follow it.

    version: counts the settings; what is drawn for an older version is replaced, never shown as if it were current.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._version = 0
        self._volume_version = -1  # of the whole volume in the scene
        self._flying: dict[str, Handle] = {}
        self._drawn: dict[tuple[str, int], int] = {}
        self._timer: Any = None
        self._volume: Handle | None = None
        self._rois: Handle | None = None

    def why_not(self) -> str:
        """What the case lacks for a fusion, in words; empty when it can be fused."""
        case = self._desk.case
        if case is None:
            return "no case is open"
        lacks = [name for name, there in (("CT", "CT" in case.volumes), ("MR", bool(self.mris()))) if not there]
        return f"the case has no {' and no '.join(lacks)}" if lacks else ""

    def mris(self) -> list[str]:
        case = self._desk.case
        return [] if case is None else [key for key in case.modalities if key.startswith("MR")]

    def restart(self) -> None:
        """Another case: what was drawn belongs to none."""
        self.stop()
        self._version, self._volume_version = self._version + 1, -1
        self._drawn.clear()
        if reason := self.why_not():
            self._state("none", f"not fused: {reason}")
            return
        self._place()
        self.follow()

    def stop(self) -> None:
        for handle in [*self._flying.values(), self._volume]:
            if handle:
                handle.cancel()
        if self._timer:
            self._timer.cancel()
        self._flying.clear()
        self._volume = self._timer = None

    def follow(self) -> None:
        """The settings changed: draw what is on screen, and the volume once the hand is quiet."""
        if self._desk.case is None or self.why_not():
            return
        self._version += 1
        self._state("working", "following the sliders")
        self.draw_shown()
        self._wait()

    def protect(self, lesion: np.ndarray | None) -> None:
        """lesion: bool [k, j, i] whose border gamma holds from now on; None for none."""
        desk = self._desk
        if desk.case is None or self.why_not():
            return
        try:
            self._rois = desk.engine.replace_rois(desk.case_id, lesion=lesion)
        except EngineError as error:
            desk.complain(error)
            return
        desk.then(self._rois.future, lambda _: None, desk.complain)
        self._drawn.clear()
        self.follow()

    def draw_shown(self) -> None:
        """Slices on screen that are not of the present settings."""
        for node in self._desk.slice_nodes():
            self._draw(node)

    def stale_views(self) -> set[str]:
        """Ids of slice nodes whose picture is of earlier settings."""
        if self._desk.case is None or self.why_not():
            return set()
        where = {node.GetID(): self._where(node) for node in self._desk.slice_nodes()}
        return {view for view, at in where.items() if at is not None and not self._is_current(at)}

    def again(self) -> None:
        """After the engine died: ask for what is missing."""
        self._flying.clear()
        self._volume = None
        if self._volume_version != self._version:
            self.follow()

    def _place(self) -> None:
        """The volumes that the fusion is written into."""
        desk = self._desk
        for role, name in (("fused", "Fused"), ("fusion_uncertainty", "Fusion uncertainty")):
            if role not in desk.nodes:
                empty = np.zeros(desk.case.grid.shape, dtype=np.float32)
                desk.nodes[role] = volumes.add_volume(desk.scene, empty, desk.case.grid, name, role=role)

    def _draw(self, slice_node: Any) -> None:
        desk, view = self._desk, slice_node.GetID()
        where = slices.slice_index(slice_node, desk.case.grid) if desk.case else None
        if where is None or view in self._flying or self._is_current(where):
            return
        version, settings = self._version, desk.parameters.fusion_settings()
        try:
            handle = desk.engine.fuse_slice(
                desk.case_id,
                *where,
                settings,
                view=view,
                device=desk.parameters.device,
                mri=self._mri(),
                uncertainty=False,
            )
        except EngineError as error:
            desk.complain(error)
            return
        self._flying[view] = handle

        def end() -> None:
            if self._flying.get(view) is handle:
                del self._flying[view]

        def done(picture: FusedPicture) -> None:
            end()
            self._take(where, version, picture)
            if version != self._version or self._where(slice_node) != where:
                self._draw(slice_node)  # the newest values, or the slice scrolled to meanwhile

        desk.then(handle.future, done, lambda error: (end(), self._failed(error)))

    def _take(self, where: tuple[str, int], version: int, picture: FusedPicture) -> None:
        fused = self._desk.nodes.get("fused")
        if fused is None or self._volume_version == self._version or self._drawn.get(where, -1) > version:
            return
        volumes.set_slice(fused, *where, picture.image)
        self._drawn[where] = version
        self._desk.tell("fusion")

    def _is_current(self, where: tuple[str, int]) -> bool:
        return self._volume_version == self._version or self._drawn.get(where) == self._version

    def _where(self, slice_node: Any) -> tuple[str, int] | None:
        return slices.slice_index(slice_node, self._desk.case.grid) if self._desk.case else None

    def _mri(self) -> str | None:
        return self._desk.parameters.mri or None

    def _wait(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._desk.host.later(QUIET_S, self._refine)

    def _refine(self) -> None:
        desk, version = self._desk, self._version
        self._timer = None
        self._state("working", "refining the volume")

        def progress(share: float, words: str, _: float | None) -> None:
            desk.host.post(lambda: self._advance(version, share, words))

        try:
            settings = desk.parameters.fusion_settings()
            device = desk.parameters.device
            self._volume = desk.engine.fuse_volume(desk.case_id, settings, device, self._mri(), progress)
        except EngineError as error:
            self._failed(error)
            return
        desk.then(self._volume.future, lambda volume: self._refined(version, volume), self._failed)

    def _advance(self, version: int, share: float, words: str) -> None:
        if version == self._version and self._desk.screen.fusion == "working":
            self._desk.screen.fusion_share = share
            self._state("working", f"refining the volume: {words}")

    def _refined(self, version: int, volume: FusedVolume) -> None:
        desk = self._desk
        if version != self._version or "fused" not in desk.nodes:
            return
        volumes.set_array(desk.nodes["fused"], volume.image)
        volumes.set_array(desk.nodes["fusion_uncertainty"], volume.uncertainty)
        for role in ("fused", "fusion_uncertainty"):
            set_provenance(desk.nodes[role], {**volume.provenance, "timings_s": volume.timings})
        self._volume_version, self._volume = version, None
        self._drawn.clear()
        self._state("ready", f"fused in {sum(volume.timings.values()):.1f} s" if volume.timings else "fused")
        desk.tell("layers")

    def adopt(self) -> None:
        """The fused volume of a scene that was opened is of its own settings."""
        self._version += 1
        self._volume_version = self._version
        self._state("ready", "as saved")

    def _failed(self, error: BaseException) -> None:
        if getattr(error, "code", "") in ("superseded", "cancelled", "closed"):
            return
        self._state("stale", "the last picture is of earlier settings")
        self._desk.complain(error)

    def _state(self, state: str, words: str) -> None:
        self._desk.screen.fusion, self._desk.screen.fusion_words = state, words
        self._desk.tell("fusion")
