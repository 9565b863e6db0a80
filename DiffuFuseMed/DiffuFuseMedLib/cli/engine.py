"""`diffufusemed engine`: an engine that stays, for sessions that attach to it."""

from __future__ import annotations

import signal

from .console import out_console


def engine() -> None:
    """Keep an engine running on this computer, which Slicer's module can use instead of starting its own."""
    from ..engine.server.listen import Listener

    end_by_signals()
    try:
        with Listener() as listener:
            out_console.print("The engine runs; end it with Ctrl+C.", markup=False)
            listener.serve()
    except KeyboardInterrupt:
        return  # the way to end it


def end_by_signals() -> None:
    """A closed terminal (SIGHUP) and a polite kill (SIGTERM) end the engine as Ctrl+C does: nothing is left behind."""

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), ended)
