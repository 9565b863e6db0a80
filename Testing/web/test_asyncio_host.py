"""The page's host: what is saved does not wait for what is read."""

import asyncio
import threading

from DiffuFuseMedLib.web.asyncio_host import READERS, AsyncioHost


def test_a_saving_does_not_stand_behind_readings_nor_a_reading_behind_savings():
    loop, end = asyncio.new_event_loop(), threading.Event()
    host = AsyncioHost(loop)
    readings = [host.work(end.wait) for _ in range(READERS + 1)]
    assert host.write(lambda: "saved").result(10) == "saved"
    assert not any(reading.done() for reading in readings)
    end.set()
    assert all(reading.result(10) for reading in readings)
    again = threading.Event()
    savings = [host.write(again.wait) for _ in range(3)]
    assert host.work(lambda: "read").result(10) == "read"
    again.set()
    assert all(saving.result(10) for saving in savings)
    host.close()
    loop.close()
