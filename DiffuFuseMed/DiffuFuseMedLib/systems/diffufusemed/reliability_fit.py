"""Fit phi of DiffuFuseMed eq. (11), (26) to the trained network: many windows at once, not two at a time.

In joint training the few bits of q_m drown in the noise of small batches. Here the inputs of phi come from many
windows first, and each phi is fitted to all of them, up to the step at which patients left out judge it best.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks.precision import mixed_precision
from ...training.dataset import TrainingCase
from ...training.windows import draw_batch
from .recipe import DiffuFuseMedRecipe

if TYPE_CHECKING:
    from .latent import LatentDiffuFuseMed
    from .network import DiffuFuseMed

STEPS, CHECK_EVERY = 400, 10
LEFT_OUT_EVERY = 4
Bank = dict[tuple[int, str], list[Tensor]]


def fit_reliability(
    network: DiffuFuseMed | LatentDiffuFuseMed,
    cases: list[TrainingCase],
    recipe: DiffuFuseMedRecipe,
    device: str = "cpu",
    progress: Callable[[float, str], None] | None = None,
) -> None:
    """Fit every level's and modality's phi in place; the rest of the network stays as it is."""
    generator = torch.Generator().manual_seed(recipe.seed)
    inputs, clean, fitted_on = collect(network.eval(), cases, recipe, generator, device, progress)
    for (level, modality), rows in inputs.items():
        phi = network.resolutions[level].judge(modality).phi
        fit(phi, torch.cat(rows).to(device), torch.cat(clean[modality]).to(device), torch.tensor(fitted_on))


def collect(
    network: DiffuFuseMed | LatentDiffuFuseMed,
    cases: list[TrainingCase],
    recipe: DiffuFuseMedRecipe,
    generator: torch.Generator,
    device: str,
    progress: Callable[[float, str], None] | None,
) -> tuple[Bank, dict[str, list[Tensor]], list[bool]]:
    """(phi's inputs, q_m by modality, whether the window's patient is fitted on) of recipe.reliability_windows windows.

    All modalities are present and half are corrupted: phi is asked for even odds.
    """
    settings = replace(recipe.windows, drop_one=0.0, drop_two=0.0, corrupt=0.5)
    inputs: Bank = {}
    clean: dict[str, list[Tensor]] = {}
    fitted_on = []
    for index in range(recipe.reliability_windows):
        if progress:
            progress(1.0, f"reliability, window {index + 1}")
        batch = draw_batch([cases[index % len(cases)]], 1, settings, generator)
        with torch.no_grad(), mixed_precision(device):
            levels = network.reliability_inputs({m: x.to(device) for m, x in batch.images.items()}, generator)
        for level, by_modality in enumerate(levels):
            for modality, row in by_modality.items():
                inputs.setdefault((level, modality), []).append(row.float())
        for modality, q in batch.clean.items():
            clean.setdefault(modality, []).append(q)
        fitted_on.append(len(cases) < LEFT_OUT_EVERY or index % len(cases) % LEFT_OUT_EVERY != 0)
    return inputs, clean, fitted_on


def fit(phi: nn.Module, inputs: Tensor, clean: Tensor, fitted_on: Tensor) -> None:
    """AdamW on the cross-entropy of (26), kept at the step whose loss on the left-out windows is lowest."""
    judged_on = ~fitted_on if (~fitted_on).any() else fitted_on
    optimizer = torch.optim.AdamW(phi.parameters(), 3e-3, weight_decay=0.3)
    best, kept = float("inf"), deepcopy(phi.state_dict())
    for step in range(STEPS):
        loss = F.binary_cross_entropy_with_logits(phi(inputs[fitted_on]).squeeze(1), clean[fitted_on])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % CHECK_EVERY == 0:
            with torch.no_grad():
                judged = F.binary_cross_entropy_with_logits(phi(inputs[judged_on]).squeeze(1), clean[judged_on])
            if float(judged) < best:
                best, kept = float(judged), deepcopy(phi.state_dict())
    phi.load_state_dict(kept)
