"""What a benchmark has to do, piece by piece, and what came of each piece, kept so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..core.errors import input_error
from ..core.staging import staged
from ..core.strict_json import finite
from ..core.whole_file import write_whole

CHECK = "sha256"  # of a kept result: over all else in its file
Work = Callable[["Job"], Any]  # a function of a module, so that another process finds it; its result is plain JSON


@dataclass(frozen=True)
class Job:
    """One piece of work, in plain JSON, so that any process or machine that has the same files can do it.

    kind: such as "train" or "score"; spec: what is to be done; rests_on: by its name, a fingerprint of each thing that
    the result depends on beside the spec, such as a case's files or a model's weights; places: where those lie on this
    machine, which the result does not depend on; cores: how many it keeps busy.
    """

    kind: str
    spec: dict[str, Any]
    rests_on: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    cores: int = 1

    @property
    def key(self) -> str:
        """64 hexadecimal digits that two jobs share only when their results are the same: sha256 over kind, spec, what
        it rests on, and this version."""
        told = {"kind": self.kind, "spec": self.spec, "rests_on": self.rests_on, "version": __version__}
        return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True)
class Done:
    """What came of a job: its result, or in one sentence why there is none; and how long it took."""

    job: Job
    result: Any = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return bool(self.reason)


@dataclass(frozen=True)
class JobStore:
    """Results in a folder, one file a job, <key>.json, each there whole or not at all."""

    folder: Path

    def put(self, done: Done) -> Done:
        """Keep it, in place of what was kept of this job; gives what get() will, which has None for each number that
        JSON cannot hold. Raises InputError when the disk refuses, TypeError for a result that is no plain JSON."""
        told: dict[str, Any] = {"kind": done.job.kind, "spec": done.job.spec, "rests_on": done.job.rests_on}
        told |= {
            "version": __version__,
            "result": finite(done.result),
            "reason": done.reason,
            "seconds": round(done.seconds, 3),
        }
        told[CHECK] = fingerprint_of_values(told)
        text = json.dumps(told, indent=1, allow_nan=False)
        with staged(self.folder) as folder:
            write_whole(folder / self._path(done.job).name, text + "\n")
        return _done(done.job, json.loads(text))

    def get(self, job: Job) -> Done | None:
        """What came of this job; None when it was not done yet. Raises InputError for a file that is no such result."""
        path = self._path(job)
        if not path.is_file():
            return None
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if (told["kind"], told["spec"], told["rests_on"]) != (job.kind, job.spec, job.rests_on):
                raise ValueError("of another job")
            if CHECK in told and told.pop(CHECK) != fingerprint_of_values(told):  # older ones have none
                raise ValueError("changed since")
            return _done(job, told)
        except (OSError, ValueError, KeyError, TypeError) as error:
            wanted = "a result as the benchmark wrote it"
            raise input_error(
                f"the unreadable result {path.name}", wanted, "delete it, and it is made again"
            ) from error

    def forget(self, job: Job) -> None:
        """As if it had never been done."""
        self._path(job).unlink(missing_ok=True)

    def _path(self, job: Job) -> Path:
        return self.folder / f"{job.key}.json"


def _done(job: Job, told: dict[str, Any]) -> Done:
    return Done(job, told["result"], str(told["reason"]), float(told["seconds"]))


def fingerprint_of(folder: Path) -> str:
    """sha256 over the names and contents of all files in a folder, such as a case, or of one file. Raises InputError
    where there is nothing, and for a file that cannot be read."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    if not files or not folder.exists():
        raise input_error(
            f"nothing in {folder.name}", "the files of a case or model", "put them back, or correct CASES or its split"
        )
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(folder).as_posix() if folder.is_dir() else path.name
        try:
            with path.open("rb") as file:
                digest.update(f"{name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            given = f"{name} of {folder.name}, which cannot be read ({error.strerror or type(error).__name__})"
            raise input_error(given, "files that may be read", "mend its rights, or copy it again") from error
    return digest.hexdigest()


def check_unchanged(path: Path, fingerprint: str) -> None:
    """Raises InputError for a case or file that is not the one that a job was planned for: it was changed since, or
    another machine has another one in its place."""
    if fingerprint_of(path) != fingerprint:
        given = f"{path.name}, which is not what it was when this was planned"
        raise input_error(given, "files that stay the same, and the same on each machine", "run the same command again")


def fingerprint_of_values(values: Any) -> str:
    """sha256 of settings, such as a recipe's; what is no JSON goes in by its name."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
