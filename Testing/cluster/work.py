"""Work that a node finds: functions of a module. An item is a dict; "calls" names a file that notes what was done."""

import os
import signal
import time
from pathlib import Path

from DiffuFuseMedLib.core.errors import input_error


def note(item, word):
    with Path(item["calls"]).open("a", encoding="utf-8") as file:
        file.write(f"{word}\n")


def load(device):
    """Counts its calls in the process."""
    load.count = getattr(load, "count", 0) + 1
    return {"loads": load.count, "device": device, "pid": os.getpid()}


def refuse(device):
    raise input_error("a model that is damaged", "its weights", "install it again")


def die_at_once(device):
    os._exit(1)


def double(prepared, item):
    """Twice the number, and who did it. Dies, fails or waits when told to."""
    note(item, item["number"])
    if item.get("dies"):
        os._exit(1)
    if (once := item.get("dies_once")) and not Path(once).exists():
        Path(once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if item.get("fails"):
        raise input_error("a three", "another number", "choose one")
    if item.get("unsendable"):
        return (n for n in range(3))
    time.sleep(item.get("seconds", 0))
    return {"double": 2 * item["number"], **prepared}
