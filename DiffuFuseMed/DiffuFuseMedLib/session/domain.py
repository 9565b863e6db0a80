"""DomainGuard: whether the case is one of those that the chosen model is for, before Run and beside the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.case import Case
from ..core.errors import InputError
from ..models.registry import record
from ..preprocessing.domain import before_run
from .context import SessionContext
from .events import Topic


class DomainGuard:
    """Keeps `domain` (before Run) and `withheld` (beside the numbers) of the view state true."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._asked: tuple[Any, ...] = ()
        context.events.listen(lambda _: self._judge_case(), Topic.CASE, Topic.PARAMETERS)
        context.events.listen(lambda _: self._judge_result(), Topic.NUMBERS, Topic.RUN)

    def _judge_case(self) -> None:
        """Looked at on a thread of its own, once for each case, model and choice of modalities."""
        context = self._context
        case, model = context.case, context.parameters.model
        on = () if case is None else tuple(key for key in case.modalities if context.parameters.on(key))
        asked = (context.case_id, model, on)
        if asked == self._asked:
            return
        self._asked = asked
        self._say(asked, ())
        if case is not None and on:
            found = context.host.work(lambda: _found(case, model, on))
            context.then(found, lambda sentences: self._say(asked, sentences), lambda error: context.complain(error))

    def _say(self, asked: tuple[Any, ...], sentences: tuple[str, ...]) -> None:
        if asked == self._asked and self._context.view_state.domain != sentences:
            self._context.view_state.domain = sentences
            self._context.tell(Topic.RUN)

    def _judge_result(self) -> None:
        found = self._context.prediction
        self._context.view_state.withheld = () if found is None else (*found.withheld, *found.outside[1:])


def _found(case: Case, model: str, on: tuple[str, ...]) -> tuple[str, ...]:
    """What is to be known before a run; a model that is not there is refused when it is run."""
    try:
        told = record(model)
    except InputError:
        return ()
    domain: Mapping[str, Any] = told.domain
    return before_run(case, domain, told.modalities, on, told.calibrated_alone).sentences
