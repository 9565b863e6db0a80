"""From a Case and a Model to a Prediction: sliding window, k samples, calibration, contours."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from itertools import count, product
from typing import Any, Protocol

import numpy as np
import SimpleITK as sitk
import torch
from monai.inferers import sliding_window_inference
from scipy import ndimage
from torch import Tensor

from ... import __version__
from ...core.case import Case
from ...core.errors import CancelledError, input_error
from ...core.grid import Grid
from ...core.prediction import Prediction
from ...core.resampling import resample_smoothly
from ...models import devices
from ...models.zoo import Model, ModelRecord, check_segments
from ...networks.inputs import network_grid, network_images
from ...uncertainty import contours, uncertainty, uncertainty_maps, volume_interval
from ...uncertainty.platt import apply, to_logit

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]
OVERLAP = 0.5
VIEW_ZOOMS, LEAST_ZOOM = (0.8, 1.3), 0.05  # the zooms that every training window may have, training/windows.py
MIRRORS = list(product((False, True), repeat=3))
SMALLEST_SHARE = 0.1  # a component below this share of the largest is taken for noise
LEVEL = 0.95
LOGIT_REACH = 9.0


class Kept(Protocol):
    """What a host may keep of one case and model between runs: called with a key, it gives the value or makes it."""

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any: ...

    def clear(self) -> None: ...


@dataclass
class Settings:
    """What a user may choose of a run."""

    samples: int = 8
    seed: int = 0
    gating: bool = True
    progress: Progress | None = None
    cancel: Callable[[], bool] | None = None


@dataclass
class _Run:
    """One run's moving parts: the window in use, what was done so far, and what has to be told."""

    model: Model
    settings: Settings
    window: tuple[int, ...]
    encodings: Kept | None = None
    notes: list[str] = field(default_factory=list)
    gates: list[dict[str, float]] = field(default_factory=list)


@dataclass
class Drawn:
    """The samples of a case before calibration: (k, *grid.shape) probabilities on the network's grid."""

    grid: Grid
    samples: np.ndarray
    gates: dict[str, float]
    provenance: dict[str, Any]


def predict(case: Case, model: Model, settings: Settings | None = None, encodings: Kept | None = None) -> Prediction:
    """Segment the case. The same seed gives the same result on the same machine, with or without kept encodings.

    Raises InputError for a model that does not segment and for a case without a modality that it knows; CancelledError
    when settings.cancel says so.
    """
    began = time.monotonic()
    drawn = draw(case, model, settings or Settings(), encodings)
    sampled = time.monotonic()
    prediction = assemble(case, drawn, calibration_for(model.record, case.name))
    timings = {"network": round(sampled - began, 2), "assembly": round(time.monotonic() - sampled, 2)}
    return replace(prediction, provenance={**prediction.provenance, "timings_s": timings})


def draw(case: Case, model: Model, settings: Settings, encodings: Kept | None = None) -> Drawn:
    """The network's part of predict()."""
    check_segments(model.record)
    present = tuple(m for m in model.modalities if m in case.volumes)
    if not present:
        raise input_error(
            f"a case with {', '.join(case.modalities) or 'no modality'}",
            f"at least one of {', '.join(model.modalities)}",
            "switch on a modality that this model was trained with",
        )
    run = _Run(model, settings, tuple(model.record.window["shape"]), encodings)
    grid = network_grid(case.grid, tuple(model.record.window["spacing_kji_mm"]))
    samples = _with_less_memory(run, lambda: _sample_all(run, case, grid, present))
    return Drawn(grid, samples, _mean_gates(run.gates), _provenance(run, present))


def _with_less_memory(run: _Run, work: Callable[[], np.ndarray]) -> np.ndarray:
    """Do the work; out of memory halves the window, then leaves the GPU, and says so."""
    run.window = devices.window_that_fits(run.model, run.window, run.notes)
    while True:
        try:
            run.gates.clear()
            return work()
        except (MemoryError, RuntimeError) as error:
            if not devices.is_out_of_memory(error):
                raise
            if run.encodings:
                run.encodings.clear()
            run.model, run.window = devices.retreat(run.model, run.window, run.notes)


def _sample_all(run: _Run, case: Case, grid: Grid, present: tuple[str, ...]) -> np.ndarray:
    """(k, *grid.shape) probabilities; every sample has its own latent noise, mirroring and view."""
    views = [(g, _images(run, case, g, present)) for g in view_grids(grid, run.window)]
    generator = torch.Generator().manual_seed(run.settings.seed)
    samples = []
    for index in range(run.settings.samples):
        _tell(run, index / run.settings.samples, f"sample {index + 1} of {run.settings.samples}")
        seen_on, images = views[index % len(views)]
        # the mirror changes once every view has been seen through it
        mirror = [axis + 1 for axis, on in enumerate(MIRRORS[index // len(views) % len(MIRRORS)]) if on]
        seen = _look(run, images, mirror, generator, seen_on)
        samples.append(seen if seen_on == grid else onto_case(seen, seen_on, grid))
    _tell(run, 1.0, "putting the result together")
    return np.stack(samples).astype(np.float32)


def view_grids(grid: Grid, window: tuple[int, ...]) -> list[Grid]:
    """The network's own grid, and one scaled towards the case just filling the window, as far as training varied scale.

    A small case is seen in finer voxels, a large one with more of its surroundings: two looks that err differently.
    """
    fit = max(n / w for n, w in zip(grid.shape, window, strict=True))
    zoom = min(max(fit, VIEW_ZOOMS[0]), VIEW_ZOOMS[1])
    if abs(zoom - 1) < LEAST_ZOOM:
        return [grid]
    return [grid, grid.with_spacing(tuple(s * zoom for s in grid.spacing_mm))]


def _images(run: _Run, case: Case, grid: Grid, present: tuple[str, ...]) -> dict[str, Tensor]:
    """network_images(), each modality kept where the host keeps things."""
    if run.encodings is None:
        return network_images(case, grid, present)
    kept = [run.encodings(("image", m, grid), lambda m=m: network_images(case, grid, (m,))) for m in present]
    return {m: x for images in kept for m, x in images.items()}


def _encoded(run: _Run, parts: dict[str, Tensor], place: tuple) -> list[dict[str, Tensor]]:
    """A window's tokens. Modalities are encoded apart from each other, so each is kept apart; place: which window."""
    encode = run.model.network.encode
    if run.encodings is None:
        return encode(parts)
    kept = [run.encodings((m, run.model.device, *place), lambda m=m, x=x: encode({m: x})) for m, x in parts.items()]
    return [{m: x for part in level for m, x in part.items()} for level in zip(*kept, strict=True)]


def _look(
    run: _Run, images: dict[str, Tensor], mirror: list[int], generator: torch.Generator, grid: Grid
) -> np.ndarray:
    """One sample over one view: mirrored, encoded, drawn, mirrored back; (K, J, I) probabilities."""
    position = count()
    names, stacked = list(images), torch.cat([x.flip(mirror) if mirror else x for x in images.values()])

    def window_probability(batch: Tensor) -> Tensor:
        if run.settings.cancel and run.settings.cancel():
            raise CancelledError
        parts = dict(zip(names, batch.to(run.model.device).split(2, dim=1), strict=True))
        with torch.autocast(torch.device(run.model.device).type, dtype=torch.bfloat16):
            tokens = _encoded(run, parts, (grid, *mirror, run.window, next(position)))
            logits, gates = run.model.network.segment(tokens, generator, gating=run.settings.gating)
        run.gates.append({m: float(w.float().mean()) for m, w in gates.items()})
        return torch.sigmoid(logits.float())

    with torch.inference_mode():
        probability = sliding_window_inference(
            stacked[None], run.window, 1, window_probability, OVERLAP, mode="gaussian", device=torch.device("cpu")
        )[0, 0]
    return (probability.flip([axis - 1 for axis in mirror]) if mirror else probability).cpu().numpy()


def assemble(case: Case, drawn: Drawn, calibration: dict[str, Any]) -> Prediction:
    """Calibrate, bring everything to the case's own grid, and draw the contours."""
    labels, uncertainty_map = labels_and_uncertainty(case, drawn)
    inner, outer = contours(labels, uncertainty_map, calibration["contour_width"])
    sample_ml = [float(np.count_nonzero(s > 0.5)) * drawn.grid.voxel_mm3 / 1000 for s in drawn.samples]
    volume_ml = float(np.count_nonzero(labels)) * case.grid.voxel_mm3 / 1000
    calibrated = apply(drawn.samples, calibration["scale"], calibration["offset"])
    maps = uncertainty_maps(calibrated)
    return Prediction(
        grid=case.grid,
        probability=onto_case(calibrated.mean(axis=0), drawn.grid, case.grid),
        labels=labels.astype(np.uint8),
        uncertainty={name: resample_smoothly(value, drawn.grid, case.grid) for name, value in maps.items()},
        inner=inner,
        outer=outer,
        gates=drawn.gates,
        volume_ml=volume_interval(volume_ml, sample_ml, calibration.get("volume"), LEVEL),
        sample_volumes_ml=tuple(sample_ml),
        provenance=drawn.provenance,
    )


def labels_and_uncertainty(case: Case, drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """The lesion mask and the contours' level sets on the case's grid, both from the network's own probabilities.

    Calibration must not move the mask: the network was trained for overlap at its own one half, and an offset that
    makes probabilities honest on average would cut every lesion.
    """
    own = onto_case(drawn.samples.mean(axis=0), drawn.grid, case.grid)
    return without_specks(own > 0.5), uncertainty(own)


def calibration_for(record: ModelRecord, case_name: str) -> dict[str, Any]:
    """What was fitted on validation patients; for one of these, what was fitted without it."""
    plain = {"scale": 1.0, "offset": 0.0, "contour_width": 1.0}
    fitted = record.calibration
    return {**plain, **fitted.get("all", {}), **fitted.get("without", {}).get(case_name, {})}


def onto_case(probability: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    """Probabilities on a finer grid, interpolated as logits: the border stays where the network drew it."""
    logits = np.clip(to_logit(probability), -LOGIT_REACH, LOGIT_REACH)
    shifted = resample_smoothly(logits + LOGIT_REACH, source, grid) - LOGIT_REACH  # 0 outside means surely not lesion
    return (1 / (1 + np.exp(-shifted))).astype(np.float32)


def without_specks(labels: np.ndarray) -> np.ndarray:
    """labels without connected components smaller than SMALLEST_SHARE of the largest."""
    parts, count = ndimage.label(labels)
    if count < 2:
        return labels
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (sizes >= SMALLEST_SHARE * sizes.max())[parts] & labels


def _mean_gates(gates: list[dict[str, float]]) -> dict[str, float]:
    mean = {m: float(np.mean([g[m] for g in gates])) for m in gates[0]}
    total = sum(mean.values())
    return {m: w / total for m, w in mean.items()}


def _provenance(run: _Run, present: tuple[str, ...]) -> dict[str, Any]:
    record = run.model.record
    return {
        "model": record.id,
        "sha256": record.sha256,
        "system": record.system,
        "config": record.config,
        "samples": run.settings.samples,
        "seed": run.settings.seed,
        "gating": run.settings.gating,
        "window": list(run.window),
        "device": run.model.device,
        "modalities": list(present),
        "versions": {
            "DiffuFuseMed": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "SimpleITK": sitk.Version.VersionString(),
        },
        "notes": list(run.notes),
    }


def _tell(run: _Run, share: float, what: str) -> None:
    if run.settings.cancel and run.settings.cancel():
        raise CancelledError
    if run.settings.progress:
        run.settings.progress(share, what)
