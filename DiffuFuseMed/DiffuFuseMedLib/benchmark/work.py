"""What each kind of job does. Picklable, so that another process or machine can be handed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.errors import input_error
from . import scoring, training
from .jobs import Job

KINDS: dict[str, Callable[[Job], dict[str, Any]]] = {
    "train": training.train,
    "score": scoring.score,
    "trivial": scoring.trivial,
    "diagnose": scoring.diagnose,
    "raters": scoring.raters,
    "raters-trivial": scoring.raters_trivial,
    "fuse": scoring.fuse,
    "look": scoring.look,
    "measure": scoring.measure,
}


def do(job: Job) -> dict[str, Any]:
    """The job's result, plain JSON. Raises InputError for a kind that this version does not know, and what the work on
    it raises."""
    if job.kind not in KINDS:
        raise input_error(f"a job of the kind {job.kind!r}", f"one of {', '.join(KINDS)}", "update DiffuFuseMed")
    return KINDS[job.kind](job)
