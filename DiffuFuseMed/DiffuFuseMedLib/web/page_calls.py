"""What the page may ask of the server: a list of calls with the types of their arguments, of events of its life, and of
states with their types.

trame offers a page more than this one uses: to end the server, to play its part (`trame.lifecycle.update`), to send
pictures in the server's place, to write any state, and a view of any size. What is not on the lists is not answered; a
call with other arguments, a write of an unknown state, or of a value of another type, is left out and logged.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ..session import Parameters
from .page_messages import bound_messages
from .state_sync import PARAMETERS, TOLD_ELSEWHERE
from .views import LAYOUT_ICONS, SLICE_POSITIONS

log = logging.getLogger(__name__)
LIFE, WRITE = "trame.lifecycle.update", "trame.state.update"
SIZE, EVENT = "trame.rca.size", "trame.rca.event"
TRIGGER = "trame.trigger"
SOON_S = 1e-6  # later than what wslink does after no time at all
LIVES = frozenset(("client_connected", "client_mounted", "client_unmounted", "client_exited"))
LONGEST_TEXT = 4096  # of a path or a preset's reason
LARGEST = 1e12
LONGEST_SIDE, MOST_PIXELS = 16_384, 1 << 25  # of a view, which the server makes room for: a screen of 8K
DEEPEST, MOST_PARTS = 3, 64  # of an event's own parts, such as the places of fingers

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


def is_name(value: Any) -> bool:
    """Or an id, which may be a number."""
    return (isinstance(value, str) and len(value) <= 200) or is_number(value)


def is_size(value: Any) -> bool:
    """w, h: pixels of the page; p: how many of the screen's are in one of those, along a side."""
    if not isinstance(value, dict):
        return False
    sides, ratio = [value.get(name, 300) for name in "wh"], value.get("p", 1)
    if not all(map(is_number, (*sides, ratio))) or not 0 < ratio <= 16:
        return False
    return all(0 <= side * ratio <= LONGEST_SIDE for side in sides) and math.prod(sides) * ratio**2 <= MOST_PIXELS


def is_event(value: Any) -> bool:
    """What a hand did: {"type": "MouseMove", "x": 10, ...}."""
    return isinstance(value, dict) and isinstance(value.get("type"), str) and _is_plain(value, 0)


def _is_plain(value: Any, depth: int) -> bool:
    """Finite numbers, short words and a few levels of these."""
    if isinstance(value, (list, dict)):
        parts = list(value.values()) if isinstance(value, dict) else value
        return depth < DEEPEST and len(parts) <= MOST_PARTS and all(_is_plain(part, depth + 1) for part in parts)
    return value is None or is_flag(value) or is_name(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_anything(_: Any) -> bool:
    return True


# The arguments of each call.
CALLS: dict[str, tuple[Check, ...]] = {
    LIFE: (_is_anything,),
    WRITE: (_is_anything,),  # each of its writes is looked at by itself
    "trame.state.get": (),
    TRIGGER: (is_name, _is_list, _is_dict),
    "trame.error.client": (is_text,),
    SIZE: (is_name, is_name, is_size),
    EVENT: (is_name, is_name, is_event),
    "trame.rca.video.codecs": (is_name,),
    "trame.rca.video.negotiate": (is_name, _is_list),
}


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
    **dict.fromkeys(SLICE_POSITIONS, is_number),
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
    calls[TRIGGER] = (calls[TRIGGER][0], _answered_last(calls[TRIGGER][1]))
    for name, (part, function) in list(calls.items()):
        calls[name] = (part, _called_rightly(name, function))


def _answered_last(trigger: Callable[..., Any]) -> Callable[..., Any]:
    """Answer the page's actions after what they changed: who waits for the answer shall know of it. wslink sends states
    by a timer, and answers at once, so a busy server would be drawing in between."""

    async def call(*arguments: Any) -> Any:
        answer = await trigger(*arguments)
        await asyncio.sleep(SOON_S)
        return answer

    return call


def _called_rightly(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, for arguments of its types alone."""

    def call(part: Any, *arguments: Any, **named: Any) -> Any:
        checks = CALLS[name]
        right = not named and len(arguments) == len(checks)
        if right and all(check(argument) for check, argument in zip(checks, arguments, strict=True)):
            return function(part, *arguments)
        log.warning("the page called %s with other arguments than it takes", name)
        return None

    return call


def _is_life(name: Any) -> bool:
    return isinstance(name, str) and name in LIVES


def restrict_page(server: Any) -> None:
    """Of a trame server that has not been started. wslink makes each connection's calls before the application is bound
    (wslink.backends.aiohttp.WebAppServer)."""

    def bound(web_app: Any) -> None:
        for handler in web_app._ws_handlers:
            restrict(handler.functionMap)
            bound_messages(handler)

    server.controller.on_server_bind.add(bound)
