"""The engine's process of a session that uses a running engine: it hands its lines to and fro, and computes nothing.

Started by client/ in place of server/: `python -m DiffuFuseMedLib.engine.wire.attach --folder FOLDER`; needs nothing
beside Python's own library. With --ask it only says whether an engine answers.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from typing import Any

from . import meeting

CHUNK_BYTES = 2**16
CONNECT_S = 5.0


def connect(greeting: dict[str, Any]) -> socket.socket:
    """A connection past its greeting; NoEngineError where no engine answers or it refuses."""
    address = meeting.look_up()
    try:
        connection = socket.create_connection((meeting.HOST, address.port), CONNECT_S)
        connection.sendall(json.dumps({"token": address.token, **greeting}).encode() + b"\n")
        answer = json.loads(_first_line(connection) or "{}")
    except (OSError, ValueError) as error:
        raise meeting.NoEngineError("The engine does not answer: start it with `diffufusemed engine`.") from error
    if "welcome" not in answer:
        raise meeting.NoEngineError(answer.get("refused", "The engine does not know this session: start it again."))
    connection.settimeout(None)
    return connection


def _first_line(connection: socket.socket) -> bytes:
    """Byte by byte, so that nothing of what follows is taken."""
    line = b""
    while not line.endswith(b"\n") and (byte := connection.recv(1)):
        line += byte
    return line


def relay(connection: socket.socket) -> None:
    """stdin to the engine and its words to stdout, until either ends; NoEngineError when it was the engine."""
    over = threading.Event()
    threading.Thread(target=_send_stdin, args=(connection, over), daemon=True).start()
    while chunk := _received(connection):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    if not over.is_set():
        raise meeting.NoEngineError("The running engine has ended: start it again with `diffufusemed engine`.")


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(CHUNK_BYTES)
    except ConnectionError:
        return b""


def _send_stdin(connection: socket.socket, over: threading.Event) -> None:
    """Its end, such as that of the session, is the connection's."""
    try:
        while chunk := os.read(0, CHUNK_BYTES):
            connection.sendall(chunk)
        over.set()
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the engine is gone, which the other direction tells


def main() -> None:
    options = _options()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the parent, which then ends this process
    try:
        if options.ask:
            connect({"ask": True}).close()
            return
        greeting = {"folder": options.folder, "quota_bytes": options.quota_bytes, "side": options.side}
        relay(connect(greeting))
    except OSError as error:
        sys.exit(str(error))  # the client keeps the last words


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="the session's folder for arrays")
    parser.add_argument("--quota-bytes", type=int, default=0)
    parser.add_argument("--side", default="s", help="how the names of the engine's files begin")
    parser.add_argument("--ask", action="store_true", help="only say whether an engine answers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
