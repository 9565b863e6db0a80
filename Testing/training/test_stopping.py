"""A clean stop: a first signal is noted, a second one is as it would be without."""

import os
import signal
import threading

import pytest
from DiffuFuseMedLib.training.stopping import stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_a_second_one_does_what_it_did_before(number):
    before, seen = signal.signal(number, lambda n, _: seen.append(n)), []
    try:
        with stop_signals() as stop:
            assert not stop()
            os.kill(os.getpid(), number)
            assert stop()
            assert seen == []
            os.kill(os.getpid(), number)
            assert seen == [number]
    finally:
        signal.signal(number, before)


def test_the_handlers_are_put_back():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with stop_signals():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_goes_without():
    told = []

    def work():
        with stop_signals() as stop:
            told.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert told == [False]
