"""The objectives of the three runs: lesion heads, teacher by eq. (3), student by score distillation and eq. (2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ... import diffusion as dm
from ...losses import roi
from . import Components, Guidance, Pair, Student, Teacher
from .crops import Crop
from .prior import random_fusion
from .recipe import FusionRecipe, StudentWeights

Parts = dict[str, Tensor]
LATE, STUDENT_TIMES = (0.1, 0.6), (1.0, 0.75, 0.5, 0.25)
SCORED, LESIONS = 0.25, 0.5
WHOLE = 0.6  # share of batches that begin at pure noise


@dataclass(frozen=True)
class Training:
    """What every objective needs beside its crops."""

    recipe: FusionRecipe
    weights: StudentWeights
    generator: torch.Generator


def draw_sliders(count: int, generator: torch.Generator) -> roi.Sliders:
    """Any position of any slider, ends included more often than chance would."""
    at = torch.rand(3, count, generator=generator) * 1.4 - 0.2
    alpha, beta, gamma = at.clamp(0, 1)
    lambdas = 2 * torch.rand(count, 3, generator=generator)
    return roi.Sliders(alpha, beta, gamma, lambdas, 1 + 4 * torch.rand(count, generator=generator))


def head_parts(teacher: Teacher, crop: Crop, training: Training, head: str) -> Parts:
    """The lesion head learns from the prior's pictures: it has to read any mixture of the two."""
    fused = random_fusion(crop.mri, crop.ct, crop.pair.masks_by_name(), training.generator)
    lesion = crop.pair.mask("lesion")
    logits = teacher.heads[head](fused)
    there = lesion.amax(dim=(1, 2, 3)) > 0.5
    dice = roi.dice_loss(torch.sigmoid(logits), lesion)[there].sum() / there.sum().clamp(min=1)
    return {"dice": dice, "bce": F.binary_cross_entropy_with_logits(logits, lesion)}


def teacher_parts(teacher: Teacher, crop: Crop, training: Training) -> Parts:
    """Eq. (3): the noise term and lambda_roi times (2) of the denoised picture."""
    target = random_fusion(crop.mri, crop.ct, crop.pair.masks_by_name(), training.generator)
    noise, fused = teacher.loss(crop.pair, target, training.generator)
    sliders = draw_sliders(len(target), training.generator)
    bracket = lesion_bracket(teacher, fused, crop, sliders, training)
    composite = roi.roi_loss(fused, crop.mri, crop.ct, crop.loss_masks, bracket, sliders)
    return {"noise": noise, "roi": training.recipe.lambda_roi * 0.1 * composite.mean()}


def sometimes(part: Callable[[], Tensor], share: float, training: Training) -> Tensor:
    """A costly part of the loss on a share of the batches only, so much larger there: the same on average."""
    if float(torch.rand(1, generator=training.generator)) >= share:
        return torch.zeros(())
    return part() / share


def lesion_bracket(teacher: Teacher, fused: Tensor, crop: Crop, sliders: roi.Sliders, training: Training) -> Tensor:
    """The bracket of (2), (B,), through the frozen head; only where there is a lesion, on half of the batches."""
    lesion = crop.pair.mask("lesion")
    there = lesion.amax(dim=(1, 2, 3)) > 0.5
    bracket = fused.new_zeros(len(fused))

    def compute() -> Tensor:
        probability = teacher.lesion(fused[there])
        return roi.lesion_loss(probability, lesion[there], crop.distance_mm[there], sliders.at(there))

    if there.any():
        bracket[there] = sometimes(compute, LESIONS, training)
    return bracket


def student_parts(student: Student, teacher: Teacher, crop: Crop, training: Training) -> Parts:
    """Score distillation toward the guided teacher, (2), and what the picture keeps of both sources."""
    weights, pair = training.weights, crop.pair
    sliders = draw_sliders(len(crop.mri), training.generator)
    components = _one_step(student, pair, sliders, training)
    fused = components.picture(*sliders.views())
    mri, ct, masks = pair.slice_mri, pair.slice_ct, crop.loss_masks
    bone = masks["bone"]
    missed = roi.inside((fused - ct) ** 2, bone)
    bracket = lesion_bracket(teacher, fused, crop, sliders, training)
    seen = mri * masks["valid"] + ct * (1 - masks["valid"])  # nothing is asked of the MRI where it is missing
    return {
        "score": weights.score * sometimes(lambda: _score(teacher, fused, crop, sliders, training), SCORED, training),
        "soft": weights.soft * (sliders.alpha * roi.roi_ssim_loss(fused, mri, masks["soft"])).mean(),
        "bone": weights.bone * (sliders.beta * roi.roi_ssim_loss(fused, ct, bone)).mean(),
        "bone_error": weights.bone_error * (sliders.beta * missed).mean(),
        "lesion": weights.lesion * (sliders.gamma * bracket).mean(),
        "edges": weights.edges * roi.edge_loss(fused, seen, ct).mean(),
        "differences": weights.differences * roi.differences_loss(fused, seen, ct).mean(),
        "hidden": weights.hidden * roi.hidden_ct_loss(fused, ct, mri, masks["soft"]).mean(),
        "alone": weights.alone * roi.inside((fused - ct).abs(), 1 - masks["valid"]).mean(),
        "accent": 0.02 * (components.accent * components.border).abs().mean(),
    }


def _one_step(student: Student, pair: Pair, sliders: roi.Sliders, training: Training) -> Components:
    """From pure noise, or from the student's own picture noised to an earlier time, as its 2 to 4 steps do."""
    noise = dm.gaussian_like(pair.slice_mri, training.generator)
    last = torch.full((len(noise),), student.config.steps, device=noise.device)
    if float(torch.rand(1, generator=training.generator)) < WHOLE:
        return student.components(pair, noise, last, sliders)
    with torch.no_grad():
        before = student.components(pair, noise, last, sliders).picture(*sliders.views())
    share = STUDENT_TIMES[1:][int(torch.randint(3, (1,), generator=training.generator))]
    t = torch.full_like(last, round(share * student.config.steps))
    return student.components(pair, dm.add_noise(2 * before - 1, noise, student.abar, t), t, sliders)


def _score(teacher: Teacher, fused: Tensor, crop: Crop, sliders: roi.Sliders, training: Training) -> Tensor:
    """Where one guided step of the teacher would take the student's noised picture (two of a batch: it costs most)."""
    few = slice(0, 2)
    pair, some = crop.pair.at(few), sliders.at(few)
    share = LATE[0] + (LATE[1] - LATE[0]) * torch.rand(len(pair.tracer), generator=training.generator)
    t = (share.to(fused.device) * teacher.config.steps).long() + 1
    clean = 2 * fused[few] - 1
    noise = dm.gaussian_like(clean, training.generator)
    noisy = dm.add_noise(clean.detach(), noise, teacher.abar, t)
    target = teacher.guided_target(noisy, t, pair, crop.distance_mm[few], some, Guidance())
    return F.mse_loss(fused[few], target)
