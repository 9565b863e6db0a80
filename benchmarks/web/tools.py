"""How long each tool leaves the page without an answer: the thread that hears the hand also draws and edits."""

from __future__ import annotations

from typing import Any

from benchmarks.web.reader import Reader

IDLE_S = 2.0  # with the tool in hand and the hand still
MOVES, REPEAT_MS = 15, 33  # of the threshold's lower end
MOVE = """(share) => {
  const [low, high] = window.trame.state.get("threshold_ends");
  window.trame.state.set("threshold", [low + share * (high - low), high]);
}"""
STROKE = ((0.45, 0.45), (0.55, 0.55), (0.55, 0.45))  # of the axial view
APPLIED = ("threshold", "islands", "smooth")
STROKED = ("paint", "erase")


def hold_tools(reader: Reader) -> dict[str, dict[str, float]]:
    """Milliseconds of the longest wait for an answer, by tool and by what was done with it, in the worklist's first
    region; "look" is without a tool. Every edit is undone."""
    reader.page.locator("#worklist tbody tr").first.click()
    reader.until("Number.isInteger(s('s_region'))", "a chosen region")
    return {tool: _hold(reader, tool) for tool in ("look", *STROKED, *APPLIED)}


def longest(held: dict[str, dict[str, float]]) -> float:
    """Of all tools, without what the page takes with none in hand."""
    return max(ms for tool, found in held.items() if tool != "look" for ms in found.values())


def _hold(reader: Reader, tool: str) -> dict[str, float]:
    reader.page.locator(f"#tool-{tool}").scroll_into_view_if_needed()
    held = {}
    if tool != "look":
        held["taken_up"] = _waited(reader, lambda: _take_up(reader, tool))
    held["in_hand"] = _waited(reader, lambda: reader.page.wait_for_timeout(1000 * IDLE_S))
    if tool == "threshold":
        held["moved"] = _waited(reader, lambda: _move(reader))
    if tool in STROKED:
        held["stroke"] = _waited(reader, lambda: _stroke(reader))
    if tool in APPLIED:
        held["applied"] = _waited(reader, lambda: _apply(reader))
    if tool != "look":
        held["undone"] = _waited(reader, lambda: _undo(reader))
        reader.page.keyboard.press("Escape")
        reader.until("s('tool') === 'look'", "a tool laid down")
    return held


def _take_up(reader: Reader, tool: str) -> None:
    reader.page.locator(f"#tool-{tool}").click()
    reader.until(f"s('tool') === '{tool}'", tool)


def _waited(reader: Reader, act: Any) -> float:
    """What the page waited for an answer at most while act() went on, and until what followed from it was drawn."""
    reader.page.evaluate("benchProbe.ask()")
    act()
    reader.page.wait_for_timeout(500)
    return round(reader.page.evaluate("benchProbe.answered()"), 1)


def _move(reader: Reader) -> None:
    for n in range(1, MOVES + 1):
        reader.page.evaluate(MOVE, n / (MOVES + 1))
        reader.page.wait_for_timeout(REPEAT_MS)


def _stroke(reader: Reader) -> None:
    box = reader.page.locator("#stage img").first.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in STROKE]
    reader.page.mouse.move(*places[0])
    reader.page.mouse.down()
    for place in places[1:]:
        reader.page.mouse.move(*place, steps=10)
    reader.page.mouse.up()


def _apply(reader: Reader) -> None:
    reader.page.locator("#section-review [id^=apply-]").click()
    reader.page.wait_for_timeout(100)
    reader.until("!s('s_applying')", "an applied tool")


def _undo(reader: Reader) -> None:
    reader.page.evaluate("window.trame.trigger('key', ['undo'])")
