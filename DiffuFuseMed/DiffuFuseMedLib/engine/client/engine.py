"""The engine as a host sees it: torch-free, without Qt, thread-safe; every call returns at once with a Handle.

    engine = Engine()
    case_id = engine.open(case)                                  # or start_open(case): a Handle, without waiting
    handle = engine.segment(case_id, "sts-diffufusemed", samples=8, progress=show)
    prediction = handle.result(timeout=600)
    engine.close()

Three ways to wait: `handle.result()` in a thread that may block; `await asyncio.wrap_future(handle.future)` in an
asyncio host; in a Qt host `Engine(on_reply=lambda *reply: queue.put(reply))`, the queue emptied by a timer of the main
thread. Callbacks (progress, on_reply, on_exit) run in the engine's reading thread, so they hand over and return.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import InputError
from ...core.fused import FusedPicture, FusedVolume
from ...core.prediction import Prediction
from ..wire import protocol
from ..wire.arrays import QUOTA_BYTES, ArrayFolder
from ..wire.pack import pack, references, unpack
from ..wire.protocol import Failure, Progress, Reply, Result
from .child import Child, environment_for
from .watch import DEAF_S, Watch

log = logging.getLogger(__name__)
SERVER = "DiffuFuseMedLib.engine.server"
GRACE_S = 5.0
GOODBYE_S = 2.0
DETAIL_LINES = 12


class EngineError(RuntimeError):
    """A request without a result. str() is one sentence for the user, code one of protocol.CODES."""

    def __init__(self, code: str, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.code, self.detail = code, detail


class Handle:
    """A request on its way. future: a concurrent.futures.Future of its result; case_id: the case it is about."""

    def __init__(self, engine: Engine, number: int, request: dict[str, Any]) -> None:
        self.id, self.kind, self.case_id = number, request["kind"], request.get("case_id")
        self.future: Future = Future()
        self.future.set_running_or_notify_cancel()  # so that Future.cancel() cannot leave the engine computing
        self.progress: Callable[[float, str, float | None], None] | None = None
        self.decode: Callable[[Any], Any] | None = None
        self.settled: Callable[[EngineError | None], None] | None = None  # before result() returns, unlike callbacks
        self.child: Child | None = None
        self.cancelling = False
        self._engine = engine

    def result(self, timeout: float | None = None) -> Any:
        """Wait for it; raises EngineError, or TimeoutError after `timeout` seconds (the request goes on)."""
        return self.future.result(timeout)

    def done(self) -> bool:
        return self.future.done()

    def cancel(self, grace_s: float = GRACE_S) -> bool:
        """Ask to stop, without waiting; result() then raises EngineError with the code "cancelled". An engine that has
        not stopped within grace_s seconds is killed and started anew with its cases. False when it was already done."""
        if self.done():
            return False
        self.cancelling = True
        self._engine._cancel(self, grace_s)
        return True


class Engine:
    """A child process that starts with the first request, and again with the next one after it died.

    python: the interpreter that has PyTorch; folder: where the private folder for arrays is made, the system's folder
    for temporary files by default; on_exit(error): the process died, and not only of a cancel; on_reply(handle, reply):
    every reply, after its handle was settled (both also attributes, for who listens later); module: what runs in the
    child; spawn: makes what is used like a Child; later(seconds, call): a timer with cancel(), a thread's by default.
    """

    def __init__(
        self,
        python: str = sys.executable,
        folder: str | Path | None = None,
        quota_bytes: int = QUOTA_BYTES,
        on_exit: Callable[[EngineError], None] | None = None,
        on_reply: Callable[[Handle, Reply], None] | None = None,
        module: str = SERVER,
        spawn: Callable[..., Child] = Child,
        later: Callable[[float, Callable[[], None]], Any] | None = None,
    ) -> None:
        self._arrays = ArrayFolder.create(None if folder is None else Path(folder), quota_bytes)
        self._command = [
            str(python),
            "-m",
            module,
            "--folder",
            str(self._arrays.path),
            "--quota-bytes",
            str(quota_bytes),
        ]
        self._python, self.on_exit, self.on_reply = str(python), on_exit, on_reply
        self._spawn, self._later = spawn, later or _thread_timer
        self._lock = threading.RLock()
        self._watch = Watch(self._later, self._look)
        self._numbers, self._cases = itertools.count(1), itertools.count(1)
        self._pending: dict[int, Handle] = {}
        self._opened: dict[str, dict[str, Any]] = {}
        self._child: list[Child] = []  # none or one; a list so that the finalizer sees the present one
        self._closed = False
        self._finalizer = weakref.finalize(self, _leave_nothing, os.getpid(), self._child, self._arrays)

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is no child."""
        return self._child[0].pid if self._child and self._child[0].usable else None

    @property
    def folder(self) -> Path:
        return self._arrays.path

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Handle:
        """Start the child ahead of the first request, since importing PyTorch takes seconds. Result: version, pid."""
        return self._request({"kind": "hello", "version": protocol.VERSION})

    def open(self, case: Case, rois: Any = None, lesion: np.ndarray | None = None, timeout: float | None = None) -> str:
        """start_open() and wait: the case's id. Raises EngineError."""
        return self.start_open(case, rois, lesion).result(timeout)

    def stage(self, case: Case, rois: Any = None, lesion: np.ndarray | None = None) -> dict[str, Any]:
        """What start_open() takes as `staged`: the arrays written, which takes seconds for a large case and is done on
        any thread. `unstage` takes back what is not wanted after all. Raises EngineError as start_open() does."""
        self._check_not_closed()
        return self._shared({"case": case.unscored(), "rois": rois, "lesion": _mask(lesion)})

    def unstage(self, staged: dict[str, Any]) -> None:
        self._arrays.discard(*references(staged))

    def start_open(
        self, case: Case, rois: Any = None, lesion: np.ndarray | None = None, staged: dict[str, Any] | None = None
    ) -> Handle:
        """Send a case; handle.case_id may be used in requests at once. rois: data.rois.Rois, automatic where None;
        lesion: bool [k, j, i], the automatic ROIs' lesion; staged: of stage(), for the same three. Raises EngineError
        when the folder has no room for it."""
        self._check_not_closed()
        fields = staged or self.stage(case, rois, lesion)
        case_id = f"case-{next(self._cases)}"
        message = {"kind": "open", "case_id": case_id, **fields}
        with self._lock:
            handle = self._request(message, decode=lambda _: case_id)
            self._opened[case_id] = message
            handle.settled = lambda error: self._forget(case_id) if error else None
        return handle

    def reopen(self, case_id: str, staged: dict[str, Any]) -> Handle:
        """Another state of an open case under its id, such as with an image moved; staged: of stage(). Requests that
        follow are answered with it, and its ROIs are the staged ones."""
        with self._lock:
            handle = self._request({"kind": "open", "case_id": case_id, **staged})
            handle.settled = lambda error: self._keep(case_id, staged, error)
        return handle

    def replace_rois(self, case_id: str, rois: Any = None, lesion: np.ndarray | None = None) -> Handle:
        """Other ROIs for an open case, such as after a correction of the lesion; arguments as in start_open()."""
        fields = self._shared({"rois": rois, "lesion": _mask(lesion)})
        with self._lock:
            handle = self._request({"kind": "rois", "case_id": case_id, **fields})
            handle.settled = lambda error: self._keep(case_id, fields, error)
        return handle

    def segment(
        self,
        case_id: str,
        model: str,
        samples: int = 8,
        seed: int = 0,
        modalities: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        device: str = "auto",
        progress: Callable[[float, str, float | None], None] | None = None,
        behind: bool = False,
    ) -> Handle:
        """Handle of a Prediction. modalities: those switched on, None for all; options: what only some systems can be
        told, such as {"gating": False}; progress(share, words, seconds left); behind: nobody waits for it, so it stands
        still while one that is waited for is made."""
        request = {"kind": "segment", "case_id": case_id, "model": model, "samples": samples, "seed": seed}
        chosen = None if modalities is None else list(modalities)
        request |= {"modalities": chosen, "options": options or {}, "device": device, "behind": behind}
        return self._request(request, progress)

    def fuse_slice(
        self,
        case_id: str,
        plane: str,
        index: int,
        settings: Any = None,
        view: str | None = None,
        device: str = "auto",
        mri: str | None = None,
        progress: Callable[[float, str, float | None], None] | None = None,
        uncertainty: bool = True,
    ) -> Handle:
        """Handle of a FusedPicture. settings: a dataclass or dict with fields of fuse.FusionSettings. Queued ones of
        the same view (by default the plane) are answered "superseded" by a newer one. mri: the MR to fuse with the CT,
        the case's first where None. uncertainty: False while scrolling, for the same picture with None as its
        uncertainty, several times as fast; asked again with True, what was computed is used."""
        request = {"kind": "fuse_slice", "case_id": case_id, "plane": plane, "index": index, "view": view or plane}
        request |= {"settings": _plain_settings(settings), "device": device, "mri": mri, "uncertainty": uncertainty}
        return self._request(request, progress, lambda value: FusedPicture(**value))

    def fuse_volume(
        self,
        case_id: str,
        settings: Any = None,
        device: str = "auto",
        mri: str | None = None,
        progress: Callable[[float, str, float | None], None] | None = None,
    ) -> Handle:
        """Handle of a FusedVolume; an older one of the same case is stopped and answered "superseded"."""
        request: dict[str, Any] = {"kind": "fuse_volume", "case_id": case_id, "settings": _plain_settings(settings)}
        request |= {"device": device, "mri": mri}
        return self._request(request, progress, lambda value: FusedVolume(**value))

    def judge_fusion(
        self, case_id: str, image: np.ndarray, settings: Any = None, device: str = "auto", mri: str | None = None
    ) -> Handle:
        """For a report: a Judgement of a fused volume, float32 [k, j, i], as fuse_volume() gave it for these
        settings. Raises EngineError when the folder has no room for it."""
        shared = self._shared({"image": image})
        with self._lock:
            request = {"kind": "judge_fusion", "case_id": case_id, "settings": _plain_settings(settings), **shared}
            handle = self._request(request | {"device": device, "mri": mri})
            handle.settled = lambda _: self._arrays.discard(*references(shared))
        return handle

    def remove(
        self,
        case_id: str,
        lesion: np.ndarray,
        model: str,
        margin_mm: float = 0.0,
        device: str = "auto",
        progress: Callable[[float, str, float | None], None] | None = None,
    ) -> Handle:
        """Handle of a dict: `volumes`, arrays [k, j, i] of the images without the lesion by modality, `removed`, the
        bool mask of what was filled in, and `provenance`. lesion: bool [k, j, i], widened before it is removed, by
        margin_mm beyond the paper's own; model: an inpainter's id. Raises EngineError when the folder has no room."""
        shared = self._shared({"lesion": _mask(lesion)})
        with self._lock:
            request = {"kind": "remove", "case_id": case_id, "model": model, "margin_mm": margin_mm, **shared}
            handle = self._request(request | {"device": device}, progress)
            handle.settled = lambda _: self._arrays.discard(*references(shared))
        return handle

    def probe(
        self,
        case_id: str,
        synthesizer: str,
        model: str,
        diameter_mm: float,
        contrast: float = 1.0,
        center_lps: Sequence[float] | None = None,
        lesion: np.ndarray | None = None,
        inpainter: str = "",
        samples: int = 2,
        seed: int = 0,
        modalities: Sequence[str] | None = None,
        device: str = "auto",
        progress: Callable[[float, str, float | None], None] | None = None,
    ) -> Handle:
        """Handle of what protocol.Probe says: the case with a synthetic tumor, and what a segmenter calls lesion in it.
        synthesizer, model, inpainter: ids; center_lps: mm; lesion: bool [k, j, i], taken out first. Raises EngineError
        when the folder has no room."""
        shared = self._shared({"lesion": _mask(lesion)})
        request: dict[str, Any] = {"kind": "probe", "case_id": case_id, "synthesizer": synthesizer, "model": model}
        request |= {"diameter_mm": float(diameter_mm), "contrast": float(contrast), "inpainter": inpainter, **shared}
        request |= {"center_lps": None if center_lps is None else [float(mm) for mm in center_lps]}
        request |= {"samples": samples, "seed": seed, "device": device}
        request |= {"modalities": None if modalities is None else list(modalities)}
        with self._lock:
            handle = self._request(request, progress)
            handle.settled = lambda _: self._arrays.discard(*references(shared))
        return handle

    def agree(self, case_id: str, masks: Mapping[str, np.ndarray], lesion: np.ndarray | None = None) -> Handle:
        """Handle of the Agreement of several annotators: bool [k, j, i] by their names, cut alike to any box, and a
        lesion to compare with each. Raises EngineError when the folder has no room for them."""
        shared = self._shared({"masks": {name: _mask(mask) for name, mask in masks.items()}, "lesion": _mask(lesion)})
        with self._lock:
            handle = self._request({"kind": "agree", "case_id": case_id, **shared})
            handle.settled = lambda _: self._arrays.discard(*references(shared))
        return handle

    def close_case(self, case_id: str) -> Handle:
        """Forget a case and stop what is computed for it."""
        with self._lock:
            handle = self._request({"kind": "close", "case_id": case_id})
            handle.settled = lambda _: self._forget(case_id)
        return handle

    def close(self) -> None:
        """End the child, fail what is pending with the code "closed", and remove the folder. Twice is no error."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            child = self._child[0] if self._child else None
        if child:
            child.send(protocol.to_line(protocol.Shutdown(next(self._numbers))))
            if not child.wait(GOODBYE_S):
                child.kill()
                child.wait(GOODBYE_S)
        self._watch.end()
        self._fail_all(list(self._pending.values()), "closed", "The session was closed before this request was done.")
        self._finalizer()

    def _request(
        self,
        request: dict[str, Any],
        progress: Callable[[float, str, float | None], None] | None = None,
        decode: Callable[[Any], Any] | None = None,
    ) -> Handle:
        """Send a request, to a new child with all open cases if there is none."""
        with self._lock:
            self._check_not_closed()
            child = self._running_child()
            return self._sent(child, request, progress, decode)

    def _sent(
        self, child: Child, request: dict[str, Any], progress: Any = None, decode: Callable[[Any], Any] | None = None
    ) -> Handle:
        handle = Handle(self, next(self._numbers), request)
        handle.progress, handle.decode, handle.child = progress, decode, child
        self._pending[handle.id] = handle
        self._watch.begin()
        fields = {name: value for name, value in request.items() if name != "kind"}
        child.send(protocol.to_line(protocol.REQUESTS[request["kind"]](id=handle.id, **fields)))
        return handle

    def _running_child(self) -> Child:
        if self._child and self._child[0].usable:
            return self._child[0]
        try:
            side = f"s{next(self._numbers)}-"  # its own, so that what a dead child left is told from the next one's
            command = [*self._command, "--side", side]
            child = self._spawn(command, environment_for(self._python), self._on_line, self._on_end, side)
        except OSError as error:
            sentence = "The engine could not be started: choose a Python in which DiffuFuseMed is installed."
            raise EngineError("unstarted", sentence, str(error)) from error
        self._child[:] = [child]
        hello = self._sent(child, {"kind": "hello", "version": protocol.VERSION})
        hello.future.add_done_callback(_log_failure)
        for message in self._opened.values():
            self._sent(child, message).future.add_done_callback(_log_failure)
        return child

    def _check_not_closed(self) -> None:
        if self._closed:
            raise EngineError("closed", "The session is closed: start a new one.")

    def _shared(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values packed, with their arrays written to the folder; all or none of them."""
        try:
            with self._arrays.batch() as names:

                def write(array: np.ndarray) -> dict[str, Any]:
                    reference = self._arrays.write(array)
                    names.extend(references(reference))
                    return reference

                return pack(values, write)
        except InputError as error:
            raise EngineError("no_space", str(error)) from error

    def _forget(self, case_id: str) -> None:
        with self._lock:
            message = self._opened.pop(case_id, {})
        self._arrays.discard(*references(message))

    def _keep(self, case_id: str, fields: dict[str, Any], error: BaseException | None) -> None:
        """New parts of a case that were taken stand in for the old ones when it is opened again."""
        with self._lock:
            message = self._opened.get(case_id) if error is None else None
            dropped = fields if message is None else {name: message[name] for name in fields}
            if message is not None:
                message.update(fields)
        self._arrays.discard(*references(dropped))

    def _on_line(self, child: Child, line: bytes) -> None:
        reply = protocol.reply_from(line)
        if isinstance(reply, Progress):
            handle = self._pending.get(reply.id)
            if handle and handle.progress:
                handle.progress(reply.share, reply.words, reply.seconds_left)
        else:
            with self._lock:
                handle = None if reply.id is None else self._pending.pop(reply.id, None)
            self._settle(handle, reply)
        if handle and self.on_reply:
            self.on_reply(handle, reply)

    def _settle(self, handle: Handle | None, reply: Result | Failure) -> None:
        if handle is None:
            log.warning("The engine answered what was not asked: %s", getattr(reply, "sentence", "a result"))
            self._arrays.discard(*references(getattr(reply, "value", None)))
        elif isinstance(reply, Failure):
            self._fail(handle, EngineError(reply.code, reply.sentence, reply.detail))
        else:
            self._give(handle, reply.value)

    def _give(self, handle: Handle, packed: Any) -> None:
        try:
            value = unpack(packed, self._arrays.take)
            value = handle.decode(value) if handle.decode else value
        except Exception as error:
            self._arrays.discard(*references(packed))
            self._fail(handle, EngineError("internal", f"The engine's result could not be read: {error}"))
            return
        if handle.settled:
            handle.settled(None)
        handle.future.set_result(value)

    def _fail(self, handle: Handle, error: EngineError) -> None:
        if handle.settled:
            handle.settled(error)
        handle.future.set_exception(error)

    def _on_end(self, child: Child, status: int, last_words: str) -> None:
        """The child is gone: nothing of it stays, and what it owed fails."""
        with self._lock:
            owed = [handle for handle in self._pending.values() if handle.child is child]
            killed = [handle for handle in owed if handle.cancelling]
            current = bool(self._child) and self._child[0] is child
            self._arrays.discard_side(child.side)
            if current:
                self._child.clear()
            detail = "\n".join(last_words.splitlines()[-DETAIL_LINES:])
            restart = current and killed and not self._closed
            if restart:
                self._running_child()
        self._fail_all(killed, "cancelled", "The request was cancelled, for which the engine had to be started anew.")
        error = EngineError("died", _obituary(status), detail)
        lost = [handle for handle in owed if handle not in killed]
        self._fail_all(lost, *_ending(error, self._closed))
        if self.on_exit and not self._closed and (lost or not killed):
            self.on_exit(error)

    def _fail_all(self, handles: list[Handle], code: str, sentence: str, detail: str = "") -> None:
        for handle in handles:
            with self._lock:
                mine = self._pending.pop(handle.id, None) is not None
            if mine:
                self._fail(handle, EngineError(code, sentence, detail))
                if self.on_reply:
                    self.on_reply(handle, Failure(handle.id, code, sentence, detail))

    def _cancel(self, handle: Handle, grace_s: float) -> None:
        # the timer first: sending blocks when the child does not read, and killing it is what ends that
        timer = self._later(grace_s, lambda: self._enforce(handle))
        handle.future.add_done_callback(lambda _: timer.cancel())
        with self._lock:
            if handle.child and handle.child.usable and not handle.done():
                self._sent(handle.child, {"kind": "cancel", "target": handle.id})

    def _look(self) -> bool:
        """Ask the child what it still has; one that is deaf, or has lost a request, is ended, and with that begins what
        follows any other end. False when it owes nothing."""
        child = self._child[0] if self._child else None
        owed = [handle.id for handle in list(self._pending.values()) if handle.child is child]
        if child is None or not owed or not child.usable:
            return bool(self._pending) and not self._closed
        answered = threading.Event()
        # the timer first: sending blocks when the child does not read, and killing it is what ends that
        timer = self._later(DEAF_S, lambda: None if answered.is_set() else self._end_child(child, "does not answer"))
        with self._lock:
            asked = self._sent(child, {"kind": "alive"})

        def told(future: Future) -> None:
            answered.set()
            timer.cancel()
            if future.exception() is None and not set(owed) & set(self._pending) <= set(future.result()["owed"]):
                self._end_child(child, "has lost a request")

        asked.future.add_done_callback(told)
        return True

    def _end_child(self, child: Child, why: str) -> None:
        log.warning("The engine %s and is started anew.", why)
        child.kill()

    def _enforce(self, handle: Handle) -> None:
        if not handle.done() and handle.child:
            log.warning("The engine did not stop in time and is started anew.")
            handle.child.kill()


def _leave_nothing(owner: int, child: list[Child], arrays: ArrayFolder) -> None:
    """For close(), the end of the interpreter and garbage collection; not for a copy of it that was forked."""
    if os.getpid() != owner:
        return
    for process in child:
        process.kill()
        process.wait(GOODBYE_S)
    arrays.remove()


def _thread_timer(seconds: float, call: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer


def _mask(lesion: np.ndarray | None) -> np.ndarray | None:
    return None if lesion is None else np.asarray(lesion) != 0


def _plain_settings(settings: Any) -> dict[str, Any]:
    if is_dataclass(settings) and not isinstance(settings, type):
        return asdict(settings)
    return dict(settings or {})


def _obituary(status: int) -> str:
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return (
        f"The engine's process {how} before it had answered; nothing on the screen was lost, "
        "so ask again, which starts it anew with the open cases."
    )


def _ending(error: EngineError, closed: bool) -> tuple[str, str, str]:
    if closed:
        return "closed", "The session was closed before this request was done.", ""
    return error.code, str(error), error.detail


def _log_failure(future: Future) -> None:
    if error := future.exception():
        log.warning("The engine could not be set up again: %s", error)


__all__ = ["Engine", "EngineError", "FusedPicture", "FusedVolume", "Handle", "Prediction"]
