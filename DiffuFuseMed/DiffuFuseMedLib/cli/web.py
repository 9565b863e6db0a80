"""`diffufusemed web`: the reading workspace in the browser."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from .console import out_console


def web(
    case: Annotated[
        Path | None, typer.Argument(help="A folder of one patient's images; none opens an empty workspace.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Another address than this machine's own; a token is needed then.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 chooses a free one.", min=0, max=65535)] = 0,
    token: Annotated[
        str | None, typer.Option(help="Instead of a new one at every start.", envvar="DIFFUFUSEMED_TOKEN")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    presets: Annotated[
        Path | None, typer.Option(help="Folder of your own presets; ~/.config/diffufusemed/presets by default.")
    ] = None,
    upload_limit_gb: Annotated[
        float | None, typer.Option(help="Most that may be uploaded in a session.", min=0.001)
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(help="The page opens folders below it alone; the case's parent by default. May be repeated."),
    ] = None,
) -> None:
    """Open the workspace: fuse, segment, see the doubt, correct, keep. Serves until interrupted."""
    from ..web.http import Binding
    from ..web.serve import serve

    end_with_the_terminal()

    folder = presets or Path.home() / ".config" / "diffufusemed" / "presets"
    limit = None if upload_limit_gb is None else int(upload_limit_gb * 1e9)
    binding = Binding(host, port, token)

    def say(line: str) -> None:
        out_console.print(line, soft_wrap=True, markup=False, highlight=False)

    serve(case, binding, say, not no_browser, folder, limit, root or ())


def end_with_the_terminal() -> None:
    """A closed terminal (SIGHUP) ends it as SIGTERM does, with nothing left behind; under nohup it goes on."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:
        signal.signal(hangup, lambda *_: signal.raise_signal(signal.SIGTERM))
