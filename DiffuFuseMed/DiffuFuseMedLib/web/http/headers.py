"""Headers of every answer: no outside address, no framing, no guessing of types, no copy of a patient's page."""

from __future__ import annotations

from aiohttp import web

_KEPT = (".js", ".css", ".png", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".wasm", ".map")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Handler of aiohttp's on_response_prepare signal; the Host header has been checked by then or is left out."""
    response.headers.update(
        {
            "Content-Security-Policy": content_policy(request.get("checked_host")),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            # Parts of the program may be kept when the server says they are still the same; nothing else may.
            "Cache-Control": "private, no-cache" if request.path.endswith(_KEPT) else "no-store",
        }
    )


def content_policy(host: str | None) -> str:
    """The Content-Security-Policy for a page of this host ("name:port").

    Vue compiles its templates in the browser ('unsafe-eval'); trame's page and Script and Style widgets are inline.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            f"connect-src 'self'{sockets}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
