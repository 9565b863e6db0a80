"""ProbingLogic: a synthetic tumor in place of the patient's images, and whether the chosen model finds it.

While it is shown the patient is out of reach: whoever saves, runs, decides or edits gets the patient's images back
first (SessionContext.patient_first), and nothing is exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.prediction import Prediction
from ..core.probed import MOSTLY, Probed, ProbeRecord
from ..engine.client.engine import EngineError, Handle
from ..models.registry import models
from ..mrml.geometry import flipped
from ..mrml.views import crosshair_at
from .context import SessionContext
from .display import DisplayLogic
from .events import Topic
from .healthy import HealthyLogic, installed_inpainter
from .lesion import Lesion
from .parameters import WHOLE
from .probe_tally import Tried, rows
from .review import ReviewLogic

SYNTHESIZERS = ("diff4mmlits-synthesizer",)  # systems
SAMPLES = 2  # of the segmenter, where fewer are not chosen: as `diffufusemed probe`
NO_SYNTHESIZER = (
    "No model that draws tumors is installed: install sts-tumor-synthesizer again, or train one (diffufusemed train "
    "CASES --recipe sts-tumor-synthesizer) and put its folder among the models."
)
NO_CT = "The case has no CT, which alone tells where soft tissue for a tumor is."
NO_PLACE = "Hold Shift and move the mouse over a view first: that puts the crosshair where the tumor shall be."
RUNNING = "The segmentation is being run: wait until it is done, or cancel it, before you test the model."
BANNER = "SYNTHETIC tumor of {diameter:g} mm, made up by {model}: these are not the patient's images."
FOUND = "Found: overlap {iou:.2f}, {recall:.0%} of it is called lesion."
MISSED = "Missed: overlap {iou:.2f}, {recall:.0%} of it is called lesion."
MERGED = "Not found as a lesion of its own: the piece called lesion on it is far larger (overlap {iou:.2f})."
SAYS_LITTLE = (
    "Without the tumor {before:.0%} of this place is called lesion too, so this says little: try another place."
)


class ProbingLogic:
    """The tally is of the open case with its images where they are; a saved scene keeps it and nothing else of this."""

    def __init__(
        self,
        context: SessionContext,
        lesion: Lesion,
        display: DisplayLogic,
        healthy: HealthyLogic,
        review: ReviewLogic,
    ) -> None:
        self._context, self._lesion, self._display, self._healthy = context, lesion, display, healthy
        self._review = review
        self._handle: Handle | None = None
        self._asked = 0
        self._lesion_then: np.ndarray | None = None  # as it was when a tumor was asked for
        self._tries: list[Tried] = []
        context.patient_first = self.back

    # What a reader does

    def place_at_crosshair(self) -> None:
        """A tumor of the chosen size and contrast where the crosshair is, and the chosen model on it."""
        ras = crosshair_at(self._context.scene)
        if ras is None:
            self._context.say("info", NO_PLACE)
            return
        self._start([float(mm) for mm in flipped(ras)])

    def place_at_random(self) -> None:
        """The same where there is room for it."""
        self._start(None)

    def back(self) -> None:
        """The patient's images, with all that lay over them; a tumor that is being made is not waited for any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._tell("none", "")
        if self._context.view_state.synthetic:
            self._context.view_state.synthetic = ""
            self._display.show_synthetic({}, {})
            self._shown("none", "")

    # What the rest of the session tells

    def opened(self) -> None:
        """A case came."""
        self._context.view_state.no_probing = self._why_not()

    def tries(self) -> tuple[Tried, ...]:
        """So far, for whoever saves the scene."""
        return tuple(self._tries)

    def adopt(self, tries: Sequence[Tried]) -> None:
        """Those of a scene that was opened."""
        self._tries, self._context.view_state.probes = list(tries), rows(tries)
        self._context.tell(Topic.PROBING)

    def follow(self, lesion: np.ndarray) -> None:
        """The lesion, bool [k, j, i], is this one: whoever changed it goes on with the patient."""
        if self._lesion_then is None or not np.array_equal(lesion, self._lesion_then):
            self.back()

    def forget(self) -> None:
        """The images are others: what was tried was tried on none of them."""
        self.back()
        self._drop_tally()

    def leave(self) -> None:
        """The case leaves the session, its images perhaps gone already: nothing is drawn again."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._context.view_state.synthetic = None, ""
        self._drop_tally()
        self._tell("none", "")

    def record_for(self, prediction: Prediction) -> ProbeRecord | None:
        """For a report on this result: the tries of its model with the synthesizer that was used last; None without."""
        own = [tried for tried in self._tries if tried.is_by(prediction)]
        own = [tried for tried in own if tried.synthesizer == own[-1].synthesizer]
        if not own:
            return None
        notes = dict.fromkeys(note for tried in own for note in tried.notes)
        tumors, last = tuple(tried.probed for tried in own), own[-1]
        case, by = self._context.opened, (last.segmenter, last.synthesizer)
        return ProbeRecord(case.name, case.grid, *by, last.modalities, tumors, tuple(notes), last.false_ml)

    # From the request to the picture

    def _start(self, center_lps: list[float] | None) -> None:
        context, chosen = self._context, self._context.parameters
        context.view_state.no_probing = why = self._why_not()
        if why or context.view_state.run == "working":
            context.say("info", why or RUNNING)
            return
        self._healthy.hide()
        self.back()
        self._lesion_then = self._lesion.mask()
        case, synthesizer, inpainter = context.opened, self._synthesizer(), installed_inpainter()
        seen = [key for key in case.modalities if chosen.on(key)]
        try:
            handle = context.engine.probe(
                context.opened_id,
                synthesizer,
                chosen.model,
                diameter_mm=chosen.probe_diameter_mm,
                contrast=chosen.probe_contrast,
                center_lps=center_lps,
                lesion=self._drawn(),
                inpainter=inpainter,
                samples=min(SAMPLES, chosen.samples),
                seed=self._seed(),
                modalities=seen,
                device=chosen.device,
                progress=self._teller(),
            )
        except EngineError as error:
            context.complain(error)
            return
        self._handle = handle
        self._tell("working", "starting")
        context.then(handle.future, lambda found: self._came(handle, found), lambda e: self._failed(handle, e))

    def _seed(self) -> int:
        """Another one than that of any try: no two are alike."""
        used = {tried.probed.seed for tried in self._tries}
        while True:
            self._asked += 1
            seed = (self._context.parameters.seed + self._asked) % WHOLE["seed"][1]
            if seed not in used:
                return seed

    def _why_not(self) -> str:
        case = self._context.case
        if not self._synthesizer():
            return NO_SYNTHESIZER
        return NO_CT if case is not None and "CT" not in case.volumes else ""

    def _synthesizer(self) -> str:
        """The id of an installed one; empty where there is none."""
        return next((record.id for record in models() if record.system in SYNTHESIZERS), "")

    def _drawn(self) -> np.ndarray | None:
        """bool [k, j, i]: what anyone, or a model, calls lesion in this patient; None where nobody does."""
        reference, lesion = self._context.opened.reference_mask, self._lesion.mask()
        masks = [mask for mask in (lesion, None if reference is None else reference.array > 0) if mask is not None]
        return np.logical_or.reduce(masks) if masks else None

    def _teller(self) -> Any:
        def advance(share: float, words: str, _: float | None) -> None:
            if self._handle is not None:
                self._tell("working", f"{words}, {100 * share:.0f} %")

        return lambda *told: self._context.post(lambda: advance(*told))

    def _came(self, handle: Handle, found: dict[str, Any]) -> None:
        if handle is not self._handle:
            return
        self._handle = None
        probed, by = found["probed"], found["models"]
        seen, notes = tuple(found["modalities"]), tuple(found["notes"])
        self._tries.append(Tried(probed, by["segmenter"], by["synthesizer"], seen, notes, found["false_ml"]))
        self._context.view_state.probes = rows(self._tries)
        self._context.view_state.synthetic = BANNER.format(diameter=probed.diameter_mm, model=by["synthesizer"].id)
        self._display.show_synthetic(found["volumes"], {"tumor": found["mask"], "called": found["called"]})
        self._display.jump(tuple(found["center_lps"]))
        self._shown("ready", _words(probed))

    def _failed(self, handle: Handle, error: BaseException) -> None:
        if handle is self._handle:
            self._handle = None
            self._tell("none", "")
            self._context.complain(error)

    def _shown(self, state: str, words: str) -> None:
        """Other images are on the screen than before: where tools may edit follows."""
        self._review.limit()
        self._context.tell(Topic.REVIEW)
        self._tell(state, words)

    def _drop_tally(self) -> None:
        self._tries, self._context.view_state.probes = [], ()
        self._context.tell(Topic.PROBING)

    def _tell(self, state: str, words: str) -> None:
        view_state = self._context.view_state
        view_state.probing, view_state.probing_words = state, words
        self._context.tell(Topic.PROBING)


def _words(probed: Probed) -> str:
    """What the model made of it."""
    said = FOUND if probed.found else MERGED if probed.recall >= MOSTLY else MISSED
    sentences = (said, SAYS_LITTLE) if probed.says_little else (said,)
    return " ".join(sentences).format(iou=probed.iou, recall=probed.recall, before=probed.before)
