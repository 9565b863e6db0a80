"""The child process as the client holds it: its environment, its three streams, and its end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[3]  # what has to be on the path for DiffuFuseMedLib to be found
KEPT_LINES = 40
OF_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "PYTHONNOUSERSITE", "PYTHONEXECUTABLE")


class Child:
    """Started at once. on_line gets each line of its stdout, on_exit its exit status and the end of its stderr once
    both streams are read out; both run in a thread of their own. side: how the names of its arrays' files begin."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        on_line: Callable[[Child, bytes], None],
        on_exit: Callable[[Child, int, str], None],
        side: str = "s",
    ) -> None:
        self.side = side
        self._on_line, self._on_exit = on_line, on_exit
        self._tail: deque[str] = deque(maxlen=KEPT_LINES)
        self._ending = False
        pipe = subprocess.PIPE
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self.process = process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, creationflags=flags
        )
        self._stdin, self._stdout, self._stderr = map(_piped, (process.stdin, process.stdout, process.stderr))
        self._errors = threading.Thread(target=self._read_errors, name="engine-stderr", daemon=True)
        self._replies = threading.Thread(target=self._read_replies, name="engine-replies", daemon=True)
        self._errors.start()
        self._replies.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def usable(self) -> bool:
        """Whether a request may be sent to it."""
        return not self._ending and self.process.poll() is None

    def send(self, line: bytes) -> None:
        """Write one line; a child that is gone swallows it, on_exit tells."""
        try:
            self._stdin.write(line)
            self._stdin.flush()
        except (OSError, ValueError):
            self._ending = True

    def kill(self) -> None:
        self._ending = True
        self.process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended, and its streams were read out, within the time."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        if threading.current_thread() is not self._replies:
            self._replies.join(timeout_s)
        return not self._replies.is_alive()

    def _read_replies(self) -> None:
        for line in self._stdout:
            try:
                self._on_line(self, line)
            except Exception:  # a host's callback must not end the conversation
                log.exception("a reply of the engine could not be handed over")
        self._ending = True
        if self.process.poll() is None:
            self._let_end()
        self._errors.join(1.0)
        status = self.process.wait()
        for stream in (self._stdin, self._stdout, self._stderr):
            try:
                stream.close()
            except OSError:  # unsent bytes of stdin
                log.debug("a stream of the engine was already gone")
        self._on_exit(self, status, "".join(self._tail))

    def _let_end(self) -> None:
        """stdout ended: the process is about to, or it never will."""
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _read_errors(self) -> None:
        for line in self._stderr:
            text = line.decode(errors="replace")
            self._tail.append(text)
            log.debug("engine: %s", text.rstrip())


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "a child is started with three pipes"
    return stream


def environment_for(python: str) -> dict[str, str]:
    """This process' environment, in which `python` finds this DiffuFuseMedLib.

    Another Python than this one, such as that beside Slicer's, is spared what was set for this one; and this one's
    site-packages, whose compiled modules it could not load, are not put on its path.
    """
    environment = dict(os.environ)
    path = [str(ROOT)]
    if _same(python, sys.executable):
        path += [environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []
    else:
        for name in OF_ANOTHER_PYTHON:
            environment.pop(name, None)
        if ROOT.name in ("site-packages", "dist-packages"):
            path = []
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(path)
    return environment


def _same(first: str, second: str) -> bool:
    # not resolved: the python of a virtual environment is a link to one with other packages
    return os.path.normcase(Path(first).absolute()) == os.path.normcase(Path(second).absolute())
