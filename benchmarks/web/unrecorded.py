"""A tab that nobody records, for the soak.

Playwright listens to every page's network, and Chromium keeps for such a listener what was loaded, up to 200 MB. Beside
pictures that come by the thousand that reads as a page that grows (0.1 MB a slider value) and is none: without a
listener the same page stays where it is.
"""

from __future__ import annotations

import json
import time
from importlib.resources import files
from itertools import count
from typing import Any

from DiffuFuseMedLib.core.errors import InputError, input_error

from benchmarks.web.reader import THUMB, TRACK, VIEWPORT

SOAK_PICTURE_MS = 1000
POLL_S = 0.004
ANSWER_S = 60.0
NO_TOUR = "localStorage.setItem('diffufusemed-tour-seen', '1');"
MIDDLE = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x, y + height / 2, width];
}"""


class UnrecordedTab:
    """browser: Playwright's Chromium; address: of the workspace; cookies: by which it knows the reader.

    Raises InputError for a page that does not answer, or not with the workspace.
    """

    def __init__(self, browser: Any, address: str, cookies: list[dict[str, Any]]) -> None:
        self._browser = browser.new_browser_cdp_session()
        self._numbers = count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._context = self._browser.send("Target.createBrowserContext")["browserContextId"]
        known = [{"name": each["name"], "value": each["value"], "url": address} for each in cookies]
        self._browser.send("Storage.setCookies", {"cookies": known, "browserContextId": self._context})
        tab = self._browser.send("Target.createTarget", {"url": "about:blank", "browserContextId": self._context})
        self._session = self._browser.send("Target.attachToTarget", {"targetId": tab["targetId"], "flatten": False})
        self._browser.on("Target.receivedMessageFromTarget", self._received)
        self._call("Emulation.setDeviceMetricsOverride", **VIEWPORT, deviceScaleFactor=1, mobile=False)
        probe = files(__package__).joinpath("probe.js").read_text(encoding="utf-8")
        self._call("Page.enable")
        self._call("Page.addScriptToEvaluateOnNewDocument", source=NO_TOUR + probe)
        self._call("Page.navigate", url=address)

    def close(self) -> None:
        self._browser.send("Target.disposeBrowserContext", {"browserContextId": self._context})
        self._browser.detach()

    def wait(self, condition: str, seconds: float) -> None:
        """condition: JavaScript."""
        until = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > until:
                raise InputError(f"Given a page without {condition} within {seconds:g} s, wanted it: run it again.")
            time.sleep(25 * POLL_S)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or what the promise that it is comes to."""
        told = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            reason = told["exceptionDetails"].get("exception", {}).get("description", "no reason given").splitlines()[0]
            raise input_error(f"a page that failed ({reason.rstrip('.')})", "one that answers", "run it again")
        return told["result"].get("value")

    def take_through(self, slider: str, values: int) -> int:
        """One drag through `values` places each left when a picture came; how many came within a second."""
        x, y, width = self.evaluate(f"({MIDDLE})('#slider-p_{slider} {TRACK}')")
        left, middle, thumb = self.evaluate(f"({MIDDLE})('#slider-p_{slider} {THUMB}')")
        self._mouse("mouseMoved", left + thumb / 2, middle)
        self._mouse("mousePressed", left + thumb / 2, middle)
        seen = 0
        for place in [x + width * (number + 0.5) / values for number in range(values)]:
            self._mouse("mouseMoved", place, y)
            seen += self.evaluate(f"benchProbe.any({SOAK_PICTURE_MS})")
        self._mouse("mouseReleased", place, y)
        return seen

    def collect_garbage(self) -> None:
        """So that what the page keeps is told from what it will throw away."""
        self._call("HeapProfiler.collectGarbage")

    def _mouse(self, kind: str, x: float, y: float) -> None:
        self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = json.dumps({"id": number, "method": method, "params": parameters})
        self._browser.send("Target.sendMessageToTarget", {**self._session, "message": message})
        until = time.monotonic() + ANSWER_S
        while number not in self._answers:
            if time.monotonic() > until:
                raise input_error("a page that does not answer", "one that does", "run it again")
            time.sleep(POLL_S)
            self._browser.send("Browser.getVersion")  # Playwright hands events on while it is asked something
        return self._answers.pop(number)

    def _received(self, event: dict[str, Any]) -> None:
        told = json.loads(event["message"])
        if "id" in told:
            self._answers[told["id"]] = told.get("result", {})
