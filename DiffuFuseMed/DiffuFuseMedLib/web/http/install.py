"""Put the door on a trame server, before it listens."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import input_error
from .binding import Binding
from .downloads import Downloads
from .guard import Guard
from .headers import add_headers
from .page import Page
from .tabs import Tabs
from .uploads import Uploads


@dataclass(frozen=True)
class Door:
    """What stands in front of the workspace."""

    binding: Binding
    uploads: Uploads
    downloads: Downloads
    tabs: Tabs


def install(server: Any, binding: Binding, uploads: Uploads, downloads: Downloads | None = None) -> Door:
    """Put the door on a trame server that has not been started; start it with start_arguments(binding).

    trame calls on_server_bind with wslink's server once aiohttp's application exists and before it is frozen and
    gets its static routes (trame_server.protocol.CoreServer.set_server, wslink.server.start_webserver).
    """
    door = Door(binding, uploads, downloads or Downloads(uploads.session), Tabs())
    os.environ.setdefault("TRAME_ARGS", "")  # or trame would read the options of this program as its own
    server.controller.on_server_bind.add(lambda web_app: _bind(door, web_app))
    server.controller.on_server_exited.add(lambda **_: uploads.remove())
    return door


def start_arguments(binding: Binding) -> dict[str, Any]:
    """Arguments for trame's server.start: no line of its own about an address without a token, no browser opened on
    it, no end while nobody is connected."""
    quiet = {"open_browser": False, "show_connection_info": False, "timeout": 0}
    return {"host": binding.host, "port": binding.port, "backend": "aiohttp", **quiet}


def _bind(door: Door, web_app: Any) -> None:
    if getattr(web_app, "app", None) is None:
        given = "a start as another server's client (--reverse-url)"
        raise input_error(given, "a server that listens by itself", "leave that option out")
    web_app.config.update(host=door.binding.host, port=door.binding.port)  # whatever else start() was given
    guard, app = Guard(door.binding), web_app.app
    app.middlewares[:0] = [guard.middleware, door.tabs.middleware]
    app.on_response_prepare.extend([add_headers, door.tabs.remember_socket])
    for part in (Page(Path(web_app.config["static"]["/"]), door.tabs), door.uploads, door.downloads):
        app.router.add_routes(part.routes())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # its lines would hold the token
