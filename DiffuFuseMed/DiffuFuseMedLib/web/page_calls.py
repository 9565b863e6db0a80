"""What the page may ask of the server: a list of calls, of events of its life, and of states with their types.

trame offers a page more than this one uses: to end the server, to play its part (`trame.lifecycle.update`), to send
pictures in the server's place, and to write any state. What is not on the lists is not answered; a write of an unknown
state, or of a value of another type, is left out and logged by its name.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ..session import Parameters
from .state_sync import PARAMETERS, TOLD_ELSEWHERE
from .views import LAYOUT_ICONS

log = logging.getLogger(__name__)
LIFE, WRITE = "trame.lifecycle.update", "trame.state.update"
READ = ("trame.state.get", "trame.trigger", "trame.error.client")
VIEWS = ("trame.rca.size", "trame.rca.event", "trame.rca.video.codecs", "trame.rca.video.negotiate")
CALLS = frozenset((LIFE, WRITE, *READ, *VIEWS))
LIVES = frozenset(("client_connected", "client_mounted", "client_unmounted", "client_exited"))
LONGEST_TEXT = 4096  # of a path or a preset's reason
LARGEST = 1e12

Check = Callable[[Any], bool]


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) < LARGEST and math.isfinite(value)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def are_numbers(count: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) == count and all(map(is_number, value))


def _like(default: Any) -> Check:
    """What checks a parameter's value by the one that it begins with."""
    if isinstance(default, tuple):
        return are_numbers(len(default))
    if isinstance(default, bool):
        return is_flag
    return is_number if isinstance(default, int | float) else is_text


FLAGS = ("holding", "windowing", "dark", "brush_ball", "tour_open", "message_open", "asked_to_apply")
DIALOGS = ("help_dialog", "open_dialog", "scene_dialog", "preset_dialog")
TEXTS = ("open_path", "scene_path", "preset_title", "preset_why", "uploading")
STATES: dict[str, Check] = {
    **dict.fromkeys((*FLAGS, *DIALOGS), is_flag),
    **dict.fromkeys(TEXTS, is_text),
    "layout": lambda value: isinstance(value, str) and value in LAYOUT_ICONS,
    "brush_mm": is_number,
    "threshold": are_numbers(2),
    "tour_step": lambda value: is_number(value) and 0 <= value < 100 and value == int(value),
    **{
        f"p_{entry.name}": _like(entry.default)
        for entry in fields(Parameters)
        if entry.name in PARAMETERS and entry.name not in TOLD_ELSEWHERE
    },
}


def allowed(changes: Any) -> list[dict[str, Any]]:
    """Those of the page's writes, each {"key", "value"}, that are on the list and of their type."""
    changes = changes if isinstance(changes, list) else []
    found = [change for change in changes if _is_allowed(change)]
    if len(found) < len(changes):
        log.warning("the page wrote %d states that it may not, or with other types", len(changes) - len(found))
    return found


def _is_allowed(change: Any) -> bool:
    key = change.get("key") if isinstance(change, dict) else None
    check = STATES.get(key) if isinstance(key, str) else None
    return check is not None and check(change.get("value"))


def restrict(calls: dict[str, tuple[Any, Callable[..., Any]]]) -> None:
    """Take all others out of a connection's calls (wslink's: by name, an object and its method)."""
    for name in [name for name in calls if name not in CALLS]:
        del calls[name]
    live, write = calls[LIFE][1], calls[WRITE][1]
    calls[LIFE] = (calls[LIFE][0], lambda server, name: live(server, name) if _is_life(name) else None)
    calls[WRITE] = (calls[WRITE][0], lambda server, changes: write(server, allowed(changes)))


def _is_life(name: Any) -> bool:
    return isinstance(name, str) and name in LIVES


def restrict_page(server: Any) -> None:
    """Of a trame server that has not been started. wslink makes each connection's calls before the application is bound
    (wslink.backends.aiohttp.WebAppServer)."""

    def bound(web_app: Any) -> None:
        for handler in web_app._ws_handlers:
            restrict(handler.functionMap)

    server.controller.on_server_bind.add(bound)
