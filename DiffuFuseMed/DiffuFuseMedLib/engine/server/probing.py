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
from ...core.prediction import Prediction
from ...core.probed import ModelName
from ...core.synthetic import WARNING
from ...core.volume import Volume
from ...models.zoo import Model
from ...tasks.segment.predict import predict
from ...tasks.segment.settings import Settings
from ...tasks.synthesize.synthesize import Synthesizer
from ...tasks.synthesize.trial import Kind, placed, try_tumor
from ...tasks.synthesize.without_lesion import without_lesion
from ..wire import protocol
from .context import Context

# Shares of the work after which the lesion is taken out, the case without a tumor looked at, and the tumor drawn.
REMOVED, BARE, DRAWN = 0.25, 0.45, 0.65


@dataclass
class Ready:
    """key: what a Synthesizer depends on beside its case; bare: what a segmenter says of that without a tumor, and what
    that depends on."""

    key: tuple[str, ...]
    synthesizer: Synthesizer
    bare: tuple[tuple[Any, ...], tuple[np.ndarray, tuple[str, ...]]] | None = None


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
    tell = _part(context, 0.0, REMOVED)
    return Ready(key, Synthesizer(without_lesion(case, inpainter, tell, context.cancel), drawer))


def tried(request: protocol.Probe, ready: Ready, segmenter: Model, context: Context) -> dict[str, Any]:
    """The request's result. Raises InputError where there is no room."""
    synthesizer, kind = ready.synthesizer, Kind(request.diameter_mm, request.contrast)
    case = synthesizer.case
    context.progress(REMOVED, "looking for room")
    at = placed(synthesizer, kind, request.seed, _voxel(request.center_lps, case), context.cancel)
    bare, looked_at = _bare(request, ready, segmenter, context)
    tell = _part(context, BARE, DRAWN)
    segment = lambda drawn: _segmented(request, drawn, segmenter, context, DRAWN, 1.0).labels > 0  # noqa: E731
    trial = try_tumor(synthesizer, segment, kind, request.seed, at, bare, tell, context.cancel)
    models = {"segmenter": segmenter, "synthesizer": synthesizer.model}
    middle = case.grid.to_physical(np.array(at.center_kji[::-1]))
    return {
        "volumes": {key: volume.array for key, volume in trial.made.of(case).volumes.items()},
        "mask": trial.made.mask,
        "called": trial.called,
        "probed": trial.probed,
        "false_ml": float(bare.sum()) * case.grid.voxel_mm3 / 1000,
        "models": {name: ModelName(m.record.id, m.record.sha256) for name, m in models.items()},
        "modalities": list(looked_at),
        "center_lps": [float(mm) for mm in middle],
        "notes": [*case.notes[-1:], *(note for note in trial.made.provenance["notes"] if note != WARNING)],
    }


def _bare(request: protocol.Probe, ready: Ready, segmenter: Model, context: Context) -> tuple[np.ndarray, Any]:
    """What the segmenter calls lesion without any tumor, bool [k, j, i], and the modalities that it looked at; kept for
    the next tumor."""
    key = (segmenter.record.sha256, request.samples, str(request.modalities), str(request.options))
    if ready.bare is None or ready.bare[0] != key:
        case = ready.synthesizer.case.unscored()
        found = _segmented(request, case, segmenter, context, REMOVED, BARE)
        ready.bare = (key, (found.labels > 0, found.modalities))
    return ready.bare[1]


def _segmented(
    request: protocol.Probe, case: Case, segmenter: Model, context: Context, begin: float, end: float
) -> Prediction:
    settings = Settings(request.samples, request.seed, _part(context, begin, end), context.cancel, request.options)
    return predict(case if request.modalities is None else case.only(request.modalities), segmenter, settings)


def _part(context: Context, begin: float, end: float) -> Callable[[float, str], None]:
    """Progress of a part of the work."""
    return lambda share, words: context.progress(begin + (end - begin) * share, words)


def _voxel(center_lps: list[float] | None, case: Case) -> tuple[int, int, int] | None:
    """k, j, i of a point in mm, which may lie outside."""
    if center_lps is None:
        return None
    if len(center_lps) != 3 or not np.isfinite(center_lps).all():
        raise input_error(f"a place of {len(center_lps)} numbers", "three in mm", "choose a place in a view")
    i, j, k = (int(n) for n in np.round(case.grid.to_index(np.array(center_lps))))
    return k, j, i
