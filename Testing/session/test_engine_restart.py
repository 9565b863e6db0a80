from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.engine.client.engine import EngineError
from DiffuFuseMedLib.session import engine_restart

DEATH = EngineError("died", "The engine died.", "why")
ANSWER, NO_ANSWER = SimpleNamespace(value=1), SimpleNamespace(code="died")


@pytest.fixture
def die(told):
    """A function: the engine dies, and the session hears of it."""

    def die():
        told.engine_died(DEATH)
        told.pump()

    return die


def answered(session, reply=ANSWER):
    session.engine_answered(None, reply)
    session.pump()


def test_that_the_engine_stopped_is_said_until_it_works_again_and_then_the_message_goes(told, die, monkeypatch):
    die()
    assert told.view_state.message.sentence == engine_restart.STOPPED
    answered(told, NO_ANSWER)
    assert told.view_state.message.sentence == engine_restart.STOPPED
    monkeypatch.setattr(engine_restart, "SHOWN_S", 0.05)
    told.engine_answered(None, ANSWER)
    told.pump_until(lambda: told.view_state.message.sentence == engine_restart.WORKS)
    assert (told.view_state.message.level, told.view_state.message.detail) == ("info", "why")
    told.pump_until(lambda: told.view_state.message is None)


def test_an_engine_that_dies_again_and_again_is_an_error_until_it_works(told, die):
    starts = told.engine.starts
    for _ in range(engine_restart.MOST_STARTS + 1):
        die()
    assert told.engine.starts == starts + engine_restart.MOST_STARTS
    assert (told.view_state.message.level, told.view_state.message.sentence) == ("error", engine_restart.GAVE_UP)
    answered(told)
    assert told.view_state.message.sentence == engine_restart.WORKS


def test_what_a_host_says_of_an_engine_that_it_gave_up_goes_as_well(told):
    told.engine_given_up("The engine ended 3 times in a row.", "no torch")
    told.pump()
    assert told.view_state.message.level == "error"
    answered(told)
    assert told.view_state.message.sentence == engine_restart.WORKS


def test_a_message_of_something_else_stays_when_the_engine_works_again(told, die):
    die()
    told.say("info", "Saved.")
    answered(told)
    assert told.view_state.message.sentence == "Saved."


def test_an_engine_that_always_worked_says_nothing(told):
    before = told.view_state.message
    answered(told)
    assert told.view_state.message is before
