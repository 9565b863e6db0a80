"""The samples of a case: each from its own noise, through its own mirror and view, window by window.

Engine and command line come the same way: each modality's images and encodings are made alone, by whatever keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, cast

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from torch import Tensor

from ...core.case import Case
from ...core.errors import CancelledError
from ...core.grid import Grid
from ...core.resampling import resample_smoothly
from ...models.zoo import Model
from ...networks.draw import Draw
from ...networks.inputs import network_images
from ...networks.precision import mixed_precision
from ...uncertainty.platt import to_logit
from .contract import ConditionsOnce, EncodesModalities, Images, SamplesWholeVolume, SharesLatent, steps_of
from .settings import Kept, NothingKept, Settings
from .views import as_batch, as_volume, mirrors, view_grids
from .whole_volume import sample_whole_volume

OVERLAP = 0.5
LOGIT_REACH = 9.0


@dataclass
class Run:
    """One run's moving parts: the window in use, (k, j, i), what was done so far, and what has to be told."""

    model: Model
    settings: Settings
    window: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    keep: Kept = field(default_factory=NothingKept)
    notes: list[str] = field(default_factory=list)
    gates: list[dict[str, float]] = field(default_factory=list)
    maps: tuple[str, ...] = ()
    index: int = 0

    @property
    def dims(self) -> int:
        return self.model.network.config.spatial_dims

    def check_not_cancelled(self) -> None:
        if self.settings.cancel and self.settings.cancel():
            raise CancelledError

    def tell(self, share: float, what: str) -> None:
        self.check_not_cancelled()
        if self.settings.progress:
            self.settings.progress(share, what)


@dataclass
class Samples:
    """On the network's grid: probability (k, *grid.shape) of each draw; maps: further ones by name, their mean."""

    probability: np.ndarray
    maps: dict[str, np.ndarray]


def sample_all(run: Run, case: Case, grid: Grid, present: tuple[str, ...]) -> Samples:
    """Every sample has its own latent noise, mirroring and view."""
    views = [(g, _images(run, case, g, present)) for g in view_grids(grid, run.window, run.dims)]
    generator, flips = torch.Generator().manual_seed(run.settings.seed), mirrors(run.dims)
    looks = []
    for index in range(run.settings.samples):
        run.index = index
        run.tell(index / run.settings.samples, _words(run))
        look = index if run.settings.looks else 0
        seen_on, images = views[look % len(views)]
        # the mirror changes once every view has been seen through it
        mirror = flips[look // len(views) % len(flips)]
        looks.append(_onto(_look(run, images, mirror, generator, seen_on), seen_on, grid))
    run.tell(1.0, "putting the result together")
    maps = {name: np.mean([look[n] for look in looks], axis=0) for n, name in enumerate(run.maps, 1)}
    return Samples(np.stack([look[0] for look in looks]).astype(np.float32), maps)


def onto_case(probability: np.ndarray, source: Grid, grid: Grid) -> np.ndarray:
    """Probabilities on a finer grid, interpolated as logits: the border stays where the network drew it."""
    logits = np.clip(to_logit(probability), -LOGIT_REACH, LOGIT_REACH)
    shifted = resample_smoothly(logits + LOGIT_REACH, source, grid) - LOGIT_REACH  # 0 outside means surely not lesion
    return (1 / (1 + np.exp(-shifted))).astype(np.float32)


def _words(run: Run) -> str:
    return f"sample {run.index + 1} of {run.settings.samples}"


def _images(run: Run, case: Case, grid: Grid, present: tuple[str, ...]) -> Images:
    """network_images(), each modality kept where the host keeps things."""
    kept = [run.keep(("image", m, grid), partial(network_images, case, grid, (m,))) for m in present]
    images = {m: x for images in kept for m, x in images.items()}
    if not run.settings.duplicate:
        return images
    return {m: images.get(m, images[present[0]]) for m in run.model.modalities}


def _onto(look: np.ndarray, seen_on: Grid, grid: Grid) -> list[np.ndarray]:
    """A probability and the maps beside it, (1 + maps, *seen_on.shape), on the network's own grid."""
    if seen_on == grid:
        return list(look)
    return [onto_case(look[0], seen_on, grid), *(resample_smoothly(extra, seen_on, grid) for extra in look[1:])]


def _look(run: Run, images: Images, mirror: list[int], generator: torch.Generator, grid: Grid) -> np.ndarray:
    """One sample over one view: mirrored, drawn, mirrored back; (1 + maps, K, J, I), the probability first."""
    stacked = as_batch(torch.cat([x.flip(mirror) if mirror else x for x in images.values()]), run.dims)
    channels = {m: x.shape[0] for m, x in images.items()}
    place = (grid, *mirror, run.window)

    def inputs(batch: Tensor, window: int) -> Any:
        parts = dict(zip(channels, batch.to(run.model.device).split(list(channels.values()), dim=1), strict=True))
        return _encoded(run, parts, (*place, window))

    draw = _whole if isinstance(run.model.network, SamplesWholeVolume) else _by_windows
    with torch.inference_mode():
        seen = as_volume(draw(run, stacked, inputs, generator), run.dims)
    return (seen.flip(mirror) if mirror else seen).cpu().numpy()


def _by_windows(run: Run, stacked: Tensor, inputs: Callable, generator: torch.Generator) -> Tensor:
    """DrawsWindows: probability and maps of each window, merged."""
    window, network = count(), run.model.network
    shared = {"latent": network.latent(generator)} if isinstance(network, SharesLatent) else {}

    def one_window(batch: Tensor) -> Tensor:
        run.check_not_cancelled()
        with mixed_precision(run.model.device):
            drawn = network.segment(inputs(batch, next(window)), generator, **shared, **run.options)
        return _taken(run, drawn)

    return _merged(run, stacked, one_window)


def _whole(run: Run, stacked: Tensor, inputs: Callable, generator: torch.Generator) -> Tensor:
    """SamplesWholeVolume: what its windows say is merged at every step, and the run is told of each."""
    network, samples = run.model.network, run.settings.samples
    steps = steps_of(network, run.options)

    def before_step(done: int) -> None:
        run.tell((run.index + min(done / steps, 1.0)) / samples, f"{_words(run)}, step {done + 1} of {steps}")

    def merge(whole: Tensor, one_window: Callable[[Tensor], Tensor]) -> Tensor:
        def watched(batch: Tensor) -> Tensor:
            run.check_not_cancelled()
            with mixed_precision(run.model.device):
                return one_window(batch.to(run.model.device)).float()

        return _merged(run, whole, watched)

    told = _conditioned_once(network, inputs) if isinstance(network, ConditionsOnce) else inputs
    return _taken(run, sample_whole_volume(network, stacked, merge, told, generator, before_step, run.options))


def _conditioned_once(network: ConditionsOnce, inputs: Callable) -> Callable:
    """inputs() with what the network makes of each window's images, which is kept for the steps that follow."""
    told: dict[int, Any] = {}

    def of_window(batch: Tensor, window: int) -> Any:
        if window not in told:
            told[window] = network.condition(inputs(batch, window))
        return told[window]

    return of_window


def _merged(run: Run, stacked: Tensor, one_window: Callable[[Tensor], Tensor]) -> Tensor:
    """What is said of each window, gaussian-weighted towards its middle; slices go through a 2D network in stacks."""
    roi, at_once = (run.window, 1) if run.dims == 3 else (run.window[1:], run.window[0])
    merged = sliding_window_inference(
        stacked, roi, at_once, one_window, OVERLAP, mode="gaussian", device=torch.device("cpu")
    )
    return cast(Tensor, merged)  # as one_window gives one, not several


def _encoded(run: Run, parts: Images, place: tuple) -> Any:
    """What the network takes for a window; each modality is encoded, and kept, apart. place: which window."""
    network = run.model.network
    if not isinstance(network, EncodesModalities):
        return parts
    key = (run.model.device, *place)
    kept = [run.keep((m, *key), partial(network.encode, {m: x})) for m, x in parts.items()]
    return [{m: x for part in level for m, x in part.items()} for level in zip(*kept, strict=True)]


def _taken(run: Run, drawn: Draw) -> Tensor:
    """(B, 1 + maps, *space), the lesion's probability first; the gates are noted."""
    if drawn.gates:
        run.gates.append({m: float(w.float().mean()) for m, w in drawn.gates.items()})
    run.maps = tuple(drawn.maps)
    return torch.cat([torch.sigmoid(drawn.logits[:, :1].float()), *(x.float() for x in drawn.maps.values())], dim=1)
