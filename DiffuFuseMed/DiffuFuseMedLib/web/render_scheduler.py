"""RenderScheduler: which view is drawn next when several want to be. The one in the hand never waits for the others.

What it shares out is the page's only thread, of which the drawing of a view takes tens of milliseconds, whatever made
the view change: a slider, the mouse wheel, a brush. When the fused picture itself is asked for, and when it is written
into the scene, is decided before that and elsewhere, by the session's PictureScheduler. Were all views drawn as soon as
they could be, the next value of a slider would wait for pictures of the last one that nobody looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from trame_slicer.views import ScheduledRenderStrategy

HOLD_S = 0.15  # the others wait until the first one has been quiet for so long
MOST_S = 0.4  # and no longer than this
APART_S = 0.06  # between two of the others: what the hand did meanwhile is looked at
TOGETHER_S = 0.01  # wishes that come of one change: the first view may be the last one to hear of it


class RenderScheduler:
    """first: name of the view that goes before the others; later(seconds, call): a timer with cancel()."""

    def __init__(
        self, first: str, later: Callable[[float, Callable[[], None]], Any], clock: Callable[[], float] = monotonic
    ) -> None:
        self.first, self._later, self._clock = first, later, clock
        self._waiting: dict[str, tuple[float, Callable[[], None]]] = {}  # since when, and how to; the longest first
        self._not_before = self._quiet_at = -1.0
        self._timer: Any = None
        self._undrawn: set[str] = set()

    @property
    def at_rest(self) -> bool:
        """Whether every view shows what it last wished to."""
        return not self._undrawn

    def drawn(self, name: str) -> None:
        self._undrawn.discard(name)

    def want(self, name: str, draw: Callable[[], None]) -> None:
        """The view is to be drawn by draw(): at once when it is the first one, else when the others let it."""
        now = self._clock()
        self._undrawn.add(name)
        if name == self.first:
            self._waiting.pop(name, None)
            self._quiet_at = now + HOLD_S
            draw()
        elif name not in self._waiting:
            self._waiting[name] = (now, draw)
            self._not_before = max(self._not_before, now + TOGETHER_S)
        self._wait()

    def _wait(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            since, _ = next(iter(self._waiting.values()))
            due = max(self._not_before, min(self._quiet_at, since + MOST_S))
            self._timer = self._later(max(0.0, due - self._clock()), self._next)

    def _next(self) -> None:
        self._timer = None
        name = next(iter(self._waiting))
        _, draw = self._waiting.pop(name)
        self._not_before = self._clock() + APART_S
        draw()
        self._wait()


class ScheduledView(ScheduledRenderStrategy):
    """A view's wish to be drawn, told to `render_scheduler`; then as `inner` does it."""

    def __init__(self, name: str, render_scheduler: RenderScheduler, inner: ScheduledRenderStrategy) -> None:
        super().__init__()
        self._name, self._render_scheduler, self._inner = name, render_scheduler, inner

    def schedule_render(self) -> None:
        self._render_scheduler.want(self._name, self._inner.schedule_render)

    def did_render(self) -> None:
        self._inner.did_render()

    def set_abstract_view(self, abstract_view: Any) -> None:
        super().set_abstract_view(abstract_view)
        self._inner.set_abstract_view(abstract_view)
