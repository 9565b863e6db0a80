"""`diffufusemed web` as a terminal holds it."""

import signal

import pytest
from DiffuFuseMedLib.cli.web import end_with_the_terminal


@pytest.fixture
def told():
    """What SIGTERM's own handler was told; afterwards all handlers are as they were."""
    found, names = [], ("SIGHUP", "SIGTERM")
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
    yield found
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal hangs up here")
def test_a_terminal_that_is_closed_ends_it_as_a_polite_kill_does(told):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    end_with_the_terminal()
    signal.raise_signal(signal.SIGHUP)
    assert told == [signal.SIGTERM]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal hangs up here")
def test_under_nohup_it_goes_on(told):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_with_the_terminal()
    signal.raise_signal(signal.SIGHUP)
    assert told == []
