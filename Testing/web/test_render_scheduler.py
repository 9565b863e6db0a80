"""Which view is drawn when, by a clock that a test moves."""

from itertools import pairwise

import pytest
from DiffuFuseMedLib.web.render_scheduler import APART_S, HOLD_S, MOST_S, RenderScheduler


class Clock:
    """Time and timers that go on when told."""

    def __init__(self):
        self.now, self.timers = 0.0, []

    def __call__(self):
        return self.now

    def later(self, seconds, call):
        self.timers.append(timer := Timer(self.now + seconds, call))
        return timer

    def until(self, end):
        """Let time pass; what is due is called at its time."""
        while due := sorted((t for t in self.timers if t.call and t.due <= end), key=lambda t: t.due):
            self.now = max(self.now, due[0].due)
            call, due[0].call = due[0].call, None
            call()
        self.now = end


class Timer:
    def __init__(self, due, call):
        self.due, self.call = due, call

    def cancel(self):
        self.call = None


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def drawn():
    """(name, time) of what was drawn."""
    return []


@pytest.fixture
def want(clock, drawn):
    """A function (*names): these views want to be drawn, Red first of all."""
    render_scheduler = RenderScheduler("Red", clock.later, clock)

    def wish(*names):
        for name in names:
            render_scheduler.want(name, lambda name=name: drawn.append((name, clock.now)))

    wish.render_scheduler = render_scheduler
    return wish


def test_the_first_view_is_drawn_at_once_and_the_others_one_by_one_when_it_is_quiet(clock, drawn, want):
    want("Green", "Yellow", "Red")  # it may hear of the change last
    assert drawn == [("Red", 0)]
    clock.until(5)
    assert drawn == [("Red", 0), ("Green", HOLD_S), ("Yellow", HOLD_S + APART_S)]


def test_the_others_are_not_starved_by_a_long_drag_and_never_stand_in_one_gap(clock, drawn, want):
    for step in range(100):
        clock.until(0.05 * step)
        want("Red", "Green", "Yellow")
    clock.until(20)
    reds, greens, yellows = ([at for name, at in drawn if name == wanted] for wanted in ("Red", "Green", "Yellow"))
    assert len(reds) == 100
    for times in (greens, yellows):
        waits = [after - before for before, after in pairwise(times)]
        assert max(waits) <= 0.05 + MOST_S + APART_S + 1e-9
        assert times[-1] > reds[-1]  # the end of the drag is drawn too
    others = sorted(greens + yellows)
    assert min(b - a for a, b in pairwise(others)) >= APART_S - 1e-9


def test_what_is_wanted_again_while_it_waits_is_drawn_once(clock, drawn, want):
    want("Red", "Green", "Green", "Green")
    clock.until(5)
    assert [name for name, _ in drawn] == ["Red", "Green"]
    want("Green")
    clock.until(10)
    assert [name for name, _ in drawn] == ["Red", "Green", "Green"]


def test_another_view_goes_first_once_the_reader_works_in_it(clock, drawn, want):
    want("Red", "Green")
    want.render_scheduler.first = "Green"
    want("Red", "Green")
    assert drawn == [("Red", 0), ("Green", 0)]
    clock.until(5)
    assert [name for name, _ in drawn] == ["Red", "Green", "Red"]


def test_the_first_view_may_hear_of_a_change_a_moment_after_the_others(clock, drawn, want):
    want("Green")
    clock.until(0.005)
    want("Red")
    clock.until(5)
    assert [name for name, _ in drawn] == ["Red", "Green"]


def test_without_the_first_view_the_others_hardly_wait(clock, drawn, want):
    want("Green")
    clock.until(0.02)
    assert [name for name, _ in drawn] == ["Green"]


def test_the_views_are_at_rest_once_each_has_been_drawn(want, clock):
    assert want.render_scheduler.at_rest
    want("Red", "Green")
    want.render_scheduler.drawn("Red")
    assert not want.render_scheduler.at_rest
    want("Red")
    clock.until(5)
    want.render_scheduler.drawn("Green")
    assert not want.render_scheduler.at_rest
    want.render_scheduler.drawn("Red")
    assert want.render_scheduler.at_rest
