"""The recipe from folders to two model folders: lesion heads, then the teacher, then the student."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ... import __version__
from ...io.split import read_split
from ...models import zoo
from ...preprocessing.load import load_case
from ...systems.clin_fusediff import Pair, Student, Teacher
from ...systems.clin_fusediff.crops import Crop, draw_crops
from ...systems.clin_fusediff.objectives import Training, head_parts, student_parts, teacher_parts
from ...systems.clin_fusediff.recipe import FusionRecipe, StudentWeights
from ...systems.clin_fusediff.stacks import Stack, case_stack, pair_stacks
from ...training.budget import stopwatch
from ...training.steps import set_learning_rate, update
from ..segment.train import hardware

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]
LOG_EVERY = 50
WARMUP = 50  # steps
LICENCE = (
    "Apache-2.0; trained on the Soft-tissue-Sarcoma collection of TCIA, CC BY 3.0, and on registered brain pairs of "
    "the Harvard Whole Brain Atlas, whose images are not redistributed (see card.md)"
)


@dataclass
class Done:
    """steps and minutes of each run, and its losses as they fell."""

    steps: dict[str, int] = field(default_factory=dict)
    minutes: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[dict[str, float]]] = field(default_factory=dict)


def training_stacks(recipe: FusionRecipe, cases: Path, split: Path, pairs: tuple[Path, ...]) -> list[Stack]:
    """The cases of the recipe's folds and every series of pairs that is not left out."""
    names = [n for fold in recipe.folds for n in read_split(split).folds[fold] if n not in recipe.held_out]
    stacks = [case_stack(load_case(cases / n), recipe.mri, recipe.windows_hu) for n in names]
    return stacks + [s for folder in pairs for s in pair_stacks(folder, recipe.left_out)]


def run_fusion_recipe(
    recipe: FusionRecipe,
    stacks: list[Stack],
    out: Path,
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[zoo.ModelRecord, zoo.ModelRecord]:
    """Train heads, teacher and student and write out/<id>/ for each of the two."""
    torch.manual_seed(recipe.seed)
    training = Training(recipe, StudentWeights(), torch.Generator().manual_seed(recipe.seed))
    done = Done()
    teacher, student = Teacher(recipe.teacher).to(device), Student(recipe.student).to(device)
    with_lesion = [s for s in stacks if s.masks[2].any()]
    for name in teacher.heads:
        parts = lambda crop, name=name: head_parts(teacher, crop, training, name)  # noqa: E731
        run = Run(f"head {name}", recipe.heads_minutes / 2, teacher.heads[name], parts)
        looking = replace(training, recipe=replace(recipe, crops=recipe.head_crops))
        teacher.heads[name] = optimize(run, with_lesion, looking, done, device, progress)
    teacher.heads.requires_grad_(False)  # frozen, as (1) wants it
    run = Run("teacher", recipe.teacher_minutes, teacher, lambda crop: teacher_parts(teacher, crop, training))
    teacher = optimize(run, stacks, training, done, device, progress).requires_grad_(False)
    records = [save(teacher, recipe.model_ids[0], "clin-fusediff-teacher", recipe, stacks, done, out, device)]
    run = Run("student", recipe.student_minutes, student, lambda crop: student_parts(student, teacher, crop, training))
    student = optimize(run, stacks, training, done, device, progress)
    records.append(save(student, recipe.model_ids[1], "clin-fusediff-student", recipe, stacks, done, out, device))
    return records[0], records[1]


@dataclass(frozen=True)
class Run:
    """One network's training: what is optimized and what by."""

    name: str
    minutes: float
    network: nn.Module
    parts: Callable[[Crop], dict[str, Tensor]]


def optimize(
    run: Run, stacks: list[Stack], training: Training, done: Done, device: str, progress: Progress | None
) -> nn.Module:
    """AdamW until the minutes are over, the learning rate along half a cosine; returns the moving average."""
    recipe, network = training.recipe, run.network.train()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, recipe.learning_rate, weight_decay=1e-3)
    minutes, step, running, history = stopwatch(device), 0, {}, []
    while (share := minutes() / run.minutes) < 1:
        set_learning_rate(optimizer, recipe.learning_rate, WARMUP, step, share)
        crop = crop_to(draw_crops(stacks, recipe.batch, recipe.crops, training.generator), device)
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            parts = run.parts(crop)
        update(sum(parts.values()), optimizer, trained, recipe.clip)
        average.update_parameters(network)
        step += 1
        for name, value in finite(parts).items():
            running[name] = running.get(name, 0.0) + value / LOG_EVERY
        if step % LOG_EVERY == 0:
            history.append({"step": step, **{k: round(v, 4) for k, v in running.items()}})
            log.info("%s, step %d, %.0f %%: %s", run.name, step, 100 * share, history[-1])
            running = {}
        if progress:
            progress(share, f"{run.name}, step {step}")
    done.steps[run.name], done.minutes[run.name] = step, round(minutes(), 1)
    done.history[run.name] = history[:: max(1, len(history) // 10)]
    return average.module.eval()


def finite(parts: dict[str, Tensor]) -> dict[str, float]:
    """The parts of a batch's loss as numbers; none of them when one is not finite, as such a batch is skipped."""
    told = {name: float(value.detach()) for name, value in parts.items()}
    return told if all(map(isfinite, told.values())) else {}


def crop_to(crop: Crop, device: str) -> Crop:
    masks = {k: v.to(device) for k, v in crop.loss_masks.items()}
    pair: Pair = crop.pair.to(device)
    return Crop(pair, crop.mri.to(device), crop.ct.to(device), crop.distance_mm.to(device), masks)


def save(
    network: nn.Module,
    model_id: str,
    system: str,
    recipe: FusionRecipe,
    stacks: list[Stack],
    done: Done,
    out: Path,
    device: str,
) -> zoo.ModelRecord:
    settings = {k: v for k, v in asdict(recipe).items() if k not in ("teacher", "student", "model_ids")}
    record = {
        "id": model_id,
        "system": system,
        "window": {},
        "licence": LICENCE,
        "training": {
            "trained_on": [s.name for s in stacks],
            **settings,
            "steps_done": done.steps,
            "minutes_done": done.minutes,
            "hardware": hardware(device),
            "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
            "history": done.history,
        },
    }
    return zoo.save(network, record, out / model_id)
