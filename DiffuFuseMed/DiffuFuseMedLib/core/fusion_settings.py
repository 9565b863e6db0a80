"""FusionSettings: what a user may choose of a fusion."""

from __future__ import annotations

from dataclasses import dataclass

from .presets import VALUES, Preset


@dataclass(frozen=True)
class FusionSettings:
    """alpha, beta, gamma: 0..1; lambdas, tau_mm: of CLIN-FuseDiff++ eq. (2); ct_window_hu: HU shown black and white;
    steps: 1 to 4 of the student; guided: the teacher's Algorithm 1 instead; modulated: whether (4) acts in it;
    samples: members of the ensemble behind the uncertainty, the first as registered."""

    alpha: float = 0.9
    beta: float = 0.9
    gamma: float = 0.5
    lambdas: tuple[float, float, float] = (1.0, 1.0, 0.5)
    tau_mm: float = 2.0
    ct_window_hu: tuple[float, float] = (-160.0, 840.0)
    steps: int = 1
    guided: bool = False
    modulated: bool = True
    samples: int = 4
    seed: int = 0

    @classmethod
    def from_preset(cls, preset: Preset) -> FusionSettings:
        return cls(**{name: getattr(preset, name) for name in VALUES})
