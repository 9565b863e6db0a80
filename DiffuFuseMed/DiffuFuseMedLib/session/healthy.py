"""HealthyLogic: the images as they may look without the lesion, in place of those that were taken, for a look."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.healthy import MARGIN_MM, Healthy
from ..engine.client.engine import EngineError, Handle
from ..models.registry import models
from .context import SessionContext
from .display import DisplayLogic
from .events import Topic
from .lesion import Lesion

INPAINTERS = ("diff4mmlits-inpainter",)  # systems
NO_MODEL = "No model that takes lesions out of images is installed."
NO_LESION = "There is no lesion to take out: run the segmentation first."
EMPTY = "The lesion is empty: there is nothing to take out."
GONE = "The lesion changed: what was shown without it was of the one before."
SHOWN = "Made up by {model} where the lesion is and {margin:g} mm around it: not measured, not for diagnosis."


class HealthyLogic:
    """What is shown is always of the lesion in the scene: another one takes it off the screen."""

    def __init__(self, context: SessionContext, lesion: Lesion, display: DisplayLogic) -> None:
        self._context, self._lesion, self._display = context, lesion, display
        self._of: np.ndarray | None = None  # the lesion that the pictures in the scene, or on their way, are without
        self._made: Healthy | None = None
        self._handle: Handle | None = None

    def why_not(self) -> str:
        """Why there is none to show, one sentence; empty when there may be."""
        return "" if self._model() else NO_MODEL

    def show(self, on: bool) -> None:
        """The images without the lesion, made first where they are not there yet; off: as they were taken."""
        if not on:
            self.hide()
            return
        self._context.patient_first()
        lesion, model = self._lesion.mask(), self._model()
        if not model or lesion is None or not lesion.any():
            self._context.say("info", NO_MODEL if not model else NO_LESION if lesion is None else EMPTY)
            self._context.tell(Topic.LAYERS)  # a switch that was pressed goes back
            return
        if self._made is not None and self._of is not None and np.array_equal(lesion, self._of):
            if self._context.view_state.healthy != "ready":
                self._show()
        else:
            self._make(lesion, model)

    def hide(self) -> None:
        """The images as they were taken; one that is being made is not waited for any more."""
        self._stop()
        self._display.show_healthy({}, None)
        self._told("none", "")

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def follow(self, lesion: np.ndarray) -> None:
        """The lesion, bool [k, j, i], is this one."""
        if self._of is None or np.array_equal(lesion, self._of):
            return
        seen = self._context.view_state.healthy != "none"
        self.forget()
        if seen:
            self._context.say("info", GONE)

    def forget(self) -> None:
        """Another case, result or place of an image: what was made is of none of them."""
        self.hide()
        self._of = self._made = None

    def leave(self) -> None:
        """The case leaves the session, its images perhaps gone already: nothing is drawn again."""
        self._stop()
        self._of = self._made = None
        self._told("none", "")

    def _model(self) -> str:
        return installed_inpainter()

    def _make(self, lesion: np.ndarray, model: str) -> None:
        context = self._context
        self.hide()
        try:
            handle = context.engine.remove(
                context.opened_id, lesion, model, MARGIN_MM, context.parameters.device, self._teller()
            )
        except EngineError as error:
            context.complain(error)
            return
        self._handle, self._of, self._made = handle, lesion, None
        self._told("working", "starting")
        context.then(handle.future, lambda found: self._came(handle, found), lambda e: self._failed(handle, e))

    def _teller(self) -> Any:
        def advance(share: float, words: str, _: float | None) -> None:
            if self._handle is not None:
                self._told("working", f"{words}, {100 * share:.0f} %")

        return lambda *told: self._context.post(lambda: advance(*told))

    def _came(self, handle: Handle, found: dict[str, Any]) -> None:
        if handle is not self._handle:
            return
        self._handle = None
        case = self._context.opened
        images = {key: case.volumes[key].with_array(array) for key, array in found["volumes"].items()}
        self._made = Healthy(images, found["removed"], found["provenance"])
        self._show()

    def _failed(self, handle: Handle, error: BaseException) -> None:
        if handle is self._handle:
            self._handle = self._of = None
            self._told("none", "")
            self._context.complain(error)

    def _show(self) -> None:
        assert self._made is not None, "asked only once it is there"
        made, case = self._made, self._context.opened
        self._display.show_healthy({key: v.array for key, v in made.volumes.items()}, made.difference(case))
        self._told("ready", SHOWN.format(model=made.provenance["model"], margin=MARGIN_MM))

    def _told(self, state: str, words: str) -> None:
        view_state = self._context.view_state
        if (view_state.healthy, view_state.healthy_words) != (state, words):
            view_state.healthy, view_state.healthy_words = state, words
            self._context.tell(Topic.LAYERS)


def installed_inpainter() -> str:
    """The id of an installed model that takes lesions out; empty where there is none."""
    return next((record.id for record in models() if record.system in INPAINTERS), "")
