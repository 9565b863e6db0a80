"""The real command in a process of its own, and a real Chromium that works with it the way a reader does."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import psutil
import pytest
import SimpleITK as sitk

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
SCREENSHOTS = os.environ.get("DIFFUFUSEMED_SCREENSHOTS")  # a folder to look at what the tests saw
OVER_THE_PICTURE = (
    ".view-title, .view-note, .view-slider, .view-corner, .legends, .tour, .message { visibility: hidden !important }"
)
# Of the case's images: slices in the drawn lesion's middle (it is in 16 to 42), and its leg with the air around it.
SLICES, ROWS, COLUMNS = slice(20, 38), slice(4, 132), slice(30, 182)
PROBE = re.compile(r"([RL]) (\d+)\s+([AP]) (\d+)\s+([SI]) (\d+) mm")
# Limits that end a test that hangs; a busy machine is several times slower than a quiet one.
START_S = DRAWN_S = 300
POLL_MS = 30  # by default the browser draws a frame for each look


def _first_line(process):
    """The printed address; the process is not waited for longer than START_S."""
    ready, _, _ = select.select([process.stdout], [], [], START_S)
    return process.stdout.readline().strip() if ready else ""


@contextmanager
def _serving(folder, *arguments):
    """Run `diffufusemed web` on a free port; at the end nothing that it started is left."""
    command = [str(Path(sys.executable).with_name("diffufusemed")), "web", *map(str, arguments), "--no-browser"]
    command += ["--presets", str(folder / "presets")]
    environment = {**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    errors = folder / "errors.log"
    with (
        errors.open("w") as log,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        ) as process,
    ):
        try:
            address = _first_line(process)
            assert "/?token=" in address, errors.read_text()
            yield SimpleNamespace(address=address, url=address.split("/?")[0], process=process, folder=folder)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=120) in (0, 130), errors.read_text()
            _, left = psutil.wait_procs(children, timeout=120)
            assert left == [], "a process outlives the workspace"
            assert [p.name for p in folder.iterdir() if p.name.startswith("diffufusemed-")] == []
            assert "Traceback" not in errors.read_text(), errors.read_text()
        finally:
            _end(process)


def _end(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def serving():
    """A function (folder, *arguments): a context of a workspace with address, url, process and its private folder."""
    return _serving


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        pytest.skip("no chromium and no google-chrome is installed: the workspace is not tested in a browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Faults:
    """What a browser complained of, or asked for elsewhere than at the workspace."""

    def __init__(self, context, url):
        self.found, self._url = [], url
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("console", lambda m: self.found.append(f"console: {m.text}") if m.type == "error" else None)
        context.on("weberror", lambda error: self.found.append(f"page: {error.error}"))

    def _request(self, request):
        if not request.url.startswith((self._url + "/", "data:", "blob:")):
            self.found.append(f"outside: {request.url}")

    def _failed(self, request):
        # A browser takes a file and says that the page did not; the answer to a page's last word comes after its end.
        if "/download/" not in request.url and not request.url.endswith("/tab/leaving"):
            self.found.append(f"failed: {request.url} {request.failure}")


class Reader:
    """One browser tab and the hands at it."""

    def __init__(self, browser, workspace, width=1440, height=900):
        self.workspace = workspace
        self.context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.faults = Faults(self.context, workspace.url)
        self.page = self.context.new_page()
        self.page.set_default_timeout(90_000)

    def enter(self):
        self.page.goto(self.workspace.address)
        self.page.wait_for_selector("#panel")

    # What the page knows

    def state(self, name):
        return self.page.evaluate("name => window.trame.state.get(name)", name)

    def states(self, *names):
        """Several at one moment."""
        return self.page.evaluate("names => names.map((name) => window.trame.state.get(name))", names)

    def wait(self, condition, seconds=DRAWN_S):
        """condition: JavaScript, in which s(name) is a value of the page's state; a handle of its value."""
        try:
            return self.page.wait_for_function(self._script(condition), timeout=1000 * seconds, polling=POLL_MS)
        except Exception as error:
            names = [*re.findall(r"s\('(\w+)'\)", condition), "s_run_words", "s_fusion_words", "s_loading", "s_message"]
            shown = {name: self.state(name) for name in names}
            raise AssertionError(f"waited {seconds} s for {condition}: {shown}") from error

    def holds(self, condition):
        return self.page.evaluate(self._script(condition))

    def _script(self, condition):
        return f"() => {{ const s = (name) => window.trame?.state?.get(name); return {condition}; }}"

    def wait_for_message(self, number):
        """The words of a message after the one with this number, once they are on screen."""
        box = "document.querySelector('#message')"
        there = f"{box}?.textContent.includes(s('s_message').sentence)"
        shown = self.wait(f"s('s_message')?.number > {number} && {there} && {box}.innerText")
        return shown.json_value()

    def message_number(self):
        return (self.state("s_message") or {"number": 0})["number"]

    # What a hand does

    def click(self, selector):
        self.page.locator(selector).click()

    def press(self, keys):
        self.page.locator("#panel .brand").click()  # no field has the focus
        self.page.keyboard.press(keys)

    def choose(self, label, choice):
        """One entry of a select by its label."""
        self.page.locator("#panel .v-select", has=self.page.get_by_label(label, exact=True)).first.click()
        self.page.locator(".v-overlay__content .v-list-item", has_text=re.compile(f"^{re.escape(choice)}$")).click()
        self.page.locator(".v-overlay__content .v-list-item").first.wait_for(state="hidden")

    def tick(self, label, on):
        box = self.page.locator("#panel").get_by_label(label, exact=True)
        if box.is_checked() != on:
            box.click()

    def drag_slider(self, state, value, low=0.0, high=1.0, at_once=None):
        """Take the thumb and move it in steps to a value. at_once: script that runs as soon as it is let go."""
        row = self.page.locator(f"#slider-{state}")
        row.scroll_into_view_if_needed()
        thumb, track = (row.locator(s).bounding_box() for s in (".v-slider-thumb", ".v-slider-track__background"))
        y = thumb["y"] + thumb["height"] / 2
        self.page.mouse.move(thumb["x"] + thumb["width"] / 2, y)
        self.page.mouse.down()
        self.page.mouse.move(track["x"] + track["width"] * (value - low) / (high - low), y, steps=6)
        if at_once:
            self.page.evaluate(f"addEventListener('mouseup', () => {at_once}, {{ once: true }})")
        self.page.mouse.up()
        self.served()

    def type_number(self, state, value):
        field = self.page.locator(f"#slider-{state} .slider-number")
        field.fill(str(value))
        field.press("Tab")

    def view(self, name):
        return self.page.locator(".view-title", has=self.page.get_by_text(name, exact=True)).locator("xpath=..")

    def at(self, name, x, y):
        """Page coordinates of a place in a view, both from 0 to 1."""
        box = self.view(name).bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def edit(self, points, steps=2, calm=False):
        """Drag the mouse along page coordinates with a tool, and wait until it is done."""
        before = self.state("s_steps")
        self.stroke(points, steps, calm)
        self.wait(f"s('s_steps') === {before + 1}")
        self.served()

    def stroke(self, points, steps=8, calm=False):
        """Drag the mouse along page coordinates. calm: every point counts, so the server is let to take each; to a busy
        one the page sends fewer places of a mouse in motion."""
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=steps)
            if calm:
                self.page.wait_for_timeout(50)
                self.served()
        self.page.mouse.up()

    # What an eye sees

    def picture(self, name):
        """float [row, column, 3] from 0 to 255 of a view, without what is written over it."""
        taken = self.view(name).screenshot(style=OVER_THE_PICTURE)
        return matplotlib.image.imread(BytesIO(taken), format="png")[..., :3].astype(float) * 255

    def settled(self, name, after=None, seconds=DRAWN_S, on_the_way=False):
        """The picture once it is of the present settings and does not change any more; after: the one before a change
        that has to be seen, for which a busy machine is waited. Without it the whole volume is fused first, unless
        on_the_way: what comes later is compared with this picture, and a slice fused alone is a little another one."""
        if after is None and not on_the_way:
            self.wait("s('s_fusion') !== 'working'")
        self.page.mouse.move(2, 2)
        self.page.wait_for_timeout(150)  # the page collects changes before it sends them
        self.served()
        self.wait("Object.keys(s('view_notes')).length === 0", seconds)
        self.drawn(seconds)
        end = time.monotonic() + seconds
        while after is not None and np.array_equal(self.picture(name), after) and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        same, last, end = 0, None, time.monotonic() + seconds
        while time.monotonic() < end:
            self.served()
            self.page.wait_for_timeout(200)
            now = self.picture(name)
            same = same + 1 if last is not None and np.array_equal(now, last) else 0
            if same == 2:
                return now
            last = now
        raise AssertionError("the picture does not come to rest")

    def drawn(self, seconds=DRAWN_S):
        """Every view has been drawn with what was changed before."""
        end = time.monotonic() + seconds
        while not self.page.evaluate("window.trame.trigger('at_rest')"):
            assert time.monotonic() < end, "a view waits to be drawn"
            self.page.wait_for_timeout(20)

    def served(self):
        """Everything that was sent to the server before has been done, however busy it is."""
        self.page.evaluate("window.trame.trigger('key', ['nothing'])")

    def probe(self, name, x, y):
        """RAS in mm and the words under the mouse at a place in a view."""
        px, py = self.at(name, x, y)
        self.page.mouse.move(px, py - 3)
        self.page.mouse.move(px, py)
        same, words, end = 0, "", time.monotonic() + DRAWN_S
        while time.monotonic() < end and same < 3:
            self.page.wait_for_timeout(100)
            self.served()
            last, words = words, self.page.locator("#probe").inner_text()
            same = same + 1 if words and words == last else 0
        found = PROBE.search(words)
        assert found, words
        ras = [int(found[n + 1]) * (1 if found[n] in "RAS" else -1) for n in (1, 3, 5)]
        return np.array(ras, float), words

    def save_picture(self, name):
        if SCREENSHOTS:
            Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{SCREENSHOTS}/{name}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def reader_of():
    """A function (browser, workspace, width, height): a Reader."""
    return Reader


class Truth:
    """The case's voxels, and which pixel of the axial view shows which."""

    def __init__(self, case):
        self.image = sitk.ReadImage(str(case / "CT.nii.gz"))
        self.hu = sitk.GetArrayFromImage(self.image)
        self.lesion = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "GTV.nii.gz"))) > 0

    def index(self, ras):
        """(k, j, i) as floats of RAS in mm."""
        lps = (-ras[0], -ras[1], ras[2])
        return np.array(self.image.TransformPhysicalPointToContinuousIndex(lps))[::-1]

    def seen(self, reader, shape):
        """A function from a mask [j, i] to bool [row, column] of the axial view, and the slice k that it shows:
        by what the probe says at places far apart."""
        places = [(0.3, 0.25), (0.7, 0.25), (0.3, 0.75), (0.7, 0.75)]
        found = np.array([self.index(reader.probe("Axial", *place)[0]) for place in places])
        at = np.array([(x * shape[1], y * shape[0], 1) for x, y in places])
        rows, columns = np.indices(shape) + 0.5
        fits = [np.linalg.lstsq(at, found[:, axis], rcond=None)[0] for axis in (1, 2)]
        j, i = ((fit[0] * columns + fit[1] * rows + fit[2]).round().astype(int) for fit in fits)
        inside = (j >= 0) & (i >= 0) & (j < self.hu.shape[1]) & (i < self.hu.shape[2])
        where = np.where(inside, j, 0), np.where(inside, i, 0)
        return lambda mask: mask[where] * inside, round(float(np.median(found[:, 0])))


@pytest.fixture(scope="session")
def truth(sample_case):
    return Truth(sample_case)


@pytest.fixture(scope="session")
def sample_case(tmp_path_factory):
    """The shipped case's middle: a fifth of the work, and voxels as they are."""
    folder = tmp_path_factory.mktemp("sample") / STS_010.name
    folder.mkdir()
    for name in ("CT", "PET", "MR_T1", "GTV"):
        image = sitk.ReadImage(str(STS_010 / f"{name}.nii.gz"))[:, :, SLICES]
        # The other images reach as far as they do.
        part = image[COLUMNS, ROWS] if name in ("CT", "GTV") else image
        sitk.WriteImage(part, str(folder / f"{name}.nii.gz"))
    return folder


@pytest.fixture(scope="module")
def workspace(serving, folder, sample_case):
    """The shipped case's, where a module has none of its own."""
    with serving(folder, sample_case) as served:
        yield served


@pytest.fixture(scope="module")
def reader(chromium, workspace, reader_of):
    """In the page of the module's workspace, past the tour."""
    reader = reader_of(chromium, workspace)
    reader.enter()
    reader.page.get_by_role("button", name="Leave").click()
    yield reader
    reader.context.close()


@pytest.fixture
def quiet(reader):
    """For tests with a `reader`: none may leave an error on the console, nor have asked anything of another machine."""
    yield
    found, reader.faults.found[:] = list(reader.faults.found), []
    assert found == []
