"""How live the workspace is: the figures by hand, what is refused, and one short run in front of the real page."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from urllib.parse import quote

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.preprocessing.load import load_case

from benchmarks.web import figures, large, memory, reader, run, server, tools, unrecorded
from benchmarks.web.table import rows_of

chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")


def picture(value, at_s):
    """What the probe keeps of a gray picture of 4 pixels."""
    return [1000 * at_s, base64.b64encode(bytes([value] * 4)).decode()]


def a_case_of(usable_s=5.0, p95_ms=200.0, **growth):
    return {
        "start": {"usable_s": usable_s},
        "p95_ms": p95_ms,
        "tool_ms": 150.0,
        "soak": {"growth_percent": growth or {"server": 1.0, "page": -3.0}},
    }


# Statistics


def test_percentiles_lie_between_the_latencies_and_nothing_has_none():
    assert figures.percentiles([100.0, 200.0, 300.0]) == {"p50_ms": 200.0, "p95_ms": 290.0, "pictures": 3}
    assert figures.percentiles([]) == {"p50_ms": None, "p95_ms": None, "pictures": 0}


def test_growth_compares_the_last_fifth_with_the_first():
    steady, grown = [100, 100, 104, 96, 100], [200, 200, 205, 210, 208, 212, 300, 220, 220, 220]
    assert figures.growth_percent(steady) == 0.0
    assert figures.growth_percent(grown) == 10.0  # medians of (200, 200) and (220, 220); the peak of 300 is none
    assert figures.growth_percent([100, 90]) == -10.0
    assert figures.growth_percent([100]) is None


def test_the_picture_that_stayed_is_dated_by_its_first_showing():
    kept = [picture(0, 10.0), picture(121, 11.0), picture(120, 11.5), picture(120, 12.0)]  # 121: another JPEG quality
    assert figures.first_like_last(figures.pictures_of(kept)) == 11.0
    assert figures.first_like_last(figures.pictures_of(kept), since_s=11.2) == 11.5
    assert figures.first_like_last(figures.pictures_of(kept), since_s=13.0) == 12.0
    assert figures.first_like_last([]) is None


def test_says_what_misses_its_aim_and_what_could_not_be_measured():
    assert figures.missed(a_case_of()) == []
    assert figures.missed(a_case_of(usable_s=8.5)) == ["usable_s 8.5, wanted 8"]
    assert figures.missed(a_case_of(p95_ms=None, server=0.5, page=6.2)) == [
        "p95_ms not measured, wanted 250",
        "growth_percent 6.2, wanted 5",
    ]


def test_the_slowest_slider_is_the_figure_and_one_without_pictures_is_none():
    sliders = {"alpha": figures.percentiles([100.0, 120.0]), "gamma": figures.percentiles([])}
    assert run._worst(sliders) == {"p50_ms": 110.0, "p95_ms": 119.0}
    assert run._worst({"gamma": figures.percentiles([])}) == {"p50_ms": None, "p95_ms": None}


def test_a_slider_that_changes_little_swings_from_end_to_end():
    assert reader.moves_of(reach=19.0, values=4) == ("steps", [0.25, 0.5, 0.75, 1.0])
    assert reader.moves_of(reach=0.9, values=4) == ("swings", [1.0, 0.0, 1.0, 0.0])  # a step: 0.07 gray values
    assert reader.moves_of(reach=0.4, values=4) == ("nothing to see in this slice", [])


# The server's process and everybody's memory


def a_command(code):
    return (sys.executable, "-c", code)


def test_the_address_is_found_among_other_lines():
    assert server.address_in("at http://127.0.0.1:80/?token=aB-_9 \n") == "http://127.0.0.1:80/?token=aB-_9"
    assert server.address_in("see http://127.0.0.1:80/") is None


def test_a_server_is_timed_until_its_address_and_ended_with_the_block(tmp_path):
    code = "import time; print('hello'); time.sleep(0.3); print('http://x/?token=t', flush=True); time.sleep(60)"
    with server.WebServer(tmp_path, a_command(code)) as running:
        assert running.address == "http://x/?token=t"
        assert 0.3 <= running.address_s < 10
        assert running.said == "hello\n"
        pid = running.pid
    assert pid not in memory.psutil.pids()


def test_a_server_that_ends_at_its_start_is_one_sentence_with_what_it_said(tmp_path):
    with pytest.raises(InputError, match=r"ended at its start and said no EGL here, wanted one that serves"):
        server.WebServer(tmp_path, a_command("print('no EGL here')")).__enter__()


def test_memory_is_told_apart_by_whose_it_is():
    block = "block = bytearray(b'x') * 60_000_000; print(1, flush=True); input()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {block!r}, {memory.ENGINE!r}])"
    with subprocess.Popen(a_command(child), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        engine, host = memory.memory_of(memory.engine_of(process.pid)), memory.memory_of(memory.server_of(process.pid))
        process.stdin.close()
    assert engine["uss_bytes"] > 60e6 > host["uss_bytes"] > 1e6
    assert engine["pss_bytes"] >= engine["uss_bytes"]
    assert memory.memory_of([]) == {"pss_bytes": 0, "uss_bytes": 0}
    assert memory.mib({"page": {"pss_bytes": 3 * 2**20, "uss_bytes": 2**20}}) == {"page": {"pss_mib": 3, "uss_mib": 1}}


# The large case


def test_an_array_is_laid_side_by_side_and_cut():
    array = np.arange(6).reshape(1, 2, 3)
    found = large.tiled(array, (2, 3, 4))
    assert found[0].tolist() == found[1].tolist() == [[0, 1, 2, 0], [3, 4, 5, 3], [0, 1, 2, 0]]


def test_a_large_case_is_read_again_as_the_same_patient_repeated(a_real_folder, tmp_path):
    small = load_case(a_real_folder)
    k, j, i = small.grid.shape
    shape = (k + 2, j + 12 - j % 4, i + 12 - i % 4)
    large.write_large(a_real_folder, tmp_path / "large", shape)
    made = load_case(tmp_path / "large", register="never")
    assert made.grid.shape == shape
    assert made.grid.spacing_mm == pytest.approx(small.grid.spacing_mm)
    assert set(made.volumes) == set(small.volumes)
    assert np.abs(made.volumes["CT"].array[:k, :j, :i] - small.volumes["CT"].array).max() <= 0.5  # whole HU
    assert np.array_equal(made.volumes["CT"].array[k:], made.volumes["CT"].array[:2])
    peaks = [case.volumes["PET"].array[:k, :j, :i].max() for case in (made, small)]
    assert 0.6 * peaks[1] < peaks[0] <= peaks[1]  # wider voxels lower a peak


# What is refused


def test_without_chromium_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(reader.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match=r"^Given a machine without Chromium.*apt-get install -y chromium\.$"):
        reader.check_browser()


def test_without_playwright_the_command_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    code, said, err = command("web")
    assert (code, said, "Traceback" in err) == (2, "", False)
    assert err.startswith("Given a Python without playwright") and "pip install playwright" in err


def test_a_chromium_that_does_not_start_is_one_sentence():
    with pytest.raises(InputError, match="a Chromium that does not start"), reader.a_browser("/bin/false"):
        pass


def test_a_drag_of_one_value_is_refused(tmp_path):
    with pytest.raises(InputError, match="a drag of 1 values, wanted at least 2"):
        run.bench_web(tmp_path, values=1)


# In the browser

HTML = """<div><span class="view-name">Axial</span><div id="stage"><img width="200" height="200"></div></div>"""
DRAW = """async ([value, quality]) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 200;
  const pen = canvas.getContext("2d");
  for (let n = 0; n < 20; n++) {  // stripes, of which every other follows the value
    pen.fillStyle = n % 2 ? `rgb(${value}, ${value}, ${value})` : "rgb(90, 90, 90)";
    pen.fillRect(0, 10 * n, 200, 10);
  }
  const image = document.querySelector("img"), before = benchProbe.count;
  image.src = canvas.toDataURL("image/jpeg", quality);
  for (let n = 0; n < 400 && benchProbe.count === before; n++) await new Promise((done) => setTimeout(done, 5));
}"""


@pytest.fixture(scope="module")
def browser():
    with reader.a_browser(reader.check_browser()) as started:
        yield started


@pytest.fixture
def tab(browser):
    """A page with one view, and the probe in it."""
    watching = reader.Reader(browser, 5.0)
    watching.page.goto("data:text/html," + quote(HTML))
    yield watching
    watching.close()


@chromium
def test_the_probe_tells_a_small_step_from_the_same_picture_encoded_again(tab):
    for end, value in (("high", 150), ("low", 50)):
        tab.page.evaluate(DRAW, [value, 0.9])
        tab.page.evaluate(f"benchProbe.mark('{end}')")
    assert tab.page.evaluate("benchProbe.reach()") == pytest.approx(100 / 2**0.5, rel=0.1)  # half of the pixels
    tab.page.mouse.move(20, 20)
    tab.page.evaluate(DRAW, [50, 0.5])
    assert tab.page.evaluate("benchProbe.next(0, 0.005, 50)") is None  # another quality is no new picture
    tab.page.evaluate(DRAW, [54, 0.9])
    found = tab.page.evaluate("benchProbe.next(0, 0.005, 1000)")
    assert found["place"] == pytest.approx(0.04, abs=0.015)
    assert 0 < found["ms"] < 5000
    assert tab.page.evaluate("benchProbe.next(0.5, -0.2, 50)")["place"] < 0.3  # downwards as well


@chromium
def test_a_soak_goes_on_with_the_first_picture_after_a_move_and_not_without_one(tab):
    tab.page.evaluate(DRAW, [50, 0.9])
    tab.page.mouse.move(30, 30)
    assert tab.page.evaluate("benchProbe.any(50)") is False
    tab.page.evaluate(DRAW, [50, 0.9])
    assert tab.page.evaluate("benchProbe.any(1000)") is True


def test_an_hour_of_reading_is_counted_in_slider_values(monkeypatch):
    held = iter([100] * 8 + [103] * 40)

    class Counting:
        drags = 0

        def take_through(self, slider, values):
            self.drags += 1
            return values - (slider == "gamma")

        def collect_garbage(self):
            pass

    monkeypatch.setattr(run, "_held", lambda _: {"server": {"pss_bytes": next(held), "uss_bytes": 0}})
    counting = Counting()
    soak = run._soak(counting, 0, 60)
    assert (soak["values"], soak["pictures"]) == (3600, 3480)  # gamma is every third of 360 drags
    assert counting.drags == 360 + run.WARM_UP_DRAGS
    assert soak["samples"] == 41
    assert soak["growth_percent"] == {"server": 3.0}


@chromium
def test_pictures_are_kept_with_the_time_of_day_at_which_they_were_decoded(tab):
    tab.page.evaluate("benchProbe.keep()")
    before = time.time()
    tab.page.evaluate(DRAW, [80, 0.9])
    ((at_s, gray),) = figures.pictures_of(tab.page.evaluate("benchProbe.kept()"))
    assert before - 0.1 <= at_s <= time.time() + 0.1
    assert gray.mean() == pytest.approx(85, abs=2)


@chromium
def test_a_page_without_the_workspace_is_one_sentence(tab):
    tab._wait_s = 0.3
    with pytest.raises(InputError, match=r"did not show a fused axial slice within 0.3 s"):
        tab._calm()


FAILING = """
from benchmarks.web import reader
with reader.a_browser(reader.check_browser()) as browser:
    reader.Reader(browser, 5.0).page.goto("http://127.0.0.1:1/")  # where nothing listens
"""


@chromium
def test_what_fails_in_the_page_is_one_sentence():
    """In a process of its own: playwright runs once in each."""
    found = subprocess.run(a_command(FAILING), capture_output=True, text=True, timeout=300, check=False)
    assert re.search(r"InputError: Given a page that failed \(.*ERR_\w+.*run it again\.$", found.stderr.strip())


@chromium
def test_a_short_real_run_measures_the_page(browser, a_real_folder):
    """Start and one drag of the shipped case. Every figure was taken, none is what a clock could not have shown."""
    with server.WebServer(a_real_folder) as running:
        watching = reader.Reader(browser, 300.0)
        start = watching.open(running.address, running.began_s)
        drag = watching.drag("alpha", 6)
        held = run._held(running.pid)
        cookies = watching.page.context.cookies()
        watching.close()
        soaked = unrecorded.UnrecordedTab(browser, running.address.partition("?")[0], cookies)
        soaked.wait(run.READY, 300)
        seen = soaked.take_through("beta", 6)
        place = soaked.evaluate("window.trame.state.get('p_beta')")
        soaked.collect_garbage()
        with pytest.raises(InputError, match="a page that failed"):
            soaked.evaluate("nothing.there")
        soaked.close()
    moments = [running.address_s, start["panel_s"], start["usable_s"], start["volume_s"]]
    assert moments == sorted(moments) and moments[0] > 0.5
    assert drag["pictures"] + drag["unseen"] == 6 and drag["pictures"] >= 3  # a busy machine shows fewer
    assert 5 < drag["p50_ms"] <= drag["p95_ms"] <= reader.PICTURE_MS
    assert drag["reach"] > 3
    assert all(found["uss_bytes"] > 50e6 for found in held.values())
    assert watching.errors == []
    assert seen >= 3 and place == pytest.approx(5.5 / 6, abs=0.05)


def all_figures():
    """Of two cases, the second with what could not be taken."""
    held = {"at_start": {"server": {"pss_mib": 700}}, "after_drags": {"server": {"pss_mib": 900}}}
    shipped = {
        "start": {"usable_s": 7.62, "volume_s": 12.0},
        "p50_ms": 187.2,
        "p95_ms": 251.0,
        "sliders": {"alpha": figures.percentiles([100.0]), "gamma": figures.percentiles([])},
        "alpha_in_fast_motion": {"pictures_per_s": 7.9},
        "tools_ms": {"look": {"in_hand": 900.0}, "threshold": {"in_hand": 30.0, "applied": 180.0}},
        "tool_ms": tools.longest({"look": {"in_hand": 900.0}, "threshold": {"in_hand": 30.0, "applied": 180.0}}),
        "run": {"run_s": 4.6},
        "switch_s": {"off": 3.0, "on": 13.4},
        "memory": held,
        "soak": {"values": 3600, "pictures": 3590, "seconds": 700.0, "growth_percent": {"server": 1.0, "page": -0.4}},
    }
    large = {**shipped, "start": {"usable_s": None, "volume_s": None}, "p50_ms": None, "p95_ms": None}
    said = {"machine": "x86_64, 2 of 2 cores", "page": "Chromium 1", "missed": ["large: usable_s not measured"]}
    return {**said, "cases": {"STS_010": shipped, "large": large}}


def test_the_figures_are_a_table_with_units_and_say_what_is_missing():
    rows = {name: cells for name, *cells in rows_of(all_figures())}
    assert rows[""] == ["STS_010", "large"]
    assert rows["start to usable page, s"] == ["7.6", "not measured"]
    assert rows["slider to picture, p50 / p95, ms"] == ["187 / 251", "not measured"]
    assert rows["by slider, ms"][0] == "alpha 100 / 100, gamma not measured"
    assert rows["memory at start, MiB"][0] == "server 700"
    assert rows["longest wait for an answer with a tool, ms"][0] == "180"  # without a tool is not the tool's
    assert rows["by tool, ms"][0] == "look 900, threshold 180"
    assert rows["growth during the soak, %"][0] == "server +1.0, page -0.4"


def test_the_command_prints_a_table_and_writes_all_figures(command, tmp_path, monkeypatch, a_real_folder):
    asked = {}

    def measured(folder, values, soak_minutes, is_large, say, so_far):
        asked.update(folder=folder, values=values, soak_minutes=soak_minutes, large=is_large)
        say("starting")
        return all_figures()

    monkeypatch.setattr("benchmarks.web.bench_web", measured)
    path = tmp_path / "deep" / "web.json"
    code, said, err = command("web", a_real_folder, "--json", path, "--soak-minutes", 6, "--large")
    assert (code, err) == (0, "bench: starting\n")
    assert json.loads(path.read_text()) == all_figures()
    assert "3600 values, 3590 pictures in 700 s" in said
    assert "misses its aim: large: usable_s not measured" in said
    assert asked == {"folder": a_real_folder, "values": 60, "soak_minutes": 6.0, "large": True}


def test_the_figures_of_the_first_case_are_kept_when_the_second_fails(command, tmp_path, monkeypatch):
    def measured(*told):
        so_far = told[-1]
        so_far({"cases": {"STS_010": 1}})
        raise InputError("The large case did not open.")

    monkeypatch.setattr("benchmarks.web.bench_web", measured)
    path = tmp_path / "web.json"
    code, _, err = command("web", "--json", path, "--large")
    assert code != 0 and "The large case did not open." in err
    assert json.loads(path.read_text()) == {"cases": {"STS_010": 1}}


def test_the_machine_is_named_with_how_busy_it_was():
    assert f"of {os.cpu_count()} cores" in run._machine() and "% of all busy" in run._machine()
