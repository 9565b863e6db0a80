"""Work that another process can find: functions of a module."""

import os
import signal
import time
from pathlib import Path

from DiffuFuseMedLib.core.errors import input_error


def square(job):
    """Notes in a file of its own that it was called."""
    number = job.spec["number"]
    with Path(job.places["calls"]).open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    return {"square": number * number}


def fails_at_three(job):
    if job.spec["number"] == 3:
        raise input_error("a three", "another number", "choose one")
    return square(job)


def dies_at_three(job):
    if job.spec["number"] == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(job)


def slow(job):
    """Says that it began, and takes longer than any test waits."""
    square(job)
    time.sleep(600)
