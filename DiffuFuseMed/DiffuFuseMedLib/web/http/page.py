"""The workspace's page at /, given to one tab at a time, and the answers that trame's client asks for beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from . import pages
from .tabs import SCRIPT, Tabs

LATE_LOADING = re.compile(r'<div id="app"></div>\s*<script>[^<]*loading\.tpl[^<]*</script>')


class Page:
    """trame's index.html with the script of the tabs in it. www: trame's folder of static files."""

    def __init__(self, www: Path, tabs: Tabs) -> None:
        before, head, after = _with_loading(www).partition("<head>")
        self._html = before + head + SCRIPT + after
        self._tabs = tabs

    def routes(self) -> Iterable[web.RouteDef]:
        """To be added before wslink adds its static routes."""
        return (
            web.get("/", self.show),
            web.get("/index.html", _to_root),
            web.get("/tab/{state:taken|elsewhere}", _tell),
            web.post("/tab/leaving", self.leaving),
            web.post("/paraview/", _where_to_connect),
        )

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page; `?here=1` takes the case over first. trame's client reads options such as another server's
        address from the query: none is ever left in it."""
        if "here" in request.query:
            self._tabs.take_over()
        if request.query_string:
            return await _to_root(request)
        if not await self._tabs.wait_for_page():
            return pages.elsewhere()
        return web.Response(text=self._html, content_type="text/html")

    async def leaving(self, request: web.Request) -> web.StreamResponse:
        """The page's reader is asked whether to leave unsaved corrections."""
        self._tabs.may_leave()
        return web.Response(status=204)


def _with_loading(www: Path) -> str:
    """trame's page fetches what it shows while it loads and puts that into the page whenever it comes, on a busy
    machine over the workspace and for good. Here it stands there from the start."""
    page, loading = ((www / name).read_text(encoding="utf-8") for name in ("index.html", "loading.tpl"))
    return LATE_LOADING.sub(lambda _: f'<div id="app">{loading}</div>', page)


async def _to_root(request: web.Request) -> web.StreamResponse:
    return web.Response(status=303, headers={"Location": "/"})


async def _tell(request: web.Request) -> web.StreamResponse:
    return pages.taken_over() if request.match_info["state"] == "taken" else pages.elsewhere()


async def _where_to_connect(request: web.Request) -> web.StreamResponse:
    """trame's client first asks a launcher for its websocket; without an answer the browser reports an error."""
    scheme = "wss" if request.secure else "ws"
    return web.json_response({"sessionURL": f"{scheme}://{request['checked_host']}/ws"})
