"""SegmentationLogic: run, cancel, and behind the reader's back what the result would be without each modality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.prediction import Prediction
from ..core.voxels import Voxels
from ..engine.client.engine import EngineError, Handle
from ..review import SAMPLES_WITHOUT
from .context import SessionContext
from .events import Topic
from .parameters import Parameters, changed
from .placement import words_of

AGAIN_S = 1.0
PLACED = "moved_images"  # in the provenance: where images lay that were moved after they were opened
REQUESTED = "requested_modalities"  # in the provenance: those that were on, whether or not the model knows them


class SegmentationLogic:
    """came(prediction): a run's result, with the modalities asked for in its provenance; explained(): `without` is
    complete."""

    def __init__(
        self, context: SessionContext, came: Callable[[Prediction], None], explained: Callable[[], None]
    ) -> None:
        self._context, self._came, self._explained = context, came, explained
        self._run: Handle | None = None
        self._reasons: Handle | None = None
        self._reasons_again = self._turn = 0
        self.without: dict[str, np.ndarray] = {}  # probability [k, j, i] with that modality off
        self.lesions_without: dict[str, Voxels] = {}  # as it is drawn then

    @property
    def running(self) -> bool:
        return self._run is not None

    def run(self) -> None:
        """Segment with the modalities that are on. A run on its way gives way to this one."""
        context = self._context
        if context.case is None:
            context.say("warning", "There is no case to segment: open one first.")
            return
        self.stop_run()
        chosen = self._chosen()
        if not chosen:
            self.judge()
            context.say("warning", "All modalities are switched off: switch at least one on.")
            return
        try:
            handle = self._request(chosen, context.parameters, progress=self._teller())
        except EngineError as error:
            self._failed(error)
            return
        self._run = handle
        context.view_state.change = ""
        self._state("working", "starting", 0.0, None)
        asked: dict[str, Any] = {REQUESTED: chosen}
        if lay := words_of(context.parameters, chosen):
            asked[PLACED] = lay
        context.then(handle.future, lambda p: self._done(handle, p, asked), lambda e: self._ended(handle, e))

    def _chosen(self) -> list[str]:
        """Modalities that are switched on."""
        context = self._context
        return [key for key in context.opened.modalities if context.parameters.on(key)]

    def is_current(self) -> bool:
        """Whether the result in the scene is of the present settings."""
        context = self._context
        if context.prediction is None or context.case is None:
            return False
        made, chosen = context.prediction.provenance, context.parameters
        same = all(made.get(name) == getattr(chosen, name) for name in ("model", "samples", "seed"))
        return same and made.get(REQUESTED) == self._chosen() and self.is_in_place()

    def is_in_place(self) -> bool:
        """Whether the images lie where they lay for the result in the scene."""
        made = self._context.predicted.provenance
        return made.get(PLACED, {}) == words_of(self._context.parameters, made.get(REQUESTED, []))

    def judge(self, words: str = "") -> None:
        """Say of the result in the scene whether it is of the present settings. words: why there is no newer one."""
        if self.running:
            return
        current = self.is_current()
        state = "ready" if current else "stale" if self._context.prediction is not None else "none"
        self._state(state, words or ("" if current else "of other settings" if state == "stale" else ""), 0.0, None)

    def cancel(self) -> None:
        """Stop the run; the scene keeps its last result."""
        if self._run:
            self._context.view_state.run_words = "cancelling"
            self._context.tell(Topic.RUN)
            self._run.cancel()

    def stop_run(self) -> None:
        """No result will come of the run on its way."""
        if self._run:
            self._run.cancel()
        self._run = None

    def stop(self) -> None:
        """Stop everything, the search for reasons too."""
        self.stop_run()
        if self._reasons:
            self._reasons.cancel()
        self._reasons = None
        self._context.view_state.explaining = False

    def stop_explaining(self) -> None:
        """What is being computed for reasons would be of other images than the result."""
        if self._reasons:
            self._reasons.cancel()
            self._reasons, self._context.view_state.explaining = None, False

    def explain(self) -> None:
        """What the probability is without each modality, one after the other, behind the reader's back. A run lets the
        search stand still until it ends; only a new result ends it."""
        context = self._context
        if context.prediction is None or context.case is None:
            return
        on = list(context.prediction.modalities)
        left = [key for key in on if key not in self.without] if len(on) > 1 and self.is_in_place() else []
        context.view_state.explaining = bool(left)
        if not left:
            self._explained()
            return
        self._explain_without(left[0], [key for key in on if key != left[0]])

    def _explain_without(self, key: str, others: list[str]) -> None:
        context = self._context
        try:
            handle = self._request(others, self._as_made(), behind=True)
        except EngineError:
            context.view_state.explaining = False  # the list is right without its reasons
            return
        self._reasons = handle

        def done(prediction: Prediction) -> None:
            if self._reasons is handle:
                self._reasons = None
                self.without[key] = prediction.probability
                self.lesions_without[key] = Voxels.of(prediction.labels == 1)
                self.explain()

        def failed(error: BaseException) -> None:
            if self._reasons is handle:
                self._reasons, context.view_state.explaining = None, False
                self._explain_later(error)
                context.tell(Topic.REVIEW)

        context.then(handle.future, done, failed)

    def _explain_later(self, error: BaseException) -> None:
        """An engine that died of something else may be asked once more."""
        if getattr(error, "code", "") == "died" and self._reasons_again < 1:
            self._reasons_again += 1
            self._context.later(AGAIN_S, lambda: None if self._reasons or self.running else self.explain())

    def _as_made(self) -> Parameters:
        """The parameters with what the result in the scene was made by, in fewer samples."""
        chosen, made = self._context.parameters, self._context.predicted.provenance
        kept = {name: made[name] for name in ("model", "seed", "samples") if name in made}
        chosen = changed(chosen, **kept)
        return changed(chosen, samples=min(SAMPLES_WITHOUT, chosen.samples))

    def _request(self, modalities: list[str], by: Parameters, progress: Any = None, behind: bool = False) -> Handle:
        context = self._context
        return context.engine.segment(
            context.opened_id,
            by.model,
            by.samples,
            by.seed,
            modalities,
            device=by.device,
            progress=progress,
            behind=behind,
        )

    def _teller(self) -> Any:
        """What the engine tells the progress of the run that starts now."""
        self._turn += 1
        turn = self._turn

        def advance(share: float, words: str, seconds_left: float | None) -> None:
            if self._run and turn == self._turn and not self._run.cancelling:
                self._state("working", words, share, seconds_left)

        return lambda *told: self._context.post(lambda: advance(*told))

    def _done(self, handle: Handle, prediction: Prediction, asked: dict[str, Any]) -> None:
        if handle is not self._run:
            return
        self._run = None
        self.stop()
        self.without, self.lesions_without, self._reasons_again = {}, {}, 0
        self._came(replace(prediction, provenance={**prediction.provenance, **asked}))
        self.explain()

    def say_done(self) -> None:
        """The result is in the scene."""
        seconds = sum(self._context.predicted.provenance.get("timings_s", {}).values())
        current = self.is_current()
        words = f"done in {seconds:.1f} s" if current else "of other settings"
        self._state("ready" if current else "stale", words, 1.0, None)

    def _ended(self, handle: Handle, error: BaseException) -> None:
        if handle is self._run:
            self._run = None
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        self.judge("cancelled" if getattr(error, "code", "") == "cancelled" else "failed")
        self._context.complain(error)

    def _state(self, state: str, words: str, share: float, seconds_left: float | None) -> None:
        view_state = self._context.view_state
        view_state.run, view_state.run_words = state, words
        view_state.run_share, view_state.run_seconds_left = share, seconds_left
        self._context.tell(Topic.RUN)
