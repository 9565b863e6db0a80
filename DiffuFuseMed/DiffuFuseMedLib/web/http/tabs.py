"""One tab at a time: all pictures of a view come from one render window, so a second tab would resize the first's.

The tab that holds the case is the one with the open websocket. Another is told so, and takes it over only when asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from .guard import is_websocket

TAKEN_OVER, ELSEWHERE = 4001, 4002  # close codes that SCRIPT understands; 4000 to 4999 are an application's own
WAIT_S = 2.0

# Runs before trame's own scripts. A reload asks for its page before the old one is gone, so the old one closes its
# websocket by itself; trame's client does so too, but only once all of it is loaded. One that is still being opened is
# closed as soon as it is: to close it before is an error on the browser's console. So would be what trame's client,
# which goes on to the end, asks for over a closed one.
SCRIPT = f"""<script>
(() => {{
  const pages = {{{TAKEN_OVER}: "/tab/taken", {ELSEWHERE}: "/tab/elsewhere"}};
  const open = new Set();
  let leaving = false, gone = false;
  window.WebSocket = class extends window.WebSocket {{
    constructor(...args) {{
      super(...args);
      this.addEventListener("open", (event) => {{
        open.add(this);
        if (!gone) return;
        event.stopImmediatePropagation();  // trame's client would say hello over it
        this.close();
      }});
      this.addEventListener("close", (event) => {{
        open.delete(this);
        if (!pages[event.code]) return;
        leaving = true;
        event.stopImmediatePropagation();  // trame's client would report a lost connection
        window.location.replace(pages[event.code]);
      }});
    }}
  }};
  window.addEventListener("beforeunload", (event) => {{
    if (!leaving && window.trame?.state?.get("s_unsaved")) {{
      event.preventDefault();  // the browser asks whether to leave
      event.stopImmediatePropagation();  // the reader may stay, so nobody says goodbye yet
      navigator.sendBeacon("/tab/leaving");
      return;
    }}
    if (leaving) event.stopImmediatePropagation();  // and would try to say goodbye over it
    setTimeout(() => {{
      gone = true;
      open.forEach((socket) => socket.close());
    }});
  }});
  window.addEventListener("unhandledrejection", (event) => {{ if (gone) event.preventDefault(); }});
}})();
</script>"""


@dataclass
class _Tab:
    """One connected tab: the request for its websocket and, once it is open, the websocket. may_leave: its reader was
    asked whether to leave it, and a page that is asked for may be its own reload."""

    request: web.Request
    socket: web.WebSocketResponse | None = None
    may_leave: bool = False

    @property
    def is_cut_off(self) -> bool:
        """Whether its connection is gone, even where the server has not come to the end of what it did for it."""
        transport = self.request.transport
        return transport is None or transport.is_closing()


class Tabs:
    """Which tab holds the case. wait_s: how long a newcomer waits for a tab that may be closing (a reload)."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self.wait_s = wait_s
        self._holder: _Tab | None = None
        self._freed = asyncio.Event()
        self._ending: set[asyncio.Future] = set()  # tabs that were taken over and are being told so

    @property
    def is_held(self) -> bool:
        """Whether a tab is connected."""
        return self._holder is not None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets one websocket through at a time; others are closed at once with the code ELSEWHERE."""
        if not is_websocket(request):
            return await handler(request)
        if not await self.wait_until_free():
            return await _turned_away(request)
        tab = self._holder = _Tab(request)
        self._freed.clear()
        try:
            return await handler(request)
        finally:
            if self._holder is tab:  # else another has it by now
                self._free()

    def may_leave(self) -> None:
        """The reader of the tab that holds the case is asked whether to leave it."""
        if self._holder is not None:
            self._holder.may_leave = True

    async def wait_for_page(self) -> bool:
        """Whether the page may be shown now: when no tab is connected, or the one that is may be about to be reloaded.
        That one goes on until its page is there, and who then finds the case held is told over the websocket."""
        if self._holder is not None and self._holder.may_leave:
            self._holder.may_leave = False
            return True
        return await self.wait_until_free()

    async def remember_socket(self, request: web.Request, response: web.StreamResponse) -> None:
        """Handler of aiohttp's on_response_prepare signal: keeps the websocket that the holder's request became."""
        if self._holder and self._holder.request is request and isinstance(response, web.WebSocketResponse):
            self._holder.socket = response

    async def wait_until_free(self) -> bool:
        """Wait up to wait_s until no tab is connected; returns whether that is so."""
        deadline = asyncio.get_running_loop().time() + self.wait_s
        if self._holder is not None and self._holder.is_cut_off:
            self._free()
        while self._holder is not None:
            left_s = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._freed.wait(), max(left_s, 0))
            except TimeoutError:
                return self._holder is None
        return True

    def take_over(self) -> None:
        """Free the case at once. The tab that held it is told with the code TAKEN_OVER; nobody waits for that, for it
        may be asleep or cut off, and what the server does for it may never end."""
        if self._holder is not None:
            ending = asyncio.ensure_future(self._end(self._holder))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            self._free()

    async def _end(self, tab: _Tab) -> None:
        if tab.socket is not None:
            closing = asyncio.ensure_future(tab.socket.close(code=TAKEN_OVER, message=b"taken over"))
            await asyncio.wait({closing}, timeout=self.wait_s)
        if tab.request.transport:
            tab.request.transport.abort()

    def _free(self) -> None:
        self._holder = None
        self._freed.set()


async def _turned_away(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(timeout=WAIT_S)
    await socket.prepare(request)
    await socket.close(code=ELSEWHERE, message=b"open in another tab")
    return socket
