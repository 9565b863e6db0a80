"""Whether another machine sees the same folder under the same path, as a network's file system gives it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError, input_error

PREFIX = ".seen-by-every-node-"


@dataclass(frozen=True)
class Proof:
    """A folder as one machine sees it. names: sha256 of what lies in it; token: of a hidden file there, "" where this
    machine may not write."""

    folder: Path
    names: str
    token: str = ""


@contextmanager
def proofs(folders: Sequence[Path]) -> Iterator[tuple[Proof, ...]]:
    """One of each folder, for as long as the block takes: a hidden file lies there until its end. Raises InputError for
    a folder that is none."""
    tokens = [_leave_token(folder) for folder in folders]
    try:
        yield tuple(Proof(f.absolute(), names_in(f), token) for f, token in zip(folders, tokens, strict=True))
    finally:
        for folder, token in zip(folders, tokens, strict=True):
            with suppress(OSError):
                (folder / (PREFIX + token)).unlink()


def _leave_token(folder: Path) -> str:
    if not folder.is_dir():
        raise input_error("a folder that does not exist", "one that all nodes of the cluster see", "correct its path")
    token = secrets.token_hex(8)
    try:
        (folder / (PREFIX + token)).touch(exist_ok=False)
    except OSError:
        return ""
    return token


def names_in(folder: Path) -> str:
    """sha256 of the names of what lies in a folder, hidden ones apart, which may come and go."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def why_not_seen(proof: Proof) -> InputError | None:
    """The error for a machine, this one, that sees something else under the proof's path; None where it is the same.

    Of a folder with a token only that counts: others may be writing into it.
    """
    try:
        seen = (
            (proof.folder / (PREFIX + proof.token)).exists() if proof.token else names_in(proof.folder) == proof.names
        )
    except OSError:
        seen = False
    if seen:
        return None
    given = f"a node that does not see the folder {proof.folder.name} as the machine does that asks it"
    remedy = "mount one file system on all nodes under the same path, and name cases and results by that"
    return input_error(given, "cases and results on storage that all nodes of the cluster share", remedy)
