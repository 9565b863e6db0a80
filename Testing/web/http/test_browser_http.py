"""The HTTP layer as a browser meets it: the printed address, a reload, a second tab, taking over, up- and downloads."""

import shutil
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")

UPLOAD = """async () => {
  const form = new FormData();
  form.append("file", new File(["A"], "1.dcm"), 'study "one"; two/CT/1.dcm');
  const answer = await fetch("/upload", { method: "POST", body: form });
  return [answer.status, await answer.json()];
}"""


# A page with a connection that is still being opened is left, and its client goes on.
LEFT = """() => {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  dispatchEvent(new Event("beforeunload"));
  setTimeout(() => Promise.reject({ message: "connection not open" }));
  return new Promise((done) => socket.addEventListener("close", (event) => done(event.wasClean)));
}"""


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium, a_host):
    with quiet_context(chromium, a_host) as context:
        yield context


@contextmanager
def quiet_context(chromium, host):
    """A browser without cookies. At its end: no error on any console, nothing asked from elsewhere."""
    context = chromium.new_context()
    asked, errors = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((host.url + "/", "data:", "blob:"))] == []
    assert errors == []


@pytest.fixture
def tab(context, a_host):
    return opened(context, a_host)


@pytest.fixture
def patient_tab(chromium, a_patient_host):
    with quiet_context(chromium, a_patient_host) as context:
        yield opened(context, a_patient_host)


def opened(context, host):
    """A tab that was opened with the printed address."""
    tab = context.new_page()
    tab.goto(host.address)
    shows(tab, "The workspace")
    return tab


def shows(tab, words):
    """Wait until the page shows the words."""
    tab.wait_for_function("words => document.body?.innerText.includes(words)", arg=words)


def text(tab):
    return tab.inner_text("body")


def test_the_printed_address_shows_the_page_and_the_token_is_gone(tab, a_host):
    assert tab.url == a_host.url + "/"
    shows(tab, "The workspace")
    assert tab.evaluate("window.scripted") is True  # trame's Script and Style widgets pass the policy
    assert tab.evaluate("document.cookie") == ""
    assert a_host.token not in tab.content()
    tab.go_back()
    assert a_host.token not in tab.url


def test_a_reload_comes_back_to_the_same_state_without_waiting(patient_tab):
    tab = patient_tab
    tab.click("#more")
    shows(tab, "1 times")
    for _ in range(3):
        tab.reload()
        shows(tab, "1 times")


def test_reloads_in_the_middle_of_loading_are_no_second_tab(patient_tab, a_patient_host):
    for wait_ms in (0, 30, 80, 120, 160, 200, 250, 300):
        patient_tab.goto(a_patient_host.url, wait_until="commit")
        patient_tab.wait_for_timeout(wait_ms)
    shows(patient_tab, "The workspace")


def test_a_page_that_is_left_closes_what_it_opens_and_complains_of_nothing(tab):
    assert tab.evaluate(LEFT)


def test_a_second_tab_takes_over_only_when_asked(context, tab, a_host):
    second = context.new_page()
    second.goto(a_host.url)
    assert "This case is open in another tab" in text(second)
    tab.click("#more")
    tab.wait_for_function("!document.querySelector('#workspace').innerText.includes(' 0 ')")
    second.click("text=Use it here")
    second.wait_for_selector("#workspace", timeout=120_000)
    assert second.url == a_host.url + "/"
    tab.wait_for_url("**/tab/taken")
    assert "taken over by another tab" in text(tab)
    tab.click("text=Use it here")  # and back again
    tab.wait_for_selector("#workspace", timeout=120_000)
    second.wait_for_url("**/tab/taken")


def test_both_tabs_that_race_for_the_case_end_well(context, tab, a_host):
    """The first has gone by the time that both ask; both are given the page, and one websocket comes second."""
    tab.close()
    pages = [context.new_page(), context.new_page()]
    for page in pages:
        page.goto(a_host.url, wait_until="commit")
    for page in pages:
        page.wait_for_function("/The workspace|another tab/.test(document.body?.innerText)")
    assert sorted("another tab" in text(page) for page in pages) == [False, True]


def test_an_upload_and_a_download_pass_the_policy(tab, a_host):
    status, answer = tab.evaluate(UPLOAD)
    assert (status, answer["files"]) == (200, ["study %22one%22; two/CT/1.dcm"])
    with tab.expect_download() as download:
        tab.click("#download")
    assert download.value.suggested_filename == "scene of today.mrb"
    assert download.value.path().read_bytes() == b"scene"
    assert "The workspace" in text(tab)


def test_nothing_outside_can_be_reached_from_the_page(chromium, a_host):
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(a_host.address)
    tab.wait_for_selector("#workspace", timeout=120_000)
    for attempt in ('fetch("http://localhost:1/")', 'import("http://localhost:1/x.js")'):
        with pytest.raises(playwright.Error, match="Failed to fetch"):
            tab.evaluate(attempt)
    blocked = "new Promise(r => { document.onsecuritypolicyviolation = r; new WebSocket('%s'); })"
    assert tab.evaluate(f"{blocked}.then(e => e.violatedDirective)" % "ws://localhost:1/ws") == "connect-src"
    context.close()


def test_the_refusal_is_readable_in_light_and_dark(chromium, a_host):
    backgrounds = {}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        tab = context.new_page()
        assert tab.goto(a_host.url + "/?token=wrong").status == 403
        assert "wanted this start's token: open the address" in text(tab)
        backgrounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        context.close()
    assert backgrounds == {"light": "rgb(246, 247, 248)", "dark": "rgb(22, 25, 28)"}
