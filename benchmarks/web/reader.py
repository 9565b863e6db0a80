"""A reader at the page: headless Chromium that opens the workspace, drags, runs and switches, and what it sees when."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from typing import Any

from DiffuFuseMedLib.core.errors import InputError, input_error

from benchmarks.web.figures import first_like_last, percentiles, pictures_of

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
VIEWPORT = {"width": 1280, "height": 800}
POLL_S = 0.1
CALM_MS = 700  # a view that is not stale for so long shows what it will show
DARK = 2.0  # mean gray of a view on which there is nothing yet
LEAST_SHARE = 0.3  # of an even step along a drag: a picture that moved by less is the one before, encoded again
TOLD_APART = 0.08  # gray values RMS between two encodings of one picture along a slider's direction, with room
LEAST_REACH = 0.5  # gray values RMS between a slider's ends: below, nothing of it can be seen in this slice
PICTURE_MS = 3000  # a move that is not answered by then is counted as unseen
HANDS_HZ = 60
OVERSHOOT_PX = 12
THUMB = ".v-slider-thumb"
TRACK = ".v-slider-track__background"


def check_browser() -> str:
    """Where Chromium is; InputError, in one sentence, without it or without playwright."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        remedy = "install it with: pip install playwright"
        raise input_error("a Python without playwright", "playwright, which drives the browser", remedy) from error
    if found := next(filter(None, map(shutil.which, CHROMIUM)), None):
        return found
    remedy = "on Debian or Ubuntu run: sudo apt-get install -y chromium"
    raise input_error("a machine without Chromium", "Chromium or Chrome, in which the page is measured", remedy)


@contextmanager
def a_browser(executable: str) -> Iterator[Any]:
    """Headless Chromium that is up and running, as the reader's own would be; what fails in it is an InputError."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Error as error:
            remedy = f"start {executable} by hand and mend what it says"
            raise input_error("a Chromium that does not start", "one that runs headless", remedy) from error
        try:
            yield browser
        except Error as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise input_error(f"a page that failed ({reason})", "one that answers", "run it again") from error
        finally:
            browser.close()


def moves_of(reach: float, values: int) -> tuple[str, list[float]]:
    """How a slider is dragged, and where to: in steps, in swings from end to end, or not at all when it changes
    nothing that can be seen in this slice."""
    if reach < LEAST_REACH:
        return "nothing to see in this slice", []
    if LEAST_SHARE * reach / values >= TOLD_APART:
        return "steps", [number / values for number in range(1, values + 1)]
    return "swings", [float(number % 2) for number in range(1, values + 1)]


def _stands_at(thumb: Any, value: float) -> bool:
    return float(thumb.get_attribute("aria-valuenow")) == value


class Reader:
    """One tab. wait_s: the longest that anything may take; behind_s: the longest to wait for what goes on behind the
    page, without which it is at work."""

    def __init__(self, browser: Any, wait_s: float, behind_s: float | None = None) -> None:
        self._wait_s, self._behind_s = wait_s, wait_s if behind_s is None else behind_s
        self.page = browser.new_page(viewport=VIEWPORT)
        self.errors: list[str] = []
        self.page.on("console", lambda m: self.errors.append(m.text[:300]) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)[:300]))
        self.page.add_init_script(files(__package__).joinpath("probe.js").read_text(encoding="utf-8"))

    def close(self) -> None:
        self.page.close()

    def open(self, address: str, began_s: float) -> dict[str, float | None]:
        """Seconds from the command to the panel, the case's name, the fused axial slice, and the whole fused volume;
        None for a volume that was not there in time."""
        self.page.goto(address)
        self._probe("keep()")
        panel_s = self._appears("#panel")
        case_s = self._appears("#fusion-state")
        self._calm()
        usable_s = first_like_last(pictures_of(self._probe("kept()")))
        self._leave_the_tour()
        volume_s = self._behind(lambda: self._has_class("#fusion-state", "ready"))
        moments = {"panel_s": panel_s, "case_s": case_s, "usable_s": usable_s, "volume_s": volume_s}
        return {name: None if at is None else round(at - began_s, 2) for name, at in moments.items()}

    def run(self) -> dict[str, Any]:
        """Click on Run: seconds to the contour on the slice, and how many steps of progress were shown."""
        self.page.evaluate("benchProbe.texts.clear(), benchProbe.shares.clear()")
        run_s = self._until_contour("#run", lambda: self._says("#run-state", "done"))
        texts, shares = self.page.evaluate("[[...benchProbe.texts], [...benchProbe.shares]]")
        return {"run_s": run_s, "progress_states": len(set(texts)), "bar_positions": len(set(shares))}

    def switch(self, modality: str, on: bool) -> float:
        """Seconds from the click on a modality's switch to its new contour on the slice."""
        words = "with all modalities" if on else f"without {modality}"
        return self._until_contour(f"#switch-{modality}", lambda: self._says("#change", words))

    def quiet(self) -> None:
        """Wait for what goes on behind the page: the reasons of the doubts, and the volume."""
        self._behind(lambda: not self._says("#progress", "reasons"))
        self._behind(lambda: self._has_class("#fusion-state", "ready"))

    def drag(self, slider: str, values: int) -> dict[str, Any]:
        """From the low end to the high one in `values` moves, each made when the picture of the one before was seen.

        A slider that changes too little for its steps to be told apart swings from end to end instead (how). unseen:
        moves without a picture of their own in 3 s; reach: gray values RMS between the ends.
        """
        track = self._track(slider)
        self._probe("forget()")
        self._press(slider)
        for end, at in (("low", 0.0), ("high", 1.0), ("low", 0.0)):
            self._move(track, at)
            self._answered()
            self._probe(f"mark('{end}')")
        reach = self._probe("reach()")
        how, moves = moves_of(reach, values)
        seen = self._follow(track, moves)
        self.page.mouse.up()
        latencies = [ms for ms in seen if ms is not None]
        return {**percentiles(latencies), "unseen": seen.count(None), "how": how, "reach": round(reach, 2)}

    def fast_drag(self, slider: str, seconds: float) -> dict[str, float]:
        """To and fro once a second at a hand's pace, waiting for nothing: pictures a second, and milliseconds from the
        last move until nothing changes any more."""
        track = self._track(slider)
        self._press(slider)
        before, began = self._probe("count"), time.monotonic()
        self._shake(track, seconds)
        passed, shown = time.monotonic() - began, self._probe("count") - before
        self._answered()
        settled_ms = self.page.evaluate("Math.max(0, benchProbe.changedAt - benchProbe.moved)")
        self.page.mouse.up()
        return {"pictures_per_s": round(shown / passed, 1), "settled_ms": round(settled_ms, 1)}

    def until(self, condition: str, what: str) -> None:
        """condition: JavaScript, in which s(name) is a value of the page's state. InputError when it does not hold in
        time."""
        asked = f"(() => {{ const s = (name) => window.trame.state.get(name); return {condition}; }})()"
        self._until(lambda: bool(self.page.evaluate(asked)), what)

    def _follow(self, track: dict[str, float], moves: list[float]) -> list[float | None]:
        """Milliseconds from each move to its picture; None for one that was not seen."""
        place, at, found = 0.0, 0.0, []
        for target in moves:
            self._move(track, target)
            picture = self.page.evaluate(f"benchProbe.next({place}, {LEAST_SHARE * (target - at)}, {PICTURE_MS})")
            found.append(picture and picture["ms"])
            place, at = picture["place"] if picture else place, target
        return found

    def _shake(self, track: dict[str, float], seconds: float) -> None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            self._move(track, abs(2 * (passed % 1) - 1))
            next_at = began + (int(passed * HANDS_HZ) + 1) / HANDS_HZ
            self.page.wait_for_timeout(max(0.0, 1000 * (next_at - time.monotonic())))

    def _track(self, slider: str) -> dict[str, float]:
        """Its box on the page, in the middle of the panel: at its edge something else may lie over it."""
        found = self.page.locator(f"#slider-p_{slider} {TRACK}")
        found.evaluate("element => element.scrollIntoView({ block: 'center', behavior: 'instant' })")
        return found.bounding_box()

    def _press(self, slider: str) -> None:
        """Take the thumb; InputError where the slider does not follow: what is measured then would be nothing."""
        thumb, track = self.page.locator(f"#slider-p_{slider} {THUMB}"), self._track(slider)
        box = thumb.bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        for end in (0.0, 1.0):
            self._move(track, end)
            self._until(partial(_stands_at, thumb, end), f"{slider} at {end:g}")

    def _move(self, track: dict[str, float], share: float) -> None:
        """At the ends a little beyond: the thumb may have been taken off its middle."""
        beyond = {0.0: -OVERSHOOT_PX, 1.0: OVERSHOOT_PX}.get(share, 0)
        self.page.mouse.move(track["x"] + share * track["width"] + beyond, track["y"] + track["height"] / 2)

    def _until_contour(self, button: str, told: Callable[[], bool]) -> float:
        """Seconds from the click on the button until the page told of the result and showed it."""
        self.page.locator(button).scroll_into_view_if_needed()
        self._probe("keep()")
        began_s = self._now()
        self.page.click(button, force=True)
        told_s = self._until(told, f"the result of {button}")
        self._calm()
        seen_s = first_like_last(pictures_of(self._probe("kept()")), told_s - POLL_S)
        return round(max(told_s, seen_s or told_s) - began_s, 2)

    def _answered(self) -> None:
        """Until the last move has its pictures, if it makes any, and they no longer come."""
        until = time.monotonic() + PICTURE_MS / 1000
        while not self._probe("since.length") and time.monotonic() < until:
            self.page.wait_for_timeout(1000 * POLL_S)
        self._calm()

    def _calm(self) -> None:
        """Until the axial view is of the present settings and its picture has arrived."""

        def calm() -> bool:
            seen = self._probe("calm()")
            return seen["notStale_ms"] > CALM_MS and seen["bright"] > DARK

        self._until(calm, "a fused axial slice")

    def _leave_the_tour(self) -> None:
        leave = self.page.locator("#tour >> text=Leave")
        try:
            leave.click(timeout=3000)
        except Exception as error:
            if "Timeout" not in type(error).__name__:
                raise

    def _appears(self, selector: str) -> float:
        self._until(lambda: bool(self._read(selector, "tagName")), selector)
        return self._now()

    def _says(self, selector: str, words: str) -> bool:
        return words in self._read(selector, "textContent")

    def _has_class(self, selector: str, name: str) -> bool:
        return name in self._read(selector, "className").split()

    def _read(self, selector: str, what: str) -> str:
        """Empty for what is not there: at once, since it may go between two questions."""
        return self.page.evaluate("([s, what]) => document.querySelector(s)?.[what] ?? ''", [selector, what])

    def _until(self, there: Callable[[], bool], what: str) -> float:
        """The moment it was there, in seconds since 1970."""
        if not self._came(there, self._wait_s):
            raise InputError(
                f"Given a page that did not show {what} within {self._wait_s:g} s, wanted it: {self._message()}."
            )
        return self._now()

    def _behind(self, there: Callable[[], bool]) -> float | None:
        return self._now() if self._came(there, self._behind_s) else None

    def _came(self, there: Callable[[], bool], wait_s: float) -> bool:
        """Ask ten times a second."""
        until = time.monotonic() + wait_s
        while not there():
            if time.monotonic() > until:
                return False
            self.page.wait_for_timeout(1000 * POLL_S)
        return True

    def _message(self) -> str:
        """What the page says to its reader, if anything."""
        said = " ".join(self._read("#message", "textContent").split()).rstrip(".")
        return f"it says {said!r}" if said else "choose a smaller case or another machine"

    def _now(self) -> float:
        return self._probe("now()") / 1000

    def _probe(self, call: str) -> Any:
        return self.page.evaluate(f"benchProbe.{call}")
