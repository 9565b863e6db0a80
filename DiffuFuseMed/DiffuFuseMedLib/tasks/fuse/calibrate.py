"""Fit what the fusion's uncertainty means: the probability that a gray value is off by more than 0.1 (paper's 3.4).

The truth is made, since no fused image of a patient exists: on pairs that no weights were trained on, the picture of
the pair as registered is the reference; the same pair with its MRI warped by up to 3 mm is what a clinic might have
had. Where the two pictures differ by more than 0.1, the second was off. Its ensemble's spread is mapped to the
frequency of that by a logistic curve of log(spread).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from ...core.errors import input_error
from ...io.split import read_split
from ...metrics.calibration import calibration_scores
from ...models.zoo import ModelRecord
from ...preprocessing.load import load_whole
from ...systems.clin_fusediff import Pair
from ...systems.clin_fusediff.crops import CropSettings, misregistered, random_pair
from ...systems.clin_fusediff.recipe import FusionRecipe
from ...systems.clin_fusediff.stacks import Stack, case_stack, pair_stacks
from ...uncertainty import platt
from . import Fuser, FusionSettings
from .fuser import OFF_BY
from .members import member, picture

SLICES = 24
LEAST_SPREAD = 1e-4
DARK = 0.05  # background has nothing to be wrong about


def calibrate_fusion(
    fuser: Fuser,
    stacks: Sequence[Stack],
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> ModelRecord:
    """The student's record with scale and offset of the logistic curve, and ECE and Brier score of each stack when the
    curve was fitted to the others."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for index, stack in enumerate(stacks):
        samples.append(_of_stack(fuser, stack, generator))
        if progress:
            progress((index + 1) / len(stacks), stack.name)
    curve = _fit(samples)
    left_out = [_scores(_fit(samples[:i] + samples[i + 1 :]), samples[i]) for i in range(len(samples))]
    names = left_out[0].keys()
    fitted = {
        "scale": curve[0],
        "offset": curve[1],
        "off_by": OFF_BY,
        "warp_mm": CropSettings().jitter_mm,
        "base_rate": float(np.mean([off.mean() for _, off in samples])),
        "left_out": {name: float(np.nanmean([s[name] for s in left_out])) for name in names},
        "stacks": [s.name for s in stacks],
    }
    return replace(fuser.student.record, calibration=fitted)


def validation_stacks(fuser: Fuser, cases: Path, fold: int, split: Path, pairs: tuple[Path, ...]) -> list[Stack]:
    """The fold's cases and the series of pairs that the student's training left out. Raises InputError when it saw one
    of the patients."""
    record, names = fuser.student.record, read_split(split).folds[fold]
    if seen := set(names) & set(record.patients):
        raise input_error(f"fold {fold} with {len(seen)} patients of the training", "others", "choose another --fold")
    recipe = FusionRecipe()
    stacks = [case_stack(load_whole(cases / name), recipe.mri, recipe.windows_hu[:1]) for name in names]
    left_out = tuple(record.training["left_out"])
    return stacks + [s for folder in pairs for s in pair_stacks(folder, left_out, only=True)]


def _of_stack(fuser: Fuser, stack: Stack, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """log spread and whether the picture was off, of every voxel that shows something in some slices."""
    spreads, offs = [], []
    settings = FusionSettings()
    for _ in range(SLICES):
        pair, spacing_mm = random_pair(stack, generator)
        given = misregistered(pair, CropSettings().jitter_mm / spacing_mm, generator)
        truth = _picture(fuser, pair, settings, 0, spacing_mm)
        members = [_picture(fuser, given, settings, n, spacing_mm) for n in range(settings.samples)]
        shows = (torch.maximum(pair.slice_mri, pair.slice_ct)[0, 0] > DARK).numpy()
        spreads.append(np.std(members, axis=0)[shows])
        offs.append((np.abs(members[0] - truth) > OFF_BY)[shows])
    spread = np.concatenate(spreads).clip(LEAST_SPREAD)
    return np.log(spread)[::7], np.concatenate(offs)[::7]  # neighbors say the same


def _picture(fuser: Fuser, pair: Pair, settings: FusionSettings, number: int, spacing_mm: float) -> np.ndarray:
    parts = member(fuser.network, pair, settings, number, (spacing_mm, spacing_mm))
    return picture(parts, settings)[0, 0].float().numpy()


def _fit(samples: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    return platt.fit([expit(x)[None] for x, _ in samples], [y for _, y in samples])


def _scores(curve: tuple[float, float], sample: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    p, off = (x[:, None, None] for x in (expit(curve[0] * sample[0] + curve[1]).astype(np.float32), sample[1]))
    return calibration_scores(p, off, np.ones_like(off))
