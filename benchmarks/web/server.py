"""The workspace in a process of its own, as `make run` starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from DiffuFuseMedLib.core.errors import input_error

COMMAND = (sys.executable, "-c", "from DiffuFuseMedLib.cli import main; main()")
ADDRESS = re.compile(r"https?://\S+/\?token=\S+")
START_S, END_S = 120.0, 15.0
KEPT_LINES = 30


def address_in(line: str) -> str | None:
    """The address with its token, when the line has one."""
    found = ADDRESS.search(line)
    return found.group() if found else None


class WebServer:
    """`diffufusemed web CASE --no-browser`; began_s: when its command was started, in seconds since 1970.

    address_s: seconds from then until it printed where it is. command: what comes before "web".
    """

    def __init__(self, case: Path, command: Sequence[str] = COMMAND) -> None:
        self.case, self._command = case, command
        self._tail: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines: SimpleQueue[str | None] = SimpleQueue()

    def __enter__(self) -> WebServer:
        self.began_s = time.time()
        command = [*self._command, "web", str(self.case), "--no-browser"]
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        self._state = tempfile.TemporaryDirectory(prefix="state-")  # not the user's own
        environment = {**os.environ, "XDG_STATE_HOME": self._state.name}
        self._process = subprocess.Popen(
            command, stdout=pipe, stderr=both, stdin=subprocess.DEVNULL, text=True, env=environment
        )
        assert self._process.stdout is not None, "it is started with a pipe"
        self._stdout = self._process.stdout
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        try:
            self.address = self._wait_for_address()
        except BaseException:
            self.__exit__()
            raise
        self.address_s = time.time() - self.began_s
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT if sys.platform != "win32" else signal.SIGTERM)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reading.join(END_S)  # an engine that outlives its server for a moment holds the pipe as long
        if not self._reading.is_alive():
            self._stdout.close()
        self._state.cleanup()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        """The last lines that it wrote, without the address."""
        return "".join(line for line in self._tail if not address_in(line))

    def _read(self) -> None:
        for line in self._stdout:
            self._tail.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def _wait_for_address(self) -> str:
        until = time.monotonic() + START_S
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            if line is None:
                said = " ".join(self.said.split()) or "nothing"
                raise input_error(
                    f"a workspace that ended at its start and said {said}", "one that serves", "mend that"
                )
            if address := address_in(line):
                return address
        raise input_error(f"a workspace without an address after {START_S:g} s", "one that serves", "try again")
