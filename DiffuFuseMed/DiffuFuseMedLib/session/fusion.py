"""FusionLogic: the slices on screen follow the sliders, the volume refines behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.maps import MAPS
from ..engine.client.engine import EngineError, FusedPicture, FusedVolume, Handle
from ..mrml import slices, volumes
from ..mrml.nodes import provenance, set_provenance
from ..preprocessing.fusion_limits import field_of_view_words, marrow_words
from ..preprocessing.fusion_sources import mr_keys, mr_of, why_no_fusion
from ..preprocessing.gray import ct_gray
from .alarm import Alarm
from .border_protection import BorderProtection
from .context import SessionContext
from .events import Topic
from .picture_scheduler import PATIENCE_S, PictureScheduler

AGAIN_S = 0.5  # after the engine died
MOST_AGAIN = 2  # without a picture in between: then it is the request that the engine dies of
UNFINISHED = "unfinished"
ROLES = ("fused", "fusion_uncertainty")
EARLIER, UNFUSED = "earlier settings, drawing", "the CT, not fused yet"
NO_LESION = "gamma is off, there is no lesion: run the segmentation, then accept what it found"
NOT_ACCEPTED = (
    "gamma is off, it would draw the model's guess into the picture: accept the lesion, or every region of the worklist"
)
NOT_DRAWN = "gamma is off, the lesion's border is left out of the picture: switch it on below"


class FusionLogic:
    """What is asked of the engine and written into the scene; PictureScheduler says when.

    version: counts the settings; what is drawn for an older version is replaced, never shown as if it were current.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._version = 0
        self._volume_version = -1  # of the whole volume in the scene
        self._ever_whole = False  # whether all of it was fused once, however long ago
        self._drawn: dict[tuple[str, int], int] = {}
        self._rough: set[tuple[str, int]] = set()  # drawn before the engine had found soft tissue and bone exactly
        self._scheduler = PictureScheduler(context, self._show, self._refine)
        self._again, self._times_again = Alarm(context), 0
        self._volume: Handle | None = None
        self._border_protection = BorderProtection(context, self._failed)
        self._limits_of: tuple[Any, str | None, tuple[str, ...]] = (None, None, ())
        self._held = False  # the engine's case is about to be another one

    def why_not(self) -> str:
        """What the case lacks for a fusion, in words; empty when it can be fused."""
        case = self._context.case
        if case is None:
            return "no case is open"
        return why_no_fusion(case) or ""

    def mris(self) -> list[str]:
        case = self._context.case
        return [] if case is None else mr_keys(case)

    def restart(self) -> None:
        """Another case: what was drawn belongs to none."""
        self.stop()
        self._ever_whole = False
        if reason := self.why_not():
            self._state("none", f"not fused: {reason}")
            return
        self._place()
        self.follow()

    def stop(self) -> None:
        """Nothing that is on its way will be drawn."""
        self._scheduler.stop()
        self._again.cancel()
        if self._volume:
            self._volume.cancel(PATIENCE_S)
        self._volume = None
        self._drawn.clear()
        self._rough.clear()
        self._border_protection.forget()
        self._held = False
        self._version, self._volume_version, self._times_again = self._version + 1, -1, 0

    def hold(self) -> None:
        """An image moves: what is drawn is of its place before, and nothing is asked for until release()."""
        self._held = True
        if not self.why_not():
            self._outdate()
            self._version += 1
            self._state("working", "waiting for the moved image")

    def release(self) -> None:
        """The engine has the images where they are; whoever calls this lets the fusion follow()."""
        self._held = False

    def follow(self) -> None:
        """The settings changed: draw what is on screen, and the volume once the hand is quiet."""
        if self.why_not() or self._held:
            return
        self._outdate()
        self._version += 1
        self._state("working", "following the sliders")
        self.draw_shown()
        self._scheduler.moved()

    def protect(self, lesion: np.ndarray | None) -> None:
        """lesion: bool [k, j, i] whose border gamma draws from now on; None for none."""
        if not self.why_not():
            self._version += 1
            self._outdate()
            self._state("working", "following the lesion")
            self._follow_lesion(self._border_protection.send(lesion))

    def go_first(self, view: str) -> None:
        """view: id of the slice node in whose view the reader works: its picture comes before those of the others."""
        self._scheduler.go_first(view)

    def draw_shown(self) -> None:
        """Slices on screen that are not of the present settings."""
        if not (self.why_not() or self._held):
            for node in self._scheduler.views():
                self._draw(node)

    def stale_views(self) -> dict[str, str]:
        """What the picture is, in words, by the id of each slice node where it is not of the present settings. An
        oblique one is not until the volume is there."""
        if self.why_not() or self._volume_version == self._version:
            return {}
        where = {node.GetID(): self._where(node) for node in self._context.slice_nodes()}
        stale = {view: at for view, at in where.items() if at is None or not self._is_current(at)}
        return {view: EARLIER if self._ever_whole or at in self._drawn else UNFUSED for view, at in stale.items()}

    def adopt(self) -> None:
        """The fused volume of a scene that was opened: of its settings, unless it was saved in the middle."""
        self.stop()
        self._place()
        if UNFINISHED in provenance(self._context.nodes["fused"]):
            self.follow()
            return
        self._volume_version, self._ever_whole = self._version, True
        self._state("ready", "as saved")

    def _place(self) -> None:
        """The volumes that the fusion is written into. Until then there is the CT, as gray as it goes into the fusion:
        the reader sees the anatomy instead of nothing, and each view says what it is."""
        context, case = self._context, self._context.opened
        firsts = {
            "fused": lambda: ct_gray(case.volumes["CT"], case.valid["CT"], context.parameters.ct_window_hu),
            "fusion_uncertainty": lambda: np.zeros(case.grid.shape, dtype=np.float32),
        }
        for (role, first), name in zip(firsts.items(), ("Fused", MAPS["fusion"].node), strict=True):
            if role not in context.nodes:
                context.nodes[role] = volumes.add_volume(context.scene, first(), case.grid, name, role=role, share=True)
                set_provenance(context.nodes[role], {UNFINISHED: True})

    def _outdate(self) -> None:
        """From now on the volume is a mixture, whose uncertainty nobody knows."""
        nodes = self._context.nodes
        if self._volume_version != self._version:
            return
        for role in ROLES:
            set_provenance(nodes[role], {UNFINISHED: True})
        uncertainty = volumes.array_of(nodes["fusion_uncertainty"])
        uncertainty[...] = 0
        volumes.voxels_changed(nodes["fusion_uncertainty"])

    def _follow_lesion(self, sent: bool) -> None:
        """What was drawn is of the lesion before."""
        if sent:
            self._drawn.clear()
            self.follow()

    def _draw(self, slice_node: Any) -> None:
        view, where = slice_node.GetID(), self._where(slice_node)
        if where is None or self._scheduler.is_flying(view) or self._is_current(where):
            return
        version, landed = self._version, self._scheduler.landed
        try:
            handle = self._ask(where, view)
        except EngineError as error:
            self._failed(error)
            return
        self._scheduler.fly(view, handle)

        def done(picture: FusedPicture) -> None:
            if landed(view, handle):
                self._take(where, version, picture, view)
                if version != self._version or self._where(slice_node) != where:
                    self._draw(slice_node)  # the newest values, or the slice scrolled to meanwhile

        def failed(error: BaseException) -> None:
            if landed(view, handle):
                self._failed(error)

        self._context.then(handle.future, done, failed)

    def _ask(self, where: tuple[str, int], view: str) -> Handle:
        context, chosen = self._context, self._context.parameters
        settings, mri = chosen.fusion_settings(), chosen.mri or None
        return context.engine.fuse_slice(
            context.opened_id, *where, settings, view, device=chosen.device, mri=mri, uncertainty=False
        )

    def _take(self, where: tuple[str, int], version: int, picture: FusedPicture, view: str) -> None:
        self._times_again = 0
        if self._volume_version == self._version or self._drawn.get(where, -1) > version:
            return
        volumes.set_slice(self._context.nodes["fused"], *where, picture.image, tell=False)
        self._drawn[where] = version
        (self._rough.add if picture.rough else self._rough.discard)(where)
        self._scheduler.written(view)

    def _show(self) -> None:
        """What was written since the last time."""
        volumes.voxels_changed(self._context.nodes["fused"])
        self._context.tell(Topic.FUSION)

    def _is_current(self, where: tuple[str, int]) -> bool:
        return self._volume_version == self._version or self._drawn.get(where) == self._version

    def _where(self, slice_node: Any) -> tuple[str, int] | None:
        return slices.slice_index(slice_node, self._context.case.grid) if self._context.case else None

    def _refine(self) -> None:
        if self._held:
            return
        context, version, chosen = self._context, self._version, self._context.parameters
        self._state("working", "refining the volume")

        def progress(share: float, words: str, _: float | None) -> None:
            context.post(lambda: self._advance(version, share, words))

        try:
            handle = self._volume = context.engine.fuse_volume(
                context.opened_id, chosen.fusion_settings(), chosen.device, chosen.mri or None, progress
            )
        except EngineError as error:
            self._failed(error)
            return
        context.then(
            handle.future,
            lambda volume: self._refined(version, volume),
            lambda error: self._failed(error) if handle is self._volume else None,
        )

    def _advance(self, version: int, share: float, words: str) -> None:
        if version == self._version and self._context.view_state.fusion == "working":
            self._state("working", f"refining the volume: {words}", share)
        if share and self._rough:
            self._draw_again()

    def _draw_again(self) -> None:
        """The engine has found soft tissue and bone: what was drawn without them is of no present settings."""
        for where in self._rough:
            self._drawn.pop(where, None)
        self._rough.clear()
        self.draw_shown()

    def _refined(self, version: int, volume: FusedVolume) -> None:
        context = self._context
        if version != self._version:
            return
        self._times_again = 0
        for role, array in zip(ROLES, (volume.image, volume.uncertainty), strict=True):
            volumes.set_array(context.nodes[role], array)
            set_provenance(context.nodes[role], {**volume.provenance, "timings_s": volume.timings})
        self._volume_version, self._ever_whole, self._volume = version, True, None
        self._drawn.clear()
        self._state("ready", f"fused in {sum(volume.timings.values()):.1f} s" if volume.timings else "fused")
        context.tell(Topic.LAYERS)

    def _failed(self, error: BaseException) -> None:
        code = getattr(error, "code", "")
        if code in ("superseded", "cancelled", "closed"):
            return
        self._state("stale", "the last picture is of earlier settings")
        self._context.complain(error)
        if code == "died" and not self._again.is_set and self._times_again < MOST_AGAIN:
            self._times_again += 1
            self._again.set(AGAIN_S, self._ask_again)

    def _ask_again(self) -> None:
        """The engine died with what it owed; the next request starts it anew with its cases."""
        self._scheduler.forget_flights()
        if self._border_protection.is_owed:
            self._follow_lesion(self._border_protection.send_again())
        else:
            self.follow()

    def _state(self, state: str, words: str, share: float = 0.0) -> None:
        view_state = self._context.view_state
        view_state.fusion, view_state.fusion_words, view_state.fusion_share = state, words, share
        view_state.gamma_hint = self._gamma_hint()
        view_state.fusion_limits = () if state == "none" else self._limits()
        self._context.tell(Topic.FUSION)

    def say_gamma(self) -> None:
        """Why gamma changes nothing, as it is now."""
        hint = self._gamma_hint()
        if hint != self._context.view_state.gamma_hint:
            self._context.view_state.gamma_hint = hint
            self._context.tell(Topic.FUSION)

    def _gamma_hint(self) -> str:
        if "lesion" not in self._context.nodes:
            return NO_LESION
        if not self._context.view_state.accepted:
            return NOT_ACCEPTED
        return "" if self._context.parameters.protect_border else NOT_DRAWN

    def _limits(self) -> tuple[str, ...]:
        """Found once for a case and its MR: it takes a look at every voxel."""
        case, wanted = self._context.opened, self._context.parameters.mri or None
        if self._limits_of[0] is not case or self._limits_of[1] != wanted:
            mri = mr_of(case, wanted)
            words = (field_of_view_words(case, mri), marrow_words(case, mri))
            self._limits_of = (case, wanted, tuple(filter(None, words)))
        return self._limits_of[2]
