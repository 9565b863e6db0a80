"""An engine that stays: it serves one session after the other over the loopback interface and keeps its models.

Who attaches (attach.py) proves that it knows the token, as the engine does to it, says where its arrays lie, and then
speaks the same protocol as over stdin and stdout. A session that goes takes its cases with it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..wire import meeting, proof, protocol
from ..wire.arrays import PREFIX, ArrayFolder
from .context import Handler
from .server import Lazy, Server, lines_of

log = logging.getLogger(__name__)
GREETING_BYTES, GREETING_S = 4096, 5.0
BUSY = "The running engine serves another session: close that one, or choose a Python instead."


class Listener:
    """handlers: what all sessions are served by. Use as a context manager round serve()."""

    def __init__(self, handlers: Mapping[str, Handler] | None = None) -> None:
        self._handlers = Lazy() if handlers is None else handlers
        self._token = secrets.token_urlsafe(32)
        self._taken = threading.Lock()
        self._socket = socket.create_server((meeting.HOST, 0))
        self._announced = meeting.announce(meeting.Address(self._socket.getsockname()[1], self._token, os.getpid()))

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._announced.withdraw()

    def serve(self) -> None:
        """Until the process is interrupted, or the listener closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, connection.makefile("wb") as out:
            try:
                greeting = self._greeting(connection, lines, out)
                if greeting is not None:
                    self._welcome(greeting, lines, out)
            except OSError:  # it went in the middle
                log.debug("a session went away")

    def _greeting(self, connection: socket.socket, lines: BinaryIO, out: BinaryIO) -> dict[str, Any] | None:
        """What it says after its proof, None without a further word for one that does not know the token."""
        connection.settimeout(GREETING_S)
        try:
            theirs, ours = json.loads(lines.readline(GREETING_BYTES))["word"], proof.new_word()
            if not proof.is_word(theirs):
                return None
            _say(out, {"word": ours, "proof": proof.proof(self._token, proof.ENGINE, theirs, ours)})
            greeting = json.loads(lines.readline(GREETING_BYTES))
            known = proof.is_proof(greeting["proof"], self._token, proof.SESSION, theirs, ours)
        except (ValueError, KeyError, TypeError):
            return None
        connection.settimeout(None)
        return greeting if known else None

    def _welcome(self, greeting: dict[str, Any], lines: BinaryIO, out: BinaryIO) -> None:
        if greeting.get("ask"):
            _say(out, {"welcome": os.getpid()})
            return
        if not self._taken.acquire(blocking=False):
            _say(out, {"refused": BUSY})
            return
        try:
            arrays = ArrayFolder(_session_folder(greeting), int(greeting["quota_bytes"]), str(greeting["side"]))
            _say(out, {"welcome": os.getpid()})
            with Guest(self._handlers) as handlers:
                Server(handlers, arrays, out).serve(lines_of(lines))
        except (meeting.NoEngineError, KeyError, ValueError) as error:
            _say(out, {"refused": str(error)})
        finally:
            self._taken.release()


class Guest(Mapping):
    """The handlers for one session; at its end its cases are closed."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._cases: set[str] = set()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        for case_id in self._cases if "close" in self._handlers else ():
            self._handlers["close"](protocol.Close(0, case_id), None)

    def __getitem__(self, kind: str) -> Handler:
        return self._noting(self._handlers[kind]) if kind == "open" else self._handlers[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)

    def _noting(self, open_case: Handler) -> Callable[..., Any]:
        def noted(request: Any, context: Any) -> Any:
            self._cases.add(request.case_id)
            return open_case(request, context)

        return noted


def _session_folder(greeting: dict[str, Any]) -> Path:
    """The session's folder of arrays; NoEngineError for what is none, or is not this user's alone."""
    folder = Path(str(greeting["folder"]))
    if not folder.name.startswith(PREFIX) or not folder.is_dir():
        raise meeting.NoEngineError("The session named a folder for arrays that is none: start the session again.")
    meeting.check_private(folder)
    return folder


def _say(out: BinaryIO, words: dict[str, Any]) -> None:
    out.write(json.dumps(words).encode() + b"\n")
    out.flush()
