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

from . import meeting, proof

CHUNK_BYTES = 2**16
CONNECT_S = 5.0
LINE_BYTES = 4096
SILENT = "The engine does not answer: start it with `diffufusemed engine`."
STRANGER = "What answers on the engine's port is another program: start the engine again with `diffufusemed engine`."


def connect(greeting: dict[str, Any]) -> socket.socket:
    """A connection past its greeting; NoEngineError where no engine answers or it refuses."""
    address = meeting.look_up()
    try:
        connection = socket.create_connection((meeting.HOST, address.port), CONNECT_S)
    except OSError as error:
        raise meeting.NoEngineError(SILENT) from error
    try:
        _greet(connection, address.token, greeting)
    except BaseException:
        connection.close()
        raise
    connection.settimeout(None)
    return connection


def _greet(connection: socket.socket, token: str, greeting: dict[str, Any]) -> None:
    try:
        proven = _proven(connection, token)
        answer = _asked(connection, {"proof": proven, **greeting}) if proven else {"refused": STRANGER}
    except (OSError, ValueError) as error:
        raise meeting.NoEngineError(SILENT) from error
    if "welcome" not in answer:
        raise meeting.NoEngineError(answer.get("refused", "The engine does not know this session: start it again."))


def _proven(connection: socket.socket, token: str) -> str | None:
    """What proves this session to the engine, once that has proven itself; None for another program on its port."""
    word = proof.new_word()
    answer = _asked(connection, {"word": word})
    theirs = answer.get("word", "")
    if not proof.is_word(theirs) or not proof.is_proof(answer.get("proof"), token, proof.ENGINE, word, theirs):
        return None
    return proof.proof(token, proof.SESSION, word, theirs)


def _asked(connection: socket.socket, words: dict[str, Any]) -> dict[str, Any]:
    """The answer to one line; ValueError or OSError where it is none."""
    connection.sendall(json.dumps(words).encode() + b"\n")
    answer = json.loads(_line(connection) or "{}")
    if not isinstance(answer, dict):
        raise ValueError("an answer that is no object")
    return answer


def _line(connection: socket.socket) -> bytes:
    """Byte by byte, so that nothing of what follows is taken; no more of it than an engine says."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LINE_BYTES and (byte := connection.recv(1)):
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
