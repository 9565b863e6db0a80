"""DRGO of MedFusion-TransNet (3.4) around any segmenter: where its windows look, and what is added to its loss.

Equations are numbered as in losses/drgo.py. The cases are divided into regions; of each it is kept how frequent its
classes are and how undecided the last predictions were there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from math import ceil, log, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import input_error
from ..losses import Batch, Drgo, Losses
from ..losses.drgo import drgo, entropy, gradient_size, undecided
from ..losses.regions import by_region
from .dataset import TrainingCase
from .windows import Place, WindowSettings, voxels_of

LARGEST_ENTROPY = log(2)
STEEPEST = 1.0
FOLLOWING = 0.02  # how much a step moves what is known of the network's confidence


class RegionGuide:
    """Feedback to the sampler (feedback.py) and a wrapper of a network's loss. Its state goes into the checkpoint.

    A region that no window has shown yet counts as undecided as can be: it is looked at before what is known.
    """

    def __init__(self, cases: list[TrainingCase], windows: WindowSettings, settings: Drgo) -> None:
        self.windows, self.settings = windows, settings
        self.spacings = [case.spacing_kji_mm for case in cases]
        self.shapes = [tuple(case.lesion.shape) for case in cases]
        self.size = [min(settings.region, n) for n in windows.shape]  # one slice is a region of one slice
        self.blocks = [tuple(ceil(n / s) for n, s in zip(shape, self.size, strict=True)) for shape in self.shapes]
        self.ends = [0, *accumulate(prod(blocks) for blocks in self.blocks)]
        self.frequency = self._frequency(cases)
        self.boundary = torch.full((self.ends[-1],), STEEPEST)
        self.entropy = torch.full((self.ends[-1],), LARGEST_ENTROPY)
        self.undecided = torch.ones(())

    @property
    def gamma(self) -> float:
        """Of (28): the less, the surer the network has become."""
        return self.settings.gamma * float(self.undecided)

    def around(self, loss: Callable[..., Losses]) -> Callable[..., Losses]:
        """The loss with the terms of (35) added; it raises InputError where the network tells no prediction."""

        def guided(batch: Batch, generator: torch.Generator | None = None, *teacher: Any) -> Losses:
            said = loss(batch, generator, *teacher)
            if said.prediction is None:
                given = "DRGO for a network whose loss tells no prediction"
                raise input_error(given, "Losses with a prediction", "train it without")
            added = drgo(said.prediction, batch, self.settings, self.gamma)
            return Losses({**said.parts, **added}, said.prediction)

        return guided

    def importance(self) -> Tensor:
        """(25) of every region of every case, (regions,): factors that each have a mean of 1, and a floor."""
        s = self.settings
        weighed = ((s.frequency, self.frequency), (s.boundary, self.boundary), (s.confidence, self.entropy))
        parts = [weight * factor / factor.mean().clamp(min=1e-8) for weight, factor in weighed]
        return torch.stack(parts).sum(dim=0) + s.floor

    def case_weights(self, count: int) -> Tensor:
        """(count,): the importance of each case's regions together, so that (21) is over the regions of all."""
        return torch.stack([part.sum() for part in self._by_case(self.importance())])

    def voxel_weights(self, case: int) -> Tensor:
        """(K, J, I): how often each voxel is a window's center. A region that is drawn lies anywhere in the middle half
        of its window: if it were its center, where a window lies would tell where the lesion is."""
        blocks = self._by_case(self.importance())[case].view(1, 1, *self.blocks[case])
        kernel = self._middle_half(case)
        spread = F.avg_pool3d(blocks, kernel, 1, [k // 2 for k in kernel], count_include_pad=False)[0, 0]
        for axis, (size, n) in enumerate(zip(self.size, self.shapes[case], strict=True)):
            spread = spread.repeat_interleave(size, dim=axis).narrow(axis, 0, n)
        return spread

    def update(self, batch: Batch, prediction: Tensor) -> None:
        """Note (23) and (24) of the regions that a batch showed; prediction: (B, C, *space) logits."""
        if not batch.places:
            return  # of a synthetic case, which has no regions here
        unsure = entropy(prediction) * (LARGEST_ENTROPY / log(max(prediction.shape[1], 2)))
        for place, *seen in zip(batch.places, gradient_size(prediction).cpu(), unsure.cpu(), strict=True):
            self._note(place, *(x.flatten().double().numpy() for x in seen))
        self.undecided = torch.lerp(self.undecided, undecided(prediction).cpu(), FOLLOWING)

    def state_dict(self) -> dict[str, Tensor]:
        return {"boundary": self.boundary, "entropy": self.entropy, "undecided": self.undecided}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, value in state.items():
            setattr(self, name, value.clone())

    def _frequency(self, cases: list[TrainingCase]) -> Tensor:
        """(22), (regions,): over the classes, the share of a region that is of one divided by the share of it in all
        cases."""
        lesion = torch.cat([by_region(case.lesion[None, None], self.size).flatten() for case in cases])
        voxels = sum(case.lesion.numel() for case in cases)
        share = sum(float(case.lesion.double().sum()) for case in cases) / voxels
        return lesion / max(share, 1 / voxels) + (1 - lesion) / max(1 - share, 1 / voxels)

    def _by_case(self, x: Tensor) -> list[Tensor]:
        return [x[first:last] for first, last in pairwise(self.ends)]

    def _middle_half(self, case: int) -> list[int]:
        """Regions along each axis that half a window is long, an odd number."""
        half_mm = [n * s / 2 for n, s in zip(self.windows.shape, self.windows.spacing_kji_mm, strict=True)]
        region_mm = [n * s for n, s in zip(self.size, self.spacings[case], strict=True)]
        odd = [2 * round((half / region - 1) / 2) + 1 for half, region in zip(half_mm, region_mm, strict=True)]
        return [max(1, n) for n in odd]

    def _note(self, place: Place, steep: np.ndarray, unsure: np.ndarray) -> None:
        """steep, unsure: of each voxel of a window, flat."""
        where = voxels_of(place, self.spacings[place.case], self.windows).reshape(3, -1).round().astype(int)
        inside = ((where >= 0) & (where < np.array(self.shapes[place.case])[:, None])).all(axis=0)
        blocks = self.blocks[place.case]
        region = np.ravel_multi_index(tuple(where[:, inside] // np.array(self.size)[:, None]), blocks)
        count = np.bincount(region, minlength=prod(blocks))
        shown = torch.from_numpy(count > 0)
        for kept, seen in ((self.boundary, steep), (self.entropy, unsure)):
            mean = np.bincount(region, seen[inside], minlength=prod(blocks)) / np.maximum(count, 1)
            own = kept[self.ends[place.case] : self.ends[place.case + 1]]
            own[shown] = torch.lerp(torch.from_numpy(mean).float(), own, self.settings.memory)[shown]
