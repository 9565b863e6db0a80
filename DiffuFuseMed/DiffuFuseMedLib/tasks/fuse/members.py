"""The ensemble: the student's picture as registered, and with the MRI moved as far as a registration may be wrong."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...core.fusion_settings import FusionSettings
from ...losses.roi import Sliders
from ...systems.clin_fusediff import Components, Pair, Student, shifted

JITTER_MM = 2.0  # plausible residual misregistration (CLIN-FuseDiff++ P1, 3.3)


def sliders_of(settings: FusionSettings, count: int, device: str) -> Sliders:
    full = lambda value: torch.full((count,), float(value), device=device)  # noqa: E731
    lambdas = torch.tensor(settings.lambdas, device=device).float().expand(count, 3)
    return Sliders(full(settings.alpha), full(settings.beta), full(settings.gamma), lambdas, full(settings.tau_mm))


def member(
    student: Student, pair: Pair, settings: FusionSettings, number: int, spacing_mm: tuple[float, float]
) -> Components:
    """Member `number` of the ensemble, 0 as registered; the seed fixes noise and jitter, alike for every slice.

    The network is not shown the lesion: what it draws is the picture without one, to which gamma's accent is added."""
    pair = pair.without_lesion()
    generator = torch.Generator().manual_seed(1000 * settings.seed + number)
    if number:
        shift = (2 * torch.rand(2, generator=generator) - 1) * JITTER_MM / torch.tensor(spacing_mm)
        pair = replace(pair, mri=shifted(pair.mri, shift))
    sliders = sliders_of(settings, len(pair.tracer), pair.mri.device.type)
    with torch.no_grad():
        return student.sample(pair, sliders, settings.steps, generator)


def picture(components: Components, settings: FusionSettings, accent: Tensor | None = None) -> Tensor:
    """Gray 0..1; accent: what gamma 1 adds, None without a lesion."""
    plain = components.picture(settings.alpha, settings.beta, 0.0)
    return plain if accent is None or not settings.gamma else (plain + settings.gamma * accent).clamp(0, 1)
