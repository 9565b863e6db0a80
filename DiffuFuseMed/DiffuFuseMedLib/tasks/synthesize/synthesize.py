"""From a case to the same case with a synthetic tumor, in all its modalities at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import __version__
from ...core.case import Case
from ...core.errors import CancelledError, input_error
from ...core.synthetic import WARNING, Synthetic
from ...metrics.tumor_appearance import appearance
from ...models.zoo import Model
from ...preprocessing.rois.automatic import automatic_rois
from ...systems.diff4mmlits.autoencoder import holed
from ...systems.diff4mmlits.tumor_mask import Room, TumorMask, draw_mask, room_of
from ...systems.diff4mmlits.tumor_windows import margin_weight
from .blend import Window, blended, window_around
from .contract import check_synthesizes

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]


@dataclass(frozen=True)
class SynthesisSettings:
    """seed: the same gives the same tumor; steps: of the sampler, the model's own where None; anchored: whether means
    and peak of the images are moved to those that were drawn. Raises InputError for a seed below 0."""

    seed: int = 0
    steps: int | None = None
    anchored: bool = True

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise input_error(f"the seed {self.seed}", "0 or more", "choose another seed")


class Synthesizer:
    """A case ready for one tumor after another: where there is room for one, in soft tissue that every modality shows,
    is found once."""

    def __init__(self, case: Case, model: Model) -> None:
        """Raises InputError for a model that makes no tumors, a case without CT, which alone tells bone and air, and
        for one whose CT shows no body."""
        check_synthesizes(model.network, model.record.system)
        if "CT" not in case.volumes:
            has = ", ".join(case.modalities) or "no image"
            raise input_error(f"a case with {has}", "a CT, which tells where bone and air are", "add the CT")
        self.case, self.model = case, model
        rois = automatic_rois(case.only(["CT"]))
        self.body = rois.inside
        drawn = None if case.reference_mask is None else case.reference_mask.array > 0
        seen = [case.valid[m] for m in model.modalities if m in case.valid]
        self.room: Room = room_of(case.grid, np.logical_and.reduce([rois.soft, *seen]), rois.inside, drawn)

    def place(self, seed: int, cancel: Cancel | None = None) -> TumorMask:
        """The mask of this seed; raises InputError where no tumor fits."""
        rng = np.random.default_rng([seed, 0])
        statistics = self.model.network.statistics
        return draw_mask(self.room, statistics, rng, lambda: _check(cancel), statistics.smallest_mm)

    def tumor(
        self,
        settings: SynthesisSettings | None = None,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        at: TumorMask | None = None,
    ) -> Synthetic:
        """The case with a synthetic tumor; at: its mask, drawn by the seed where None. The same case, model and seed
        give the same voxels. Raises CancelledError when cancel says so."""
        settings, began = settings or SynthesisSettings(), time.monotonic()
        at = at or self.place(settings.seed, cancel)
        window = window_around(self.case, at.mask, self.model)
        made = self._sampled(window, at, settings, progress, cancel)
        volumes, changed = blended(self.case, window, made, at, self.body, settings.anchored)
        arrays = {m: v.array for m, v in volumes.items()}
        seen = appearance(arrays, self.case.valid, at.mask, self.body, self.case.grid.spacing_kji_mm)
        told = self._provenance(window, at, settings, time.monotonic() - began)
        return Synthetic(volumes, at.mask, changed, asdict(at.drawn.look), asdict(seen), told)

    def _sampled(
        self,
        window: Window,
        at: TumorMask,
        settings: SynthesisSettings,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> dict[str, Tensor]:
        """(size, size, size) by modality, in the units of scales.py."""
        device, network = self.model.device, self.model.network

        def tell(share: float) -> None:
            _check(cancel)
            if progress:
                progress(share, "drawing the tumor")

        lesion = window.lesion[None, None].to(device)
        images = {m: x[None].to(device) for m, x in window.images.items()}
        hidden = holed(images, (margin_weight(lesion) > 0).float())  # what is below the tumor is never looked at
        generator = torch.Generator().manual_seed(settings.seed)
        with torch.inference_mode():
            made = network.sample(hidden, lesion, [at.drawn.look], generator, settings.steps, tell)
        return {m: x[0, 0].float().cpu() for m, x in made.items() if m in images}

    def _provenance(self, window: Window, at: TumorMask, settings: SynthesisSettings, seconds: float) -> dict[str, Any]:
        record, case = self.model.record, self.case
        left = [m for m in case.modalities if m not in window.images]
        notes = [f"{m} is unknown to {record.id} and shows no tumor." for m in left]
        return {
            "model": record.id,
            "sha256": record.sha256,
            "system": record.system,
            "device": self.model.device,
            "seed": settings.seed,
            "sampler_steps": settings.steps or self.model.network.config.sampler_steps,
            "anchored": settings.anchored,
            "modalities": list(window.images),
            "center_kji": list(at.center_kji),
            "semi_axes_mm": [round(a, 1) for a in at.drawn.semi_axes_mm],
            "volume_ml": round(float(at.mask.sum()) * case.grid.voxel_mm3 / 1000, 2),
            "window_spacing_mm": round(window.grid.spacing_mm[0], 2),
            "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
            "notes": [WARNING, *notes],
            "timings_s": {"synthesis": round(seconds, 2)},
        }


def synthesize(
    case: Case,
    model: Model,
    settings: SynthesisSettings | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Synthetic:
    """One tumor in a case; Synthesizer makes several in one case faster. Raises InputError and CancelledError as it
    does."""
    return Synthesizer(case, model).tumor(settings, progress, cancel)


def _check(cancel: Cancel | None) -> None:
    if cancel and cancel():
        raise CancelledError("the synthesis was stopped by its user")
