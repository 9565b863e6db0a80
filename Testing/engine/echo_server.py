"""The real server round small handlers that do what a test asks for in settings["do"]; run as a child by the tests."""

import os
import subprocess
import sys
import time

import numpy as np
from DiffuFuseMedLib.engine.server.failures import UnknownCaseError
from DiffuFuseMedLib.engine.server.server import main
from DiffuFuseMedLib.engine.wire.pack import unpack

CASES = {}


def open_case(request, context):
    case = unpack(request.case, context.arrays.map)
    assert case.volumes, "a case without an image"
    CASES[request.case_id] = case


def close_case(request, _):
    del CASES[request.case_id]


def work(request, context):
    if request.case_id not in CASES:
        raise UnknownCaseError("Given no such case, wanted one that is open: open it first.")
    settings = request.settings
    value = DO[settings.get("do", "echo")](settings, context)
    image = np.full(settings.get("shape", (4, 4)), value, np.float32)
    result = {"image": image, "uncertainty": np.zeros_like(image)}
    return result if "index" in request.__dataclass_fields__ else {**result, "timings": {"value": value}}


def segment(request, context):
    """The same by its model's name, for as many tenths of a second as there are samples."""
    return {"value": DO[request.model]({"seconds": request.samples / 10, "value": request.seed}, context)}


def probe(request, context):
    """What was asked for, and the lesion as it came; waits as long as its model's name says where that is a number."""
    loop({"seconds": float(request.model)}, context)
    lesion = unpack(request.lesion, context.arrays.map)
    asked = {name: value for name, value in vars(request).items() if name not in ("id", "case_id", "lesion")}
    return {"asked": asked, "mask": None if lesion is None else lesion.copy()}


def echo(settings, _):
    return settings.get("value", 0)


def loop(settings, context):
    """Work for settings["seconds"] in steps that ask whether to stop."""
    steps = int(settings["seconds"] / 0.02)
    for step in range(steps):
        if context.cancel():
            raise RuntimeError("stopped between steps")
        context.progress(step / steps, f"step {step}")
        time.sleep(0.02)
    return settings.get("value", 0)


def ignore(settings, context):
    """Work that never asks whether to stop."""
    context.progress(0.5, "busy")
    time.sleep(settings["seconds"])
    return 1


def hang(_, context):
    context.progress(0.5, "hanging")
    time.sleep(1000)


def print_much(settings, _):
    print("a library says hello")  # noqa: T201
    subprocess.run([sys.executable, "-c", "import sys; print('a child too'); sys.stdin.read()"], check=True)
    os.write(1, b"and stops in the middle of a line")
    return settings["value"]


def crash(settings, _):
    sys.stderr.write("the last words\n")
    sys.stderr.flush()
    os._exit(3)


def ask_for_too_much(*_):
    return float(np.ones(2**55)[0])


def fail(*_):
    raise ZeroDivisionError("by zero")


def leave(*_):
    raise SystemExit(4)


DO = {
    "leave": leave,
    "echo": echo,
    "loop": loop,
    "hang": hang,
    "ignore": ignore,
    "print": print_much,
    "crash": crash,
    "memory": ask_for_too_much,
    "fault": fail,
}

if __name__ == "__main__":
    handlers = {"open": open_case, "close": close_case, "segment": segment, "probe": probe}
    main(lambda: {**handlers, "fuse_slice": work, "fuse_volume": work})
