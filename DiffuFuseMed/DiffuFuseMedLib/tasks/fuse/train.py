"""The recipe from folders to two model folders: lesion heads, then the teacher, then the student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ... import __version__
from ...io.split import read_split
from ...losses import Losses
from ...models import zoo
from ...preprocessing.load import load_whole
from ...systems.clin_fusediff import Student, Teacher
from ...systems.clin_fusediff.crops import Crop, CropSettings, draw_crops
from ...systems.clin_fusediff.objectives import Parts, Training, head_parts, student_parts, teacher_parts
from ...systems.clin_fusediff.recipe import FusionRecipe, StudentWeights
from ...systems.clin_fusediff.stacks import Stack, case_stack, pair_stacks
from ...training.hardware import hardware
from ...training.identity import identity
from ...training.loop import RunContext, optimize
from ...training.samplers import Sampler
from ...training.state import Stage, Trained


@dataclass
class Done:
    """steps, minutes and batches skipped of each stage, and its losses as they fell."""

    steps: dict[str, int] = field(default_factory=dict)
    minutes: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    history: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def note(self, stage: str, trained: Trained) -> None:
        rows = [{k: round(v, 4) for k, v in row.items()} for row in trained.history]
        self.steps[stage], self.minutes[stage] = trained.steps, round(trained.minutes, 1)
        self.skipped[stage], self.history[stage] = trained.skipped, rows[:: max(1, len(rows) // 10)]


def training_stacks(recipe: FusionRecipe, cases: Path, split: Path, pairs: tuple[Path, ...]) -> list[Stack]:
    """The cases of the recipe's folds and every series of pairs that is not left out."""
    data, folds = recipe.data, read_split(split).folds
    names = [name for fold in data.folds for name in folds[fold] if name not in data.held_out]
    stacks = [case_stack(load_whole(cases / n), recipe.mri, recipe.windows_hu) for n in names]
    return stacks + [s for folder in pairs for s in pair_stacks(folder, recipe.left_out)]


def run_fusion_recipe(
    recipe: FusionRecipe, stacks: list[Stack], out: Path, context: RunContext | None = None
) -> tuple[zoo.ModelRecord, zoo.ModelRecord]:
    """Train heads, teacher and student, each a stage of its own, and write out/<id>/ for each of the last two.

    Raises TrainingStoppedError where the context asks for a stop.
    """
    context = context or RunContext()
    context.claim(identity(recipe, [stack.fingerprint() for stack in stacks]))
    torch.manual_seed(recipe.seed)
    training = Training(recipe, StudentWeights(), torch.Generator().manual_seed(recipe.seed))
    done = Done()
    teacher, student = Teacher(recipe.teacher).to(context.device), Student(recipe.student).to(context.device)
    teacher = train_teacher(teacher, stacks, training, done, context)
    records = [save(teacher, 0, recipe, stacks, done, out, context.device)]
    every = crops_of(stacks, recipe.batch, recipe.crops)
    losses = as_losses(lambda crop: student_parts(student, teacher, crop, training))
    stage = Stage("student", student, every, losses, recipe.stage(recipe.student_minutes))
    student = train_stage(stage, training, done, context)
    records.append(save(student, 1, recipe, stacks, done, out, context.device))
    context.over()
    return records[0], records[1]


def train_teacher(
    teacher: Teacher, stacks: list[Stack], training: Training, done: Done, context: RunContext
) -> Teacher:
    """The lesion heads one by one, then the rest with the heads frozen, as (1) wants it; returns it frozen."""
    recipe = training.recipe
    looking = crops_of([s for s in stacks if s.masks[2].any()], recipe.batch, recipe.head_crops)
    for name in teacher.heads:
        losses = as_losses(partial(head_parts, teacher, training=training, head=name))
        stage = Stage(f"head {name}", teacher.heads[name], looking, losses, recipe.stage(recipe.heads_minutes / 2))
        teacher.heads[name] = train_stage(stage, training, done, context)
    teacher.heads.requires_grad_(False)
    losses = as_losses(lambda crop: teacher_parts(teacher, crop, training))
    every = crops_of(stacks, recipe.batch, recipe.crops)
    stage = Stage("teacher", teacher, every, losses, recipe.stage(recipe.teacher_minutes))
    return train_stage(stage, training, done, context).requires_grad_(False)


def crops_of(stacks: list[Stack], size: int, settings: CropSettings) -> Sampler[Crop]:
    """Batches of `size` random crops of the stacks."""
    return lambda generator: draw_crops(stacks, size, settings, generator)


def as_losses(parts: Callable[[Crop], Parts]) -> Callable[[Crop, torch.Generator], Losses]:
    """An objective as the loop wants it; what it draws it draws from the training's generator, which is the loop's."""
    return lambda crop, _: Losses(parts(crop))


def train_stage(stage: Stage, training: Training, done: Done, context: RunContext) -> Any:
    """The stage's network as it is averaged over its training."""
    trained = optimize(stage, training.generator, context)
    done.note(stage.name, trained)
    return trained.network


def save(
    network: nn.Module, which: int, recipe: FusionRecipe, stacks: list[Stack], done: Done, out: Path, device: str
) -> zoo.ModelRecord:
    """Write out/<id>/; which: 0 for the teacher, 1 for the student."""
    record = {
        "id": recipe.model_ids[which],
        "system": ("clin-fusediff-teacher", "clin-fusediff-student")[which],
        "window": {},
        "licence": recipe.data.licence,
        "training": {
            "trained_on": [s.name for s in stacks],
            **recipe.facts(without=("teacher", "student", "model_ids")),
            "steps_done": done.steps,
            "minutes_done": done.minutes,
            "skipped": done.skipped,
            "hardware": hardware(device),
            "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
            "history": done.history,
        },
    }
    return zoo.save(network, record, out / recipe.model_ids[which])
