"""Make Resources/Screenshots from the product itself, so that they stay true: the workspace and a report of its own.

Usage: .venv/bin/python scripts/screenshots.py [OUT_FOLDER]. Needs chromium and what `make setup` installs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CASE = ROOT / "Resources" / "SampleData" / "STS_010"
OUT = ROOT / "Resources" / "Screenshots"
SIZE = {"width": 1440, "height": 900}
REPORT = {"width": 1280, "height": 1500}
LARGEST = 400_000  # bytes of a picture: every one of them stays in the history for good
COLORS = (256, 128, 64, 32)
PATIENCE_MS = 30_000
LONG_MS = 300_000  # fusing, segmenting and finding the reasons on a busy machine without a GPU
TEXT = "(place => document.querySelector(place)?.innerText.trim() ?? '')"
STROKE_PX = 120  # on either side: nothing but the region can be painted
CALM_S, CHECKS = 0.7, 120


@contextmanager
def workspace() -> Iterator[str]:
    """The address of a server of its own, which ends with the block."""
    command = [Path(sys.executable).with_name("diffufusemed"), "web", CASE, "--port", "0", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = next((line.strip() for line in server.stdout if line.startswith("http")), None)
        if address is None:
            raise SystemExit("screenshots: the workspace did not start; what it said is above")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


def opened(playwright: Playwright, address: str) -> Page:
    """The workspace in a browser of its own, past the tour, with the case open and fused."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page(viewport=SIZE)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.click("#tour >> text=Leave")
    until_fused(page)
    return page


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=LONG_MS)


def until_fused(page: Page) -> None:
    """The whole volume is fused with the present settings, and no view says otherwise."""
    until(page, f"{TEXT}('#fusion-state').includes('fused in') && !{TEXT}('#stage').includes('earlier settings')")


def calm(page: Page) -> bytes:
    """The page as PNG once two pictures of it are the same: the views are drawn on the server and arrive later."""
    last = b""
    for _ in range(CHECKS):
        now = page.screenshot()
        if now == last:
            return now
        last = now
        time.sleep(CALM_S)
    raise SystemExit("screenshots: the page never came to rest")


def show(page: Page, section: str) -> None:
    """Scroll the panel until a section is at its top, with nothing under the mouse."""
    page.locator(f"#section-{section}").evaluate("element => element.scrollIntoView({block: 'start'})")
    page.mouse.move(SIZE["width"] - 3, 3)


def save(png: bytes, path: Path) -> None:
    """With as many colors as fit under LARGEST."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    for colors in COLORS:
        packed = BytesIO()
        picture.quantize(colors, kmeans=3, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() < LARGEST:
            path.write_bytes(packed.getvalue())
            return
    raise SystemExit(f"screenshots: {path.name} does not fit into {LARGEST} bytes")


def pictures(page: Page) -> Iterator[tuple[str, bytes]]:
    """Name and PNG, in the order of a reader's work; the workspace starts dark."""
    page.click("#section-look button[value='Axial large']")
    show(page, "case")
    yield "fusion", calm(page)
    page.click("#section-look button[value='Four-up']")
    page.click("#run")
    until(page, f"!!{TEXT}('#region-1 td:last-child')")  # the reasons come last
    until_fused(page)
    show(page, "modalities")
    yield "workspace", calm(page)
    page.click("#region-1")
    page.wait_for_selector("#region-1.chosen")
    page.click("#tool-paint")
    page.wait_for_selector("#tool-paint.v-btn--variant-flat")
    until_fused(page)
    show(page, "review")
    yield "review", calm(page)
    decide(page)
    until_fused(page)
    page.click("#theme")
    show(page, "lesion")
    yield "light", calm(page)
    yield "report", report(page)


def decide(page: Page) -> None:
    """Paint a stroke through the region, accept it and the next two, so that the report has a review to show."""
    title = page.locator(".view-title", has=page.get_by_text("Axial", exact=True))
    view = title.locator("xpath=..").bounding_box()
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2  # where choosing the region has led
    page.mouse.move(x - STROKE_PX, y)
    page.mouse.down()
    page.mouse.move(x + STROKE_PX, y, steps=8)
    page.mouse.up()
    page.wait_for_selector("#undo-edit:enabled")
    for done in (1, 2, 3):
        page.click("#accept")
        until(page, f"{TEXT}('#progress').startsWith('{done} of')")
    until(page, f"{TEXT}('#region-1').includes('corrected')")


def report(page: Page) -> bytes:
    """The review's part of the report, as the workspace writes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        with page.expect_download() as download:
            page.click("#section-keep >> text=Report")
        download.value.save_as(path)
        paper = page.context.browser.new_page(viewport=REPORT)
        paper.goto(path.as_uri())
        return calm(paper)


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.mkdir(parents=True, exist_ok=True)
    with workspace() as address, sync_playwright() as playwright:
        for name, png in pictures(opened(playwright, address)):
            save(png, out / f"{name}.png")
            print(out / f"{name}.png")  # noqa: T201


if __name__ == "__main__":
    main()
