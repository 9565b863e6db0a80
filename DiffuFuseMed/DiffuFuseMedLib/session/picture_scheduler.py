"""PictureScheduler: everything that a session decides about time between a slider and its picture.

1. The newest values win: in each view one request is on its way, and what follows when it has landed is of the values
   of then; those in between are never asked for.
2. What is under the hand comes first: the view that the reader works in is asked for before the others, and its picture
   is not kept waiting for theirs.
3. The volume comes behind, once the hand has been quiet.

Two queues further on are not the session's: the engine's, in which a newer request of a view takes the place of one
that was not begun, and the page's thread, for which the browser host's RenderScheduler says which view is drawn next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.client.engine import Handle
from .alarm import Alarm
from .context import SessionContext

QUIET_S = 0.35  # the hand has stopped
TOGETHER_S, SOON_S = 0.1, 0.01  # how long a picture waits for the others: each change makes MRML draw every view again
PATIENCE_S = 120.0  # nobody waits for what is stopped here, and killing the engine costs more than its end


class PictureScheduler:
    """show(): what was written since the last time is to be seen; refine(): it is the volume's turn."""

    def __init__(self, context: SessionContext, show: Callable[[], None], refine: Callable[[], None]) -> None:
        self._context, self._show_written, self._refine = context, show, refine
        self._flying: dict[str, Handle] = {}
        self._first = ""  # id of the slice node in whose view the reader works
        self._hurried = False  # whether the picture of that view waits to be shown
        self._showing, self._quiet = Alarm(context), Alarm(context)

    # Views: whose turn it is to be asked for

    def go_first(self, view: str) -> None:
        """view: id of the slice node in whose view the reader works."""
        self._first = view

    def views(self) -> list[Any]:
        """Slice nodes on screen, that of the reader's view first, else as the layout has them."""
        return sorted(self._context.slice_nodes(), key=lambda node: node.GetID() != self._first)

    def is_flying(self, view: str) -> bool:
        """Whether a picture of the view is on its way: the next is asked for when it has landed."""
        return view in self._flying

    def fly(self, view: str, handle: Handle) -> None:
        self._flying[view] = handle

    def landed(self, view: str, handle: Handle) -> bool:
        """Whether the view still waits for it: not when it is of a case that is gone."""
        if self._flying.get(view) is not handle:
            return False
        del self._flying[view]
        return True

    def forget_flights(self) -> None:
        """None of them will land."""
        self._flying.clear()

    # Pictures: when what was written is shown

    def written(self, view: str) -> None:
        """The picture of a view lies in the volume: show it with those of the others, or at once where it is the
        reader's and nothing else is on its way."""
        self._hurried |= view in [node.GetID() for node in self.views()[:1]]
        if self._hurried and not self._flying:
            self._show()
        elif self._hurried or not self._showing.is_set:
            self._showing.set(SOON_S if self._hurried else TOGETHER_S, self._show)

    def _show(self) -> None:
        self._showing.cancel()
        self._hurried = False
        self._show_written()

    # The volume: when it is asked for

    def moved(self) -> None:
        """The hand changed a value."""
        self._quiet.set(QUIET_S, self._refine)

    def stop(self) -> None:
        """Nothing that is on its way will be drawn."""
        for handle in self._flying.values():
            handle.cancel(PATIENCE_S)
        self._flying.clear()
        self._showing.cancel()
        self._quiet.cancel()
        self._hurried = False
