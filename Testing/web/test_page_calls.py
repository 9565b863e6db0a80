"""What a page may call and write is on a list, with types; a page that was taken over gets no further."""

import asyncio
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.web import page_calls
from DiffuFuseMedLib.web.page_calls import CALLS, LIFE, STATES, TRIGGER, WRITE, allowed, restrict
from hypothesis import given
from hypothesis import strategies as st
from trame_server.protocol import CoreServer
from trame_server.state import State
from trame_server.utils.namespace import Translator
from trame_slicer.app.logic.slice_view_logic import get_view_slider_typed_state
from wslink import schedule_coroutine

GOOD = {"p_alpha": 0.5, "p_samples": 3, "p_guided": True, "p_lambdas": [1, 0.5, 0], "p_model": "x", "holding": False}
GOOD |= {"layout": "Four-up", "threshold": [-5.5, 7], "tour_step": 2, "open_path": "/cases/one", "dark": True}
BAD = {"p_alpha": "1", "p_samples": True, "p_guided": 1, "p_lambdas": [1, 2], "p_model": None, "holding": "yes"}
BAD |= {"layout": "Seven-up", "threshold": [0, "1"], "tour_step": -1, "open_path": "x" * 5000, "dark": {}}
UNKNOWN = ("s_numbers", "s_modalities", "role_rows", "tool", "probe", "p_windows", "p_modalities", "trame__title")
UNKNOWN += ("__class__", "", "p_", "map_words", "tour")


def written(values):
    return {change["key"]: change["value"] for change in allowed([{"key": k, "value": v} for k, v in values.items()])}


def test_what_the_page_writes_is_taken():
    assert written(GOOD) == GOOD


@pytest.mark.parametrize("key", BAD)
def test_a_value_of_another_type_is_left_out_and_logged_without_it(key, caplog):
    with caplog.at_level(logging.WARNING):
        assert written({**GOOD, key: BAD[key]}) == {k: v for k, v in GOOD.items() if k != key}
    assert "1 states" in caplog.text and "xxx" not in caplog.text


@pytest.mark.parametrize("key", UNKNOWN)
def test_a_state_that_is_not_the_pages_to_write_is_left_out(key):
    assert written({key: 0.5}) == written({key: "text"}) == written({key: []}) == {}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.fixed_dictionaries({"key": st.sampled_from(sorted(STATES)) | anything, "value": anything}) | anything)
)
def test_whatever_is_sent_only_known_states_with_their_types_come_through(changes):
    for change in allowed(changes):
        assert STATES[change["key"]](change["value"])


@given(anything)
def test_what_is_no_list_of_writes_writes_nothing(changes):
    assert allowed(changes) == [] or isinstance(changes, list)


# What the page's parts write: bound to a field, or set by a click or a change.
BOUND = re.compile(r"""(?:v_model(?:_number)?=\(|slider\(|switch\(|select\(|_dialog\(|_path\()\s*"(\w+)\"""")
SET = re.compile(r"""["']([a-z]\w+) = (?!=)|state\.set\("(\w+)\"""")


def test_every_state_that_the_page_writes_is_on_the_list():
    folder = Path(page_calls.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in (*folder.rglob("*.py"), *folder.rglob("*.js"))]
    found = {name for text in sources for pattern in (BOUND, SET) for names in pattern.findall(text) for name in
             ([names] if isinstance(names, str) else names) if name}  # fmt: skip
    assert {"p_alpha", "threshold", "dark", "uploading", "open_path"} <= found
    assert found <= set(STATES)


class Called:
    """A server's part, with what was called of it."""

    def __init__(self):
        self.calls = []
        names = (*CALLS, "application.exit", "application.exit.later", "trame.force.push", "trame.rca.push")
        self.functions = {name: (self, self._noting(name)) for name in names}
        restrict(self.functions)

    def _noting(self, name):
        def note(_, *arguments):
            self.calls.append((name, *arguments))

        async def note_action(*arguments):
            note(*arguments)

        return note_action if name == TRIGGER else note

    def __call__(self, name, *arguments):
        part, function = self.functions[name]
        answer = function(part, *arguments)
        return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


def test_nobody_ends_the_server_or_plays_its_part_through_the_page():
    called = Called()
    assert called.functions.keys() == CALLS.keys()
    for name in ("server_exited", "server_bind", "server_reload", "exception", None, ["client_mounted"], {}):
        called(LIFE, name)
    assert called.calls == []
    called(LIFE, "client_mounted")
    called(WRITE, [{"key": "s_numbers", "value": []}, {"key": "dark", "value": False}])
    assert called.calls == [(LIFE, "client_mounted"), (WRITE, [{"key": "dark", "value": False}])]


SIZE = {"w": 1920, "h": 1080, "p": 2}
MOVED = {"type": "MouseMove", "x": 3, "y": 4.5, "shiftKey": 0, "key": "", "positions": {"0": {"x": 1, "y": 2}}}
RIGHT = {
    LIFE: ["client_mounted"],
    WRITE: [[]],
    "trame.state.get": [],
    "trame.trigger": ["key", ["run"], {}],
    "trame.error.client": ["a fault"],
    "trame.rca.size": ["view", "region", SIZE],
    "trame.rca.event": ["view", "region", MOVED],
    "trame.rca.video.codecs": ["view"],
    "trame.rca.video.negotiate": ["view", []],
}
HUGE = [{"w": 1e6, "h": 10}, {"w": 16_000, "h": 16_000}, {"w": 4000, "h": 4000, "p": 4}, {"w": 10, "h": 10, "p": 0}]
HUGE += [{"w": -5, "h": 5}, {"w": float("nan"), "h": 5}, {"w": "10", "h": 10}, {"w": 10, "h": 10, "p": 17}, [10, 10]]
NO_EVENT = [{"x": 1}, {"type": 5}, {**MOVED, "x": float("inf")}, {**MOVED, "x": [[[[1]]]]}, {**MOVED, "key": "x" * 300}]
NO_EVENT += [{**MOVED, "x": list(range(100))}, "MouseMove", None]


@pytest.mark.parametrize("name", RIGHT)
def test_a_call_is_made_with_arguments_of_its_types_alone(name, caplog):
    called, right = Called(), RIGHT[name]
    called(name, *right)
    assert called.calls == [(name, *right)]
    for wrong in ([*right, 1], [*right, 1, 2], [[], *right[1:]] if len(right) > 1 else [1, 2]):
        with caplog.at_level(logging.WARNING):
            called(name, *wrong)
    assert called.calls == [(name, *right)]
    assert f"called {name} with other arguments" in caplog.text


def test_an_action_is_answered_after_the_states_that_it_changed():
    sent = []

    async def send(what):
        sent.append(what)

    async def trigger(*_):
        schedule_coroutine(0, send, "states")  # as wslink publishes them
        return "answer"

    async def called():
        functions = dict.fromkeys(CALLS, (None, trigger))
        restrict(functions)
        part, function = functions[TRIGGER]
        await send(await function(part, *RIGHT[TRIGGER]))

    asyncio.run(called())
    assert sent == ["states", "answer"]


@pytest.mark.parametrize(
    ("name", "value"), [*(("trame.rca.size", v) for v in HUGE), *(("trame.rca.event", v) for v in NO_EVENT)]
)
def test_a_view_is_not_made_huge_nor_told_of_what_no_hand_does(name, value):
    called = Called()
    called(name, "view", "region", value)
    assert called.calls == []


def test_the_slider_of_every_slice_view_may_be_written():
    server = SimpleNamespace(state=State(), translator=Translator())
    for tag in ("Red", "Green", "Yellow"):
        name = get_view_slider_typed_state(server, SimpleNamespace(get_singleton_tag=lambda tag=tag: tag)).name.value
        assert written({name: 2.5}) == {name: 2.5} and written({name: "2"}) == {}


def test_the_calls_are_those_that_trame_has():
    offered = {method._wslinkuris[0]["uri"] for method in vars(CoreServer).values() if hasattr(method, "_wslinkuris")}
    assert {name for name in CALLS if not name.startswith("trame.rca")} <= offered
