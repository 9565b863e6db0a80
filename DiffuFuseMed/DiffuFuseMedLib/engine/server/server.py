"""The engine's process: requests come in on stdin, replies go out on stdout, work is done in lanes.

Started by client/ as `python -m DiffuFuseMedLib.engine.server --folder FOLDER`. It ends with its stdin, so also when
whoever started it is killed, and then takes the session's folder with it.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from ... import __version__
from ...core.errors import input_error
from ..wire import protocol
from ..wire.arrays import QUOTA_BYTES, ArrayFolder
from ..wire.pack import pack, references
from .context import Context, Handler
from .failures import failure_of, failure_whatever_happens, stopped
from .job_queues import LOOK_S, Job, JobQueue
from .requests import request_from

log = logging.getLogger(__name__)
LIVE = ("open", "rois", "fuse_slice")
QUEUES = ("live", "asked", "behind")  # under the hand, what the reader waits for, what is made meanwhile
PREPARES = ("open", "rois")  # later requests for the case wait for these, whichever lane they are in
TELL_EVERY_S = 0.05
LEAST_SHARE = 0.03  # an estimate of the time left from less than this of the work is a guess
GIVE_WAY_S = 0.5  # the longest that a step of long work stands back for the live lane
WATCH_S = 0.5


class Server:
    """handlers: by kind of request; each returns what pack() takes. "close" and "relieve" (after the memory ran out)
    are called too where they are there."""

    def __init__(self, handlers: Mapping[str, Handler], arrays: ArrayFolder, out: BinaryIO) -> None:
        self._handlers, self._arrays, self._out = handlers, arrays, out
        self._writing = threading.Lock()
        self._prepared_by: dict[str, Job] = {}
        self._queues = {name: JobQueue(name, self._work, self._refuse) for name in QUEUES}
        self._at_once: dict[str, Callable[[Any], Any]] = {
            "hello": self._hello,
            "alive": self._alive,
            "cancel": self._cancel,
            "close": self._close,
        }
        for queue in self._queues.values():
            queue.start()

    def serve(self, lines: Iterator[bytes]) -> None:
        """Answer until the lines end or one says shutdown."""
        for line in lines:
            try:
                request = request_from(line)
            except protocol.RequestError as error:
                self._send(failure_of(error, error.id))
                continue
            if isinstance(request, protocol.Shutdown):
                break
            self._take(request)
        for queue in self._queues.values():
            queue.stop(lambda _: True)

    def _take(self, request: Any) -> None:
        kind = protocol.kind_of(request)
        if kind not in self._at_once:
            self._queue(request, kind)
            return
        try:
            self._send(protocol.Result(request.id, self._at_once[kind](request)))
        except Exception as error:
            self._send(failure_whatever_happens(error, request.id))

    def _queue(self, request: Any, kind: str) -> None:
        keys = {
            "fuse_slice": ("slice", request.case_id, getattr(request, "view", "")),
            "fuse_volume": ("volume", request.case_id),
        }
        job = Job(request, keys.get(kind), self._prepared_by.get(request.case_id))
        if kind in PREPARES:
            self._prepared_by[request.case_id] = job
        # a slice without its doubt is the hand at the wheel: it does not wait for the doubt of the slice before
        hurried = kind == "fuse_slice" and not request.uncertainty
        self._queues[_lane_of(request)].submit(job, stop_running=kind == "fuse_volume" or hurried)

    def _hello(self, request: protocol.Hello) -> dict[str, Any]:
        if request.version != protocol.VERSION:
            raise input_error(
                f"a client of protocol version {request.version}",
                f"version {protocol.VERSION}",
                "install one version of DiffuFuseMed on both sides",
            )
        return {"version": protocol.VERSION, "pid": os.getpid(), "library": __version__}

    def _alive(self, _: protocol.Alive) -> dict[str, list[int]]:
        return {"owed": [job.request.id for queue in self._queues.values() for job in queue.owed()]}

    def _cancel(self, request: protocol.Cancel) -> dict[str, str]:
        outcomes = {queue.stop(lambda job: job.request.id == request.target) for queue in self._queues.values()}
        return {"was": next((o for o in ("running", "queued") if o in outcomes), "unknown")}

    def _close(self, request: protocol.Close) -> None:
        for queue in self._queues.values():
            queue.stop(lambda job: job.request.case_id == request.case_id)
        self._prepared_by.pop(request.case_id, None)
        if "close" in self._handlers:
            self._handlers["close"](request, None)

    def _work(self, job: Job) -> None:
        """Run one job in its lane and answer it, whatever happens."""
        try:
            self._send(self._reply_of(job))
        except BaseException as error:  # of whatever kind: it ends the request, never the lane
            failure = _stopped(job) if job.cancel() else failure_whatever_happens(error, job.request.id)
            self._send(failure)
            if failure.code == "out_of_memory" and "relieve" in self._handlers:
                self._handlers["relieve"](job.request, None)

    def _reply_of(self, job: Job) -> protocol.Reply:
        kind = protocol.kind_of(job.request)
        if kind not in self._handlers:
            raise protocol.RequestError(str(input_error(kind, "a request that this engine serves", "update it")))
        context = Context(self._arrays, self._teller(job.request.id), self._stopper(job))
        if context.cancel():
            return _stopped(job)
        value = self._handlers[kind](job.request, context)
        if job.cancel() and not (kind == "fuse_slice" and job.stopped == "superseded"):  # nobody waits for it any more
            return _stopped(job)
        with self._arrays.batch() as names:
            return protocol.Result(job.request.id, pack(value, lambda array: self._written(array, names)))

    def _written(self, array: Any, names: list[str]) -> dict[str, Any]:
        reference = self._arrays.write(array)
        names += references(reference)
        return reference

    def _stopper(self, job: Job) -> Callable[[], bool]:
        """What the job's computation asks between its steps, without holding a lock: here it stands back for others."""
        live, asked = self._queues["live"].idle, self._queues["asked"].idle
        queue = _lane_of(job.request)
        if queue == "live":
            return job.cancel

        def cancel() -> bool:
            live.wait(GIVE_WAY_S)  # the processor is the live lane's while somebody looks at its picture
            while queue == "behind" and not job.cancel() and not asked.wait(LOOK_S):
                pass  # a run ends in whatever way, and this goes on where it stood
            return job.cancel()

        return cancel

    def _teller(self, request_id: int) -> Callable[[float, str], None]:
        began, last = time.monotonic(), [0.0]

        def tell(share: float, words: str) -> None:
            now = time.monotonic()
            if now - last[0] < TELL_EVERY_S and share < 1:
                return
            last[0] = now
            left = (now - began) * (1 - share) / share if share >= LEAST_SHARE else None
            self._send(protocol.Progress(request_id, float(share), words, left))

        return tell

    def _refuse(self, job: Job) -> None:
        self._send(_stopped(job))

    def _send(self, reply: protocol.Reply) -> None:
        line = protocol.to_line(reply)
        with self._writing:
            try:
                self._out.write(line)
                self._out.flush()
            except (OSError, ValueError):  # nobody listens any more; the end of stdin follows
                log.debug("a reply found no reader")


def _stopped(job: Job) -> protocol.Failure:
    return stopped(job.request.id, job.stopped or "cancelled")


def _lane_of(request: Any) -> str:
    kind = protocol.kind_of(request)
    if kind in LIVE:
        return "live"
    waited_for = kind in ("judge_fusion", "remove", "probe", "agree") or (kind == "segment" and not request.behind)
    return "asked" if waited_for else "behind"


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Lines until the stream ends, each cut at protocol.LONGEST_LINE; empty ones are left out."""
    while line := stream.readline(protocol.LONGEST_LINE):
        if line.strip():
            yield line


def main(handlers: Callable[[], Mapping[str, Handler]] | None = None) -> None:
    """Serve this process' stdin and stdout until they end. handlers: makes what serves; by default handlers.py does."""
    options = _options()
    stdin, out = _own_streams()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the parent, which then ends this process
    arrays = ArrayFolder(options.folder, options.quota_bytes, options.side)
    threading.Thread(target=_watch_parent, args=(os.getppid(), arrays), daemon=True).start()
    Server(handlers() if handlers else Lazy(), arrays, out).serve(lines_of(stdin))
    _end(arrays)


class Lazy(Mapping):
    """The handlers of handlers.py, imported beside the first requests: PyTorch takes seconds, hello need not wait."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._table: Mapping[str, Handler] | None = None
        threading.Thread(target=self._loaded, daemon=True).start()

    def _loaded(self) -> Mapping[str, Handler]:
        with self._loading:
            if self._table is None:
                self._table = import_module(f"{__package__}.handlers").Workbench().handlers()
            return self._table

    def __getitem__(self, kind: str) -> Handler:
        return self._loaded()[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="the session's folder for arrays")
    parser.add_argument("--quota-bytes", type=int, default=QUOTA_BYTES)
    parser.add_argument("--side", default="s", help="how the names of the files written here begin")
    return parser.parse_args()


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """stdin and stdout for the protocol alone: a library that prints reaches stderr, a child process reads nothing."""
    stdin, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return stdin, out


def _watch_parent(parent: int, arrays: ArrayFolder) -> None:
    """End when the parent is gone: where it forked others, these may hold the pipe open and stdin never ends."""
    while os.name != "nt" and os.getppid() == parent:
        time.sleep(WATCH_S)
    if os.name != "nt":
        _end(arrays)


def _end(arrays: ArrayFolder) -> None:
    """Leave at once, with nothing behind; a lane in the middle of a tensor operation cannot be waited for."""
    arrays.remove()
    os._exit(0)
