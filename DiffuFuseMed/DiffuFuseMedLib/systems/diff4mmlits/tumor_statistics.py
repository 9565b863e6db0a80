"""How big, how deep and of which appearance tumors are, all at once: a normal distribution of their logarithms.

Uptake, necrosis, contrast, size and place go together in patients (a large tumor is more often necrotic), so they are
drawn together. Fitted on the training patients, saved beside the networks, and drawn from for every synthetic tumor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...core.errors import input_error
from ...metrics.tumor_appearance import Appearance
from .tumor_windows import TumorCase

SHRINKAGE = 0.1  # of correlations towards none (Ledoit and Wolf 2004): there are hardly more patients than pairs
FEWEST = 2
REDRAWN = 200  # times at most; after that the nearest within the ends
HU_UNIT = 100.0
SHAPE = ("longest", "first_ratio", "second_ratio", "depth")
LOOK = Appearance.names()


@dataclass(frozen=True)
class Drawn:
    """One tumor: semi-axes in mm, falling; depth of its center below the skin in mm; its appearance."""

    semi_axes_mm: tuple[float, float, float]
    depth_mm: float
    look: Appearance


class TumorStatistics(nn.Module):
    """mean: (9,) of SHAPE and LOOK as features() has them; factor: (9, 9), lower, whose product with its transpose is
    their covariance; low, high: (9,) the ends seen in training; latent_mean, latent_sd: (latent,) of the autoencoder.
    """

    mean: Tensor
    low: Tensor
    high: Tensor
    factor: Tensor
    latent_mean: Tensor
    latent_sd: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        size = len(SHAPE) + len(LOOK)
        for name, start in (("mean", 0.0), ("low", -1.0), ("high", 1.0)):
            self.register_buffer(name, torch.full((size,), start))
        self.register_buffer("factor", torch.eye(size))
        self.register_buffer("latent_mean", torch.zeros(latent))
        self.register_buffer("latent_sd", torch.ones(latent))

    def fit(self, cases: list[TumorCase]) -> None:
        """Fit mean, covariance and ends. Raises InputError for a single case: nothing varies."""
        if len(cases) < FEWEST:
            raise input_error("a single training patient", f"{FEWEST} at least", "train on more cases")
        rows = np.stack([features(c.semi_axes_mm, c.depth_mm, c.look) for c in cases])
        covariance = np.atleast_2d(np.cov(rows.T))
        diagonal = np.diag(np.diag(covariance) + 1e-4)
        shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal + 1e-4 * np.eye(len(covariance))
        values = (rows.mean(axis=0), rows.min(axis=0), rows.max(axis=0), np.linalg.cholesky(shrunk))
        for name, value in zip(("mean", "low", "high", "factor"), values, strict=True):
            getattr(self, name).copy_(torch.from_numpy(value))

    @property
    def smallest_mm(self) -> float:
        """The shortest longest semi-axis of a training patient's tumor."""
        return float(self.low[0].exp())

    def draw(self, rng: np.random.Generator) -> Drawn:
        """A tumor within the ends of the training patients: one beyond is drawn again."""
        mean, factor, low, high = (getattr(self, n).double().cpu().numpy() for n in ("mean", "factor", "low", "high"))
        rows = mean + rng.standard_normal((REDRAWN, len(mean))) @ factor.T
        within = ((rows >= low) & (rows <= high)).all(axis=1)
        row = np.clip(rows[within.argmax()], low, high)
        longest, first, second, depth = np.exp(row[:4])
        second_axis = longest / max(first, 1.0)
        axes = (float(longest), float(second_axis), float(second_axis / max(second, 1.0)))
        mean_suv, peak, rim, contrast = np.exp(row[4:8])
        look = Appearance(
            float(mean_suv * max(peak, 1.0)), float(mean_suv), float(rim), float(contrast), float(row[8]) * HU_UNIT
        )
        return Drawn(axes, float(depth), look)

    def standardised(self, looks: list[Appearance]) -> Tensor:
        """(B, 5): each feature of an appearance in standard deviations from the mean; 0 for one that is not known."""
        sd = (self.factor @ self.factor.T).diagonal().sqrt()[len(SHAPE) :]
        rows = torch.tensor(np.stack([_look(look) for look in looks]), dtype=torch.float32, device=self.mean.device)
        return torch.nan_to_num((rows - self.mean[len(SHAPE) :]) / sd)


def features(semi_axes_mm: tuple[float, float, float], depth_mm: float, look: Appearance) -> np.ndarray:
    """(9,): logarithms of the longest semi-axis, of its ratio to the second and of that to the third, of the depth, of
    SUVmean, SUVmax / SUVmean, rim / center and T1 contrast, and the CT in hundreds of HU."""
    a, b, c = semi_axes_mm
    return np.concatenate([np.log([a, a / b, b / c, max(depth_mm, 1.0)]), _look(look)])


def _look(look: Appearance) -> np.ndarray:
    logs = np.log([look.suv_mean, look.suv_max / look.suv_mean, look.rim_to_center, look.t1_contrast])
    return np.append(logs, look.ct_hu / HU_UNIT)
