"""Serve: the workspace at an address of this machine until it is interrupted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..core.errors import input_error
from ..engine.client.engine import Engine, EngineError
from .http import Binding, Limits, Uploads, install, start_arguments

PROBE = (
    "import vtkmodules.vtkRenderingOpenGL2; from vtkmodules.vtkRenderingCore import vtkRenderWindow as W; "
    "w = W(); w.SetOffScreenRendering(1); w.SetSize(16, 16); w.Render()"
)
RENDERING = "VTK_DEFAULT_OPENGL_WINDOW"
PACKAGES = "libegl1 libgl1-mesa-dri"
PROBE_S = 120.0


def serve(
    case: Path | None,
    binding: Binding,
    say: Callable[[str], None],
    open_browser: bool = True,
    presets: Path | None = None,
    upload_limit_bytes: int | None = None,
    roots: Sequence[Path] = (),
) -> None:
    """Open the workspace on a case folder and serve it. say: gets the address, token included, on one line; roots: the
    folders below which the page may open cases and scenes, by default the one that the case lies in, else the present
    one.

    Raises InputError where nothing can be rendered, for a root that is no folder, and for what Binding refuses.
    """
    probe = start_probe()
    with Engine() as engine:
        with suppress(EngineError):  # the first request says why
            engine.start()  # its seconds of imports pass during those below
        from trame.app import get_server

        from ..session import ReaderApart, Roots, state_folder
        from .files import PageFiles
        from .workspace import Workspace

        check_rendering(probe)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server = get_server("diffufusemed", client_type="vue3")
        limits = Limits(total_bytes=upload_limit_bytes) if upload_limit_bytes else None
        http_layer = install(server, binding, Uploads(limits=limits))
        allowed = Roots([*_roots(case, roots), http_layer.uploads.session])
        reading = ReaderApart()
        reading.start()
        page_files = PageFiles(http_layer.uploads, http_layer.downloads)
        workspace = Workspace(server, loop, page_files, engine, presets, state_folder(), reading, allowed)
        if warning := binding.warning:
            say(warning)

        def ready(**_: object) -> None:
            say(binding.address)
            with server.state:  # trame would not tell a page that connects meanwhile of what is not flushed here
                if case is not None:
                    workspace.session.open(case)
            if open_browser and _has_screen():
                webbrowser.open(binding.address)

        server.controller.on_server_ready.add(ready)
        try:
            server.start(**start_arguments(binding))
        finally:
            workspace.close()
            reading.close()
            http_layer.uploads.remove()


def _roots(case: Path | None, roots: Sequence[Path]) -> list[Path]:
    if roots:
        return [*roots, *([case] if case is not None and case.is_dir() else [])]
    return [case.absolute().parent if case is not None else Path.cwd()]


def start_probe() -> subprocess.Popen:
    """One picture, drawn in a process of its own: without its libraries, VTK ends the whole process."""
    os.environ.setdefault(RENDERING, "vtkEGLRenderWindow")
    return subprocess.Popen([sys.executable, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check_rendering(probe: subprocess.Popen) -> None:
    """Raises InputError when the picture could not be drawn."""
    try:
        failed = probe.wait(PROBE_S)
    except subprocess.TimeoutExpired:
        probe.kill()
        raise
    if failed:
        remedy = f"on Debian or Ubuntu run: sudo apt-get install -y {PACKAGES}"
        raise input_error("a machine on which nothing can be rendered", "EGL with a software or GPU driver", remedy)


def _has_screen() -> bool:
    """Whether a browser could show anything: on Linux it needs a display server."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
