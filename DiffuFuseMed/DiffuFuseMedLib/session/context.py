"""SessionContext: what the parts of a session share, and how one thread keeps scene and view state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ..core.case import Case
from ..core.errors import InputError
from ..core.modalities import spec_of
from ..core.prediction import Prediction
from ..core.suv_units import BODY_WEIGHT, SuvScale, suv_scale, why_not
from ..engine.client.engine import Engine, EngineError
from ..mrml.views import shown_slices
from .events import Events, Topic
from .host import Host, Timer
from .parameters import Parameters
from .reading import ReadHere, Reading
from .view_state import Message, ViewState

log = logging.getLogger(__name__)
QUIET_CODES = ("cancelled", "superseded", "closed", "died")  # a death is told once for all that it owed: EngineRestart
_NO_MEMORY = "The memory did not suffice for this; the scene is as it was: close other programs and try it again."


class SessionContext:
    """scene: a vtkMRMLScene; nodes: by role, such as "CT", "fused", "lesion"; prediction: the last one, without edits.

    All of it is touched on the host's thread only.
    """

    def __init__(self, scene: Any, host: Host, engine: Engine, reading: Reading | None = None) -> None:
        self.scene, self.host, self.engine = scene, host, engine
        self.reading = reading or ReadHere()
        self.parameters, self.view_state = Parameters(), ViewState()
        self.case: Case | None = None
        self.case_id: str | None = None
        self.nodes: dict[str, Any] = {}
        self.prediction: Prediction | None = None
        self.events = Events()
        self.closed = False
        self.patient_first: Callable[[], None] = lambda: None  # the patient's images, where synthetic ones are shown
        self._messages = 0

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` on the host's thread, unless the session is closed by then; from any thread."""
        self.host.post(lambda: None if self.closed else call())

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Run `call` on the host's thread after these seconds, unless cancelled or the session is closed by then."""
        return self.host.later(seconds, lambda: None if self.closed else call())

    def tell(self, *topics: Topic) -> None:
        """Let the host draw these topics of the view state again."""
        self.events.tell(*topics)

    def say(self, level: str, sentence: str, detail: str = "") -> Message:
        """Show a message in place of the one before; the one that is shown."""
        self._messages += 1
        message = self.view_state.message = Message(level, sentence, detail, self._messages)
        self.tell(Topic.MESSAGE)
        return message

    def unsay(self, message: Message) -> None:
        """Take a message off the screen, unless another one took its place."""
        if self.view_state.message is message:
            self.view_state.message = None
            self.tell(Topic.MESSAGE)

    def complain(self, error: BaseException) -> None:
        """An error as one sentence for the reader; what the reader asked for, such as a cancel, is none."""
        if isinstance(error, EngineError):
            if error.code not in QUIET_CODES:
                self.say("error", str(error), error.detail)
        elif isinstance(error, InputError):
            self.say("error", str(error))
        elif isinstance(error, MemoryError):
            self.say("error", _NO_MEMORY, repr(error))
        else:
            log.error("A fault in the program", exc_info=error)
            self.say("error", "Something failed inside the program; the scene is as it was.", repr(error))

    def then(self, future: Future, done: Callable[[Any], None], failed: Callable[[BaseException], None]) -> None:
        """Call one of the two on the host's thread when the future has an end, never after the session is closed."""

        def end() -> None:
            if error := future.exception():
                failed(error)
            else:
                done(future.result())

        future.add_done_callback(lambda _: self.post(end))

    @property
    def opened(self) -> Case:
        """The case, for what is done only while there is one."""
        assert self.case is not None, "asked of a session without a case"
        return self.case

    @property
    def opened_id(self) -> str:
        """What the engine calls that case."""
        assert self.case_id is not None, "asked of a session without a case"
        return self.case_id

    @property
    def predicted(self) -> Prediction:
        """The prediction, for what is done only once there is one."""
        assert self.prediction is not None, "asked of a session without a result"
        return self.prediction

    @property
    def suv(self) -> SuvScale:
        """What PET values are shown and measured in: as chosen where the open case allows it."""
        if self.case is None or why_not(self.case, self.parameters.suv):
            return BODY_WEIGHT
        return suv_scale(self.case, self.parameters.suv)

    def per_shown(self, role: str) -> float:
        """What a value of the volume is multiplied by before it is shown."""
        return self.suv.factor if spec_of(role).scale == "SUV" else 1.0

    def unit_of(self, role: str) -> str:
        """Behind a value of the volume on screen."""
        return self.suv.told.name if spec_of(role).scale == "SUV" else spec_of(role).legend_unit

    @property
    def reference_node(self) -> Any:
        """The volume whose grid everything of the case has; None without a case."""
        return None if self.case is None else self.nodes.get(self.case.reference)

    def slice_nodes(self) -> list[Any]:
        """Those of the views on screen."""
        return shown_slices(self.scene)
