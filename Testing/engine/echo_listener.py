"""A running engine round the handlers of echo_server.py; it says its process id once it can be attached to."""

import os
import sys

import echo_server
from DiffuFuseMedLib.engine.server.listen import Listener

HANDLERS = {
    "open": echo_server.open_case,
    "close": echo_server.close_case,
    "segment": echo_server.segment,
    "fuse_slice": echo_server.work,
    "fuse_volume": echo_server.work,
}

if __name__ == "__main__":
    with Listener(HANDLERS) as listener:
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        listener.serve()
