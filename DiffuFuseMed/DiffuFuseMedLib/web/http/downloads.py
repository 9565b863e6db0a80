"""GET /download/<one-time id>: files that the workspace offers out of the session's private folder."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ...core.errors import input_error
from . import pages
from .names import safe_path


class Downloads:
    """Files offered once each. session: the private folder that they all have to be in."""

    def __init__(self, session: Path) -> None:
        self._session = session
        self._offered: dict[str, tuple[Path, str]] = {}

    def new_path(self, name: str) -> Path:
        """Where to write a file that is then offered under that name: alone in a new private folder."""
        folder = self._session / "exports" / secrets.token_hex(8)
        folder.mkdir(mode=0o700, parents=True)
        return folder / _file_name(name)

    def offer(self, path: Path, name: str) -> str:
        """The address, from / on, that gives the file once, to be saved under that name; raises InputError for what
        is no plain file inside the session's folder."""
        found = Path(path).resolve()
        if not found.is_file() or not found.is_relative_to(self._session.resolve()):
            raise input_error("a file outside of the session's folder", "one inside", "write it to new_path() first")
        offer_id = secrets.token_urlsafe(32)
        self._offered[offer_id] = (found, _file_name(name))
        return f"/download/{offer_id}"

    def routes(self) -> Iterable[web.RouteDef]:
        return (web.get("/download/{offer_id}", self.send, allow_head=False),)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Handle GET /download/<id>."""
        path, name = self._offered.pop(request.match_info["offer_id"], (None, ""))
        if path is None or not path.is_file():
            return pages.missing("a download that was fetched before or is gone", "a new one", "press its button again")
        fallback = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}",
        }
        return web.FileResponse(path, headers=headers)


def _file_name(name: str) -> str:
    safe = safe_path(name)
    return safe.name if safe else "download"
