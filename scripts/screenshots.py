"""Make Resources/Screenshots from the product itself, so that they stay true: the workspace, a report of its own, and
the panel of Slicer's module.

Usage: .venv/bin/python scripts/screenshots.py [OUT_FOLDER] [--only browser|desktop]. Needs what `make setup` installs,
and chromium for the browser's. The panel is shown by the stand-in for Slicer's Qt layer, which has no slice views.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CASE = ROOT / "Resources" / "SampleData" / "STS_010"
OUT = ROOT / "Resources" / "Screenshots"
SIZE = {"width": 1440, "height": 900}
REPORT = {"width": 1280, "height": 1500}
LARGEST = 400_000  # bytes of a picture: every one of them stays in the history for good
COLORS = (256, 128, 64, 32)
AS_PNG = ("desktop",)  # by CMakeLists.txt; the others are WebP, half as large
QUALITY = 88
PATIENCE_MS = 30_000
LONG_MS = 300_000  # fusing, segmenting and finding the reasons on a busy machine without a GPU
TEXT = "(place => document.querySelector(place)?.innerText.trim() ?? '')"
STROKE_PX = 120  # on either side: nothing but the region can be painted
CALM_S, CHECKS = 0.7, 120
PANEL_WIDTH, PANEL_SCALE = 620, "1.25"
SECTIONS = ("inputs", "fusion", "modalities", "display", "segmentation", "uncertainty", "review", "results", "about")


@contextmanager
def workspace() -> Iterator[str]:
    """The address of a server of its own, which ends with the block."""
    command = [Path(sys.executable).with_name("diffufusemed"), "web", CASE, "--port", "0", "--no-browser"]
    with tempfile.TemporaryDirectory(prefix="state-") as state:  # or the next start would offer this one's corrections
        environment = {**os.environ, "XDG_STATE_HOME": state}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
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


def save(png: bytes, folder: Path, name: str) -> Path:
    """NAME.webp, or NAME.png with as many colors as fit under LARGEST; returns the file."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    if name not in AS_PNG:
        path = folder / f"{name}.webp"
        picture.save(path, "WEBP", quality=QUALITY, method=6)
        return path
    path = folder / f"{name}.png"
    for colors in COLORS:
        packed = BytesIO()
        picture.quantize(colors, kmeans=3, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() < LARGEST:
            path.write_bytes(packed.getvalue())
            return path
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
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.wait_for_selector("#choice-1.shown")
    yield "choose", calm(page)
    page.keyboard.press("1")
    page.click("#tool-paint")
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
    until(page, "window.trame.state.get('s_undo_words') === 'an edit of the lesion'")
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


def panel_pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of the panel in Slicer, one patient from DICOM to DICOM SEG; folder: for the patient's files."""
    sys.path[:0] = [str(ROOT / "Testing"), str(ROOT / "Testing" / "desktop")]
    os.environ["QT_SCALE_FACTOR"] = PANEL_SCALE  # read by Qt when it starts
    os.environ["XDG_STATE_HOME"] = str(folder / "state")  # or corrections of an earlier start would be offered
    import dicom_patient
    import host

    host.start()
    widget = host.load_module(ROOT / "DiffuFuseMed" / "DiffuFuseMed.py")
    ui, context = widget.ui, PanelReader(host, widget)
    series = dicom_patient.write_patient(folder / "patient", shrink=2, step=1)
    host.add_dicom(folder / "patient")
    for uid in series.values():
        host.load_dicom(uid)
    context.open()
    yield "desktop-inputs", context.shown(ui.inputsSection, ui.fusionSection)
    context.segment()
    yield "desktop-doubt", context.shown(ui.modalitiesSection, ui.segmentationSection, ui.uncertaintySection)
    context.correct()
    yield "desktop-review", context.shown(ui.reviewSection)
    context.export(folder)
    yield "desktop-results", context.shown(ui.resultsSection, ui.aboutSection, also=(ui.messageLabel,))
    context.show_all()
    yield "desktop", context.shown()
    host.close()


class PanelReader:
    """What a reader does to the panel."""

    def __init__(self, host: Any, widget: Any) -> None:
        self._host, self._widget, self._ui = host, widget, widget.ui
        self._sections = [getattr(widget.ui, f"{name}Section") for name in SECTIONS]

    def open(self) -> None:
        ui = self._ui
        self._until(lambda: self._widget.workspace.panel.found is not None)
        ui.guessButton.click()
        ui.openButton.click()
        self._fused()
        self._host.drag(ui.alphaSlider, 0.5, 0.6, 0.7)
        self._fused()

    def segment(self) -> None:
        self._ui.runButton.click()
        self._until(lambda: self._ui.numbersTable.rowCount > 0)
        self._until(lambda: not self._widget.workspace.session.view_state.explaining)
        self._fused()

    def correct(self) -> None:
        """Grow the first region, accept it, and go to the next."""
        ui, editor = self._ui, self._widget.workspace.editor.widget
        ui.nextButton.click()
        self._until(lambda: ui.acceptButton.enabled)
        editor.setActiveEffectByName("Margin")
        editor.activeEffect().self().onApply()
        self._until(lambda: ui.editedLabel.text != "")
        ui.acceptButton.click()
        self._until(lambda: "1 of" in ui.progressLabel.text)
        editor.setActiveEffectByName("Paint")
        self._fused()

    def export(self, folder: Path) -> None:
        (folder / "seg").mkdir()
        self._host.file_answers.append(str(folder / "seg"))
        self._ui.exportDicomButton.click()
        self._until(lambda: self._ui.messageLabel.text.endswith("was saved."))

    def show_all(self) -> None:
        for section in self._sections:
            section.visible = True
            section.collapsed = section.name in ("inputsSection", "displaySection", "aboutSection")

    def shown(self, *sections: Any, also: tuple[Any, ...] = ()) -> bytes:
        """The panel as PNG, with these sections alone; all of them where none is named."""
        for section in self._sections if sections else ():
            section.visible = any(section is wanted for wanted in sections)
            section.collapsed = not section.visible
        self._ui.messageLabel.visible = bool(also)
        self._host.process_events(0.3)
        with tempfile.TemporaryDirectory() as folder:
            height = self._widget.parent.sizeHint.height() + 8
            path = self._host.screenshot(self._widget, Path(folder) / "panel.png", (PANEL_WIDTH, height))
            return path.read_bytes()

    def _fused(self) -> None:
        self._until(lambda: self._ui.fusionStateLabel.text.startswith("fused"))

    def _until(self, condition: Callable[[], bool]) -> None:
        if not self._host.process_events(until=condition, limit_s=LONG_MS / 1000):
            raise SystemExit(f"screenshots: the panel stood still; message: {self._ui.messageLabel.text}")


def in_the_browser() -> Iterator[tuple[str, bytes]]:
    with workspace() as address, sync_playwright() as playwright:
        yield from pictures(opened(playwright, address))


def in_slicer() -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        yield from panel_pictures(Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=OUT)
    parser.add_argument("--only", choices=("browser", "desktop"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    makers = {"browser": in_the_browser, "desktop": in_slicer}
    for make in makers.values() if options.only is None else (makers[options.only],):
        for name, png in make():
            print(save(png, options.out, name))  # noqa: T201


if __name__ == "__main__":
    main()
