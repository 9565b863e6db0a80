"""The middleware in front of everything: only this host's pages, and only with the cookie of this run.

The Host header is checked against DNS rebinding, the Origin against other sites' pages. Cookies do not tell ports
apart, so another program on this computer counts as another site too.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from . import pages
from .binding import Binding
from .token import is_same

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_OPEN = "open the address that DiffuFuseMed printed when it started, which ends in ?token=..."


class Guard:
    """Exchanges the token of a binding for its cookie and refuses every request without it. admitted(request): called
    for each that has it."""

    def __init__(self, binding: Binding, admitted: Callable[[web.Request], None] = lambda _: None) -> None:
        self.binding, self._admitted = binding, admitted

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_ours(request):
            return pages.forbidden("another name than this server's", "its own", _OPEN)
        request["checked_host"] = request.headers["Host"]
        if request.method == "GET" and request.path == "/" and "token" in request.query:
            return self._exchanged(request)
        if not is_same(request.cookies.get(self.binding.cookie_name), self.binding.cookie):
            return pages.forbidden("an address without its token", "the one with it", _OPEN)
        if _is_foreign(request):
            return pages.forbidden("a request from another site's page", "one from DiffuFuseMed's own", _OPEN)
        self._admitted(request)
        return await handler(request)

    def _exchanged(self, request: web.Request) -> web.StreamResponse:
        if not is_same(request.query["token"], self.binding.token):
            return pages.forbidden("a token that is wrong or of an earlier start", "this start's token", _OPEN)
        from_elsewhere = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        answer = pages.bounce() if from_elsewhere else web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            self.binding.cookie_name,
            self.binding.cookie,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return answer

    def _is_ours(self, request: web.Request) -> bool:
        match = _HOST.fullmatch(request.headers.get("Host", ""))
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        return name in _LOOPBACK_NAMES or name in self._names_of(request)

    def _names_of(self, request: web.Request) -> set[str]:
        """The host that was bound; where that is every network: what this computer is called, and the address that
        this very request came in on."""
        if not self.binding.is_wildcard:
            return {self.binding.host.lower()}
        names = {socket.gethostname().lower()}
        place = request.transport.get_extra_info("sockname") if request.transport else None
        return names | {_plain(place[0])} if place else names


def is_websocket(request: web.Request) -> bool:
    """Whether a request asks to become a websocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _is_foreign(request: web.Request) -> bool:
    """Whether another site's page made it. A link to / is welcome from anywhere: it reads and changes nothing."""
    origin = request.headers.get("Origin")
    own = f"{'https' if request.secure else 'http'}://{request.headers['Host']}"
    if origin is not None or is_websocket(request) or request.method not in ("GET", "HEAD"):
        return origin is None or origin.lower() != own.lower()
    if request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
        return False
    is_link = request.headers.get("Sec-Fetch-Dest") == "document"
    return not (is_link and request.path == "/" and not request.query_string)


def _plain(address: str) -> str:
    """An IPv4 address that arrived through IPv6 in its usual form."""
    found = ipaddress.ip_address(address.split("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)
