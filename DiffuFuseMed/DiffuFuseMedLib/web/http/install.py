"""Put the HTTP layer (guard, tabs, uploads, downloads) on a trame server, before it listens."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import input_error
from .binding import Binding
from .doorman import Doorman
from .downloads import Downloads
from .guard import Guard
from .headers import add_headers
from .page import Page
from .tabs import Tabs
from .uploads import Uploads


@dataclass(frozen=True)
class HttpLayer:
    """What stands in front of the workspace."""

    binding: Binding
    uploads: Uploads
    downloads: Downloads
    tabs: Tabs


def install(server: Any, binding: Binding, uploads: Uploads, downloads: Downloads | None = None) -> HttpLayer:
    """Put the HTTP layer on a trame server that has not been started; start it with start_arguments(binding).

    trame calls on_server_bind with wslink's server once aiohttp's application exists and before it is frozen and
    gets its static routes (trame_server.protocol.CoreServer.set_server, wslink.server.start_webserver).
    """
    http_layer = HttpLayer(binding, uploads, downloads or Downloads(uploads.session), Tabs())
    os.environ.setdefault("TRAME_ARGS", "")  # or trame would read the options of this program as its own
    server.controller.on_server_bind.add(lambda web_app: _bind(http_layer, web_app))
    server.controller.on_server_exited.add(lambda **_: uploads.remove())
    return http_layer


def start_arguments(binding: Binding) -> dict[str, Any]:
    """Arguments for trame's server.start: no line of its own about an address without a token, no browser opened on
    it, no end while nobody is connected."""
    quiet = {"open_browser": False, "show_connection_info": False, "timeout": 0}
    return {"host": binding.host, "port": binding.port, "backend": "aiohttp", **quiet}


def _bind(http_layer: HttpLayer, web_app: Any) -> None:
    if getattr(web_app, "app", None) is None:
        given = "a start as another server's client (--reverse-url)"
        raise input_error(given, "a server that listens by itself", "leave that option out")
    web_app.config.update(host=http_layer.binding.host, port=http_layer.binding.port)  # whatever else start() was given
    doorman, app = Doorman(lambda: web_app.runner), web_app.app
    guard = Guard(http_layer.binding, doorman.admit)
    app.cleanup_ctx.append(doorman.at_work)
    app.middlewares[:0] = [guard.middleware, http_layer.tabs.middleware]
    app.on_response_prepare.extend([add_headers, http_layer.tabs.remember_socket])
    for part in (Page(Path(web_app.config["static"]["/"]), http_layer.tabs), http_layer.uploads, http_layer.downloads):
        app.router.add_routes(part.routes())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # its lines would hold the token
