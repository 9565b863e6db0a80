"""`diffufusemed engine`: an engine that stays, for sessions that attach to it."""

from __future__ import annotations

from .console import out_console


def engine() -> None:
    """Keep an engine running on this computer, which Slicer's module can use instead of starting its own."""
    from ..engine.server.listen import Listener

    try:
        with Listener() as listener:
            out_console.print("The engine runs; end it with Ctrl+C.", markup=False)
            listener.serve()
    except KeyboardInterrupt:
        return  # the way to end it
