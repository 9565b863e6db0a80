"""Between slider and picture, with a clock that is moved by hand: who is asked for, shown and refined when."""

from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.session.alarm import Alarm
from DiffuFuseMedLib.session.picture_scheduler import QUIET_S, SOON_S, TOGETHER_S, PictureScheduler


class Flight:
    """A request on its way."""

    grace_s = None

    def cancel(self, grace_s):
        self.grace_s = grace_s


@pytest.fixture
def clock(clock):
    """As a context with three views."""
    clock.slice_nodes = lambda: [SimpleNamespace(GetID=lambda name=name: name) for name in ("red", "green", "yellow")]
    return clock


@pytest.fixture
def happened():
    return []


@pytest.fixture
def scheduler(clock, happened):
    return PictureScheduler(
        clock, lambda: happened.append(("shown", clock.now)), lambda: happened.append(("refined", clock.now))
    )


def order(scheduler):
    return [node.GetID() for node in scheduler.views()]


def test_an_alarm_rings_once_at_the_time_it_was_set_to_last(clock):
    rung, alarm = [], Alarm(clock)
    alarm.set(1.0, lambda: rung.append("first"))
    alarm.set(2.0, lambda: rung.append("second"))
    clock.pass_to(1.5)
    assert (rung, alarm.is_set) == ([], True)
    clock.pass_to(5.0)
    assert (rung, alarm.is_set) == (["second"], False)


def test_an_alarm_that_was_cancelled_says_whether_there_was_one(clock):
    rung, alarm = [], Alarm(clock)
    assert not alarm.cancel()
    alarm.set(1.0, lambda: rung.append("call"))
    assert alarm.cancel()
    clock.pass_to(5.0)
    assert rung == []


def test_the_view_under_the_hand_is_asked_for_first(scheduler):
    assert order(scheduler) == ["red", "green", "yellow"]
    scheduler.go_first("yellow")
    assert order(scheduler) == ["yellow", "red", "green"]


def test_a_view_has_one_request_on_its_way_and_it_lands_once(scheduler):
    first, of_a_case_that_is_gone = Flight(), Flight()
    scheduler.fly("red", first)
    assert scheduler.is_flying("red") and not scheduler.is_flying("green")
    assert not scheduler.landed("red", of_a_case_that_is_gone)
    assert scheduler.landed("red", first) and not scheduler.landed("red", first)
    assert not scheduler.is_flying("red")


def test_the_picture_under_the_hand_is_shown_at_once_when_nothing_else_is_on_its_way(scheduler, happened):
    scheduler.written("red")
    assert happened == [("shown", 0.0)]


def test_the_picture_under_the_hand_waits_a_moment_for_those_on_their_way(scheduler, clock, happened):
    scheduler.fly("green", Flight())
    scheduler.written("red")
    assert happened == []
    clock.pass_to(1.0)
    assert happened == [("shown", SOON_S)]


def test_pictures_of_other_views_are_shown_together(scheduler, clock, happened):
    scheduler.go_first("yellow")
    scheduler.written("red")
    clock.pass_to(TOGETHER_S / 2)
    scheduler.written("green")
    clock.pass_to(1.0)
    assert happened == [("shown", TOGETHER_S)]


def test_the_picture_under_the_hand_takes_along_those_that_wait(scheduler, clock, happened):
    scheduler.written("green")
    scheduler.written("red")
    clock.pass_to(1.0)
    assert happened == [("shown", 0.0)]


def test_the_volume_waits_until_the_hand_is_quiet(scheduler, clock, happened):
    for now in (0.0, 0.2, 0.4):
        clock.pass_to(now)
        scheduler.moved()
    clock.pass_to(5.0)
    assert happened == [("refined", 0.4 + QUIET_S)]


def test_after_a_stop_nothing_is_drawn_and_what_was_on_its_way_is_given_its_time_to_end(scheduler, clock, happened):
    flight = Flight()
    scheduler.fly("green", flight)
    scheduler.written("red")
    scheduler.moved()
    scheduler.stop()
    clock.pass_to(5.0)
    assert (happened, flight.grace_s) == ([], 120.0)
    assert not scheduler.is_flying("green")
