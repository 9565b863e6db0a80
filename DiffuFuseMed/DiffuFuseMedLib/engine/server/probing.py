"""A probe request: a synthetic tumor in an open case, and what a segmenter makes of it.

What a tumor is drawn into (the case without its lesion, and where there is room) is kept for the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...core.probed import ModelName
from ...core.volume import Volume
from ...models.zoo import Model
from ...tasks.segment.predict import predict
from ...tasks.segment.settings import Settings
from ...tasks.synthesize.synthesize import Synthesizer
from ...tasks.synthesize.trial import Kind, placed, try_tumor
from ...tasks.synthesize.without_lesion import without_lesion
from ..wire import protocol
from .context import Context

REMOVED, DRAWN = 0.3, 0.6  # shares of the work after which the lesion is taken out, and the tumor drawn


@dataclass
class Ready:
    """key: what a Synthesizer depends on beside its case."""

    key: tuple[str, ...]
    synthesizer: Synthesizer


def ready_for(
    kept: Ready | None,
    case: Case,
    lesion: np.ndarray | None,
    drawer: Model,
    inpainter: Callable[[], Model] | None,
    names: tuple[str, ...],
    context: Context,
) -> Ready:
    """What is kept where it is of the same lesion, bool [k, j, i], and models, else a new one. names: of the models."""
    key = (*names, "" if lesion is None else hashlib.sha256(np.packbits(lesion).tobytes()).hexdigest())
    if kept is not None and kept.key == key:
        return kept
    if lesion is not None:
        case = replace(case, reference_mask=Volume(lesion.astype(np.uint8), case.grid))
    tell = lambda share, words: context.progress(REMOVED * share, words)  # noqa: E731
    return Ready(key, Synthesizer(without_lesion(case, inpainter, tell, context.cancel), drawer))


def tried(request: protocol.Probe, ready: Ready, segmenter: Model, context: Context) -> dict[str, Any]:
    """The request's result. Raises InputError where there is no room."""
    synthesizer, kind = ready.synthesizer, Kind(request.diameter_mm, request.contrast)
    case = synthesizer.case
    looked_at: list[str] = []

    def segment(drawn: Case) -> np.ndarray:
        tell = lambda share, words: context.progress(DRAWN + (1 - DRAWN) * share, words)  # noqa: E731
        settings = Settings(request.samples, request.seed, tell, context.cancel, request.options)
        seen = drawn if request.modalities is None else drawn.only(request.modalities)
        found = predict(seen, segmenter, settings)
        looked_at.extend(found.modalities)
        return found.labels > 0

    context.progress(REMOVED, "looking for room")
    at = placed(synthesizer, kind, request.seed, _voxel(request.center_lps, case), context.cancel)
    tell = lambda share, words: context.progress(REMOVED + (DRAWN - REMOVED) * share, words)  # noqa: E731
    trial = try_tumor(synthesizer, segment, kind, request.seed, at, tell, context.cancel)
    models = {"segmenter": segmenter, "synthesizer": synthesizer.model}
    middle = case.grid.to_physical(np.array(at.center_kji[::-1]))
    return {
        "volumes": {key: volume.array for key, volume in trial.made.of(case).volumes.items()},
        "mask": trial.made.mask,
        "called": trial.called,
        "probed": trial.probed,
        "models": {name: ModelName(m.record.id, m.record.sha256) for name, m in models.items()},
        "modalities": looked_at,
        "center_lps": [float(mm) for mm in middle],
        "notes": [*case.notes[-1:], *trial.made.provenance["notes"]],
    }


def _voxel(center_lps: list[float] | None, case: Case) -> tuple[int, int, int] | None:
    """k, j, i of a point in mm, which may lie outside."""
    if center_lps is None:
        return None
    if len(center_lps) != 3 or not np.isfinite(center_lps).all():
        raise input_error(f"a place of {len(center_lps)} numbers", "three in mm", "choose a place in a view")
    i, j, k = (int(n) for n in np.round(case.grid.to_index(np.array(center_lps))))
    return k, j, i
