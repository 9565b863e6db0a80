"""ReaderApart: folders and scenes read in a child process, one for each question, which sees nothing else."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, TypeVar

from ...core.errors import InputError, input_error
from ...core.private_folder import FAMILY, PrivateFolder
from ..scene_files import PreparedScene
from ..study import Study
from .limits import Limits
from .messages import BrokenError, received, send, study_of

log = logging.getLogger(__name__)
CHILD = "DiffuFuseMedLib.io.apart.child"
PREFIX = f"{FAMILY}reading-"
ROOT = Path(__file__).resolve().parents[3]  # where DiffuFuseMedLib is found
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Found = TypeVar("Found")


class ReaderApart:
    """Thread-safe. One child waits, its imports done, for the next question; it is gone once it has answered."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.held: tuple[str, ...] = ()  # which of the limits the system held in the last child
        self._lock = threading.Lock()
        self._waiting: subprocess.Popen[bytes] | None = None
        self._reading: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(self) -> None:
        """A child that waits, so that the next question does not wait for its imports."""
        with self._lock:
            if self._waiting is None and not self._closed:
                self._waiting = _spawned()

    def stop(self) -> None:
        """Nobody waits any more for what is being read: who asked for it gets an InputError at once, and their thread
        is free for others."""
        with self._lock:
            children = list(self._reading)
        for child in children:
            child.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            child, self._waiting = self._waiting, None
        self.stop()
        if child is not None:
            _end(child)

    def folder(self, folder: Path, told: Mapping[str, str]) -> tuple[list[str], Study]:
        """read_folder(folder, told). Raises InputError as it does, and for what needs more than the limits, ends the
        child, or leads out of the folder."""
        words = {"kind": "folder", "folder": str(folder.absolute()), "told": dict(told)}
        most = self.limits.memory_bytes
        return self._asked(words, [folder], lambda said, stream: (_names(said), study_of(said, stream, most)))

    def images(self, folder: Path) -> list[str]:
        """images_in(folder); raises InputError as folder() does."""
        words = {"kind": "images", "folder": str(folder.absolute())}
        return self._asked(words, [folder], lambda said, _: _names(said))

    def scene(self, path: Path, folder: Path, limit_bytes: int) -> PreparedScene:
        """prepared_scene(path, folder, limit_bytes); raises InputError as folder() does."""
        words = {"kind": "scene", "path": str(path.absolute()), "limit_bytes": limit_bytes}
        found = self._asked(words, [path], lambda said, _: _prepared(said), folder)
        if not found.mrml.resolve().is_relative_to(folder.resolve()):
            raise _lost("a scene")
        return found

    def _asked(
        self,
        words: dict[str, Any],
        reads: list[Path],
        made: Callable[[dict[str, Any], IO[bytes]], Found],
        scratch: Path | None = None,
    ) -> Found:
        """scratch: the one folder that the child may write to, else one of its own."""
        with PrivateFolder(PREFIX) as own:
            folders = {"reads": [str(path.resolve()) for path in reads], "scratch": str(scratch or own.path)}
            try:
                return self._answer({**words, **folders, "limits": asdict(self.limits)}, made)
            finally:
                threading.Thread(target=self.start, name="reader-apart", daemon=True).start()

    def _answer(self, request: dict[str, Any], made: Callable[[dict[str, Any], IO[bytes]], Found]) -> Found:
        child = self._taken()
        late = threading.Event()

        def end_it() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self.limits.wait_s, end_it)
        timer.start()
        try:
            assert child.stdin is not None and child.stdout is not None, "a child is started with both pipes"
            send(child.stdin, request)
            said = received(child.stdout)
            if "error" not in said:
                found = made(said, child.stdout)
            child.kill()  # all is said: its own way to the end takes longer
        except (BrokenError, OSError, KeyError, TypeError) as error:
            raise _ended(_end(child), late.is_set()) from error
        finally:
            timer.cancel()
            _end(child)
            with self._lock:
                self._reading.discard(child)
        self.held = tuple(said.get("held", ()))
        if "error" in said:
            raise InputError(str(said["error"]))
        return found

    def _taken(self) -> subprocess.Popen[bytes]:
        with self._lock:
            child, self._waiting = self._waiting, None
            if child is None or child.poll() is not None:
                child = _spawned()
            self._reading.add(child)
        return child


def _names(said: dict[str, Any]) -> list[str]:
    return [str(name) for name in said["images"]]


def _prepared(said: dict[str, Any]) -> PreparedScene:
    return PreparedScene(Path(said["mrml"]), str(said["left_out"]))


def _spawned() -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", CHILD],  # -P: the present folder holds no modules of it
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _end(child: subprocess.Popen[bytes]) -> int:
    """Its status, as it ended by itself or is ended now."""
    for stream in (child.stdin, child.stdout):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except OSError:  # unsent bytes
                log.debug("a child was gone before all was said to it")
    try:
        return child.wait(2.0)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _ended(status: int, late: bool) -> InputError:
    if late or status == -getattr(signal, "SIGXCPU", 0):
        return input_error("images that take longer to read than allowed", "smaller ones", "open fewer of them")
    return _lost(f"images that ended the process that read them (status {status})")


def _lost(given: str) -> InputError:
    return input_error(given, "images as their formats describe them", "export them again")
