"""QtProcess: the engine's process over QProcess, in place of engine.child.Child: no thread, all on the main thread."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

import qt

log = logging.getLogger(__name__)
KEPT_LINES = 40
START_MS = 10_000


class QtProcess:
    """Started at once; OSError when it cannot be. on_line gets each line of its stdout, its end included; on_exit its
    exit status (negative: the signal that ended it) and the end of its stderr. side: as of Child."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        on_line: Callable[[QtProcess, bytes], None],
        on_exit: Callable[[QtProcess, int, str], None],
        side: str = "s",
    ) -> None:
        self.side = side
        self._on_line, self._on_exit = on_line, on_exit
        self._piece = b""
        self._errors = b""
        self._tail: deque[str] = deque(maxlen=KEPT_LINES)
        self._ending = False
        self._process = qt.QProcess()
        self._process.setProcessEnvironment(as_qt(environment))
        self._process.connect("readyReadStandardOutput()", self._read)
        self._process.connect("readyReadStandardError()", self._read_errors)
        self._process.connect("finished(int,QProcess::ExitStatus)", self._finished)
        self._process.start(str(command[0]), [str(part) for part in command[1:]])
        if not self._process.waitForStarted(START_MS):
            self._ending = True
            raise OSError(self._process.errorString())

    @property
    def pid(self) -> int:
        return self._process.processId()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent to it."""
        return not self._ending and self._process.state() == qt.QProcess.Running

    def send(self, line: bytes) -> None:
        """Queue one line, which Qt writes as the process reads; one that is gone swallows it, on_exit tells."""
        if self.usable:
            self._process.write(line)

    def kill(self) -> None:
        self._ending = True
        self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended, and its streams were read out, within the time."""
        if self._process.state() == qt.QProcess.NotRunning:
            return True
        return bool(self._process.waitForFinished(round(1000 * timeout_s)))

    def _read(self) -> None:
        """Qt gives what has come: several lines, or half of one."""
        *lines, self._piece = (self._piece + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            try:
                self._on_line(self, line + b"\n")
            except Exception:  # a host's callback must not end the conversation
                log.exception("a reply of the engine could not be handed over")

    def _read_errors(self) -> None:
        *lines, self._errors = (self._errors + bytes(self._process.readAllStandardError().data())).split(b"\n")
        for line in lines:
            self._keep_error(line)

    def _keep_error(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._tail.append(text + "\n")
        log.debug("engine: %s", text)

    def _finished(self, code: int, how: int) -> None:
        self._ending = True
        self._read()
        self._read_errors()
        if self._errors:
            self._keep_error(self._errors)
        # Qt's exit code of what a signal ended is that signal's number, where there are signals.
        status = -code if how == qt.QProcess.CrashExit else code
        self._on_exit(self, status, "".join(self._tail))


def as_qt(environment: dict[str, str]) -> qt.QProcessEnvironment:
    """For QProcess.setProcessEnvironment()."""
    result = qt.QProcessEnvironment()
    for name, value in environment.items():
        result.insert(name, value)
    return result
