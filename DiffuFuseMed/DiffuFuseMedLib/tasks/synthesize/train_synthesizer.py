"""The synthesizer's recipe from case folders and a trained autoencoder to a model folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ...core.errors import InputError, input_error
from ...io.split import read_split
from ...losses import Losses
from ...models import zoo
from ...systems import build
from ...systems.diff4mmlits.synthesizer import TumorSynthesizer
from ...systems.diff4mmlits.synthesizer_recipe import SynthesizerRecipe
from ...systems.diff4mmlits.tumor_statistics import TumorStatistics
from ...systems.diff4mmlits.tumor_windows import TumorBatch, TumorCase, draw_windows
from ...training.identity import identity
from ...training.loop import RunContext, optimize
from ...training.state import Stage, Trained
from .train_autoencoder import record_of, tumor_cases

AUTOENCODER = "diff4mmlits-autoencoder"


def run_recipe(
    recipe: SynthesizerRecipe, folder: Path, split_file: Path, out: Path, context: RunContext | None = None
) -> zoo.ModelRecord:
    """Train and write out/<model id>/, its autoencoder in it; the average so far is written every tenth of the run.

    Raises InputError where the autoencoder is neither in `out` nor installed, TrainingStoppedError where the context
    asks for a stop.
    """
    context = context or RunContext()
    learned = _autoencoder(recipe, out)
    recipe = replace(recipe, config=replace(recipe.config, autoencoder=learned.network.config))
    names, space = recipe.data.patients(read_split(split_file)), recipe.config.autoencoder
    cases = tumor_cases(folder, names, space.modalities, space.spacing_mm)
    context.claim(identity(recipe, [case.fingerprint() for case in cases], learned.record.sha256))

    def keep(trained: Trained) -> zoo.ModelRecord:
        facts = record_of(recipe, trained, names, context.device)
        facts["training"]["autoencoder_sha256"] = learned.record.sha256
        window = {"shape": (space.window,) * 3, "spacing_kji_mm": (space.spacing_mm,) * 3}
        return zoo.save(trained.network, {**facts, "window": window}, out / recipe.model_id)

    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    network = begun(recipe, learned, cases, generator).to(context.device)
    record = keep(optimize(_stage(recipe, network, cases), generator, replace(context, snapshot=keep)))
    context.over()
    return record


def _autoencoder(recipe: SynthesizerRecipe, out: Path) -> zoo.Model:
    """From `out`, where training has put it, else an installed one."""
    for folder in (out, None):
        try:
            model = zoo.load(recipe.autoencoder, folder=folder)
        except InputError:
            if folder is None:
                raise
            continue
        if model.record.system == AUTOENCODER:
            return model
    given = f"the model {recipe.autoencoder}, which is no autoencoder"
    raise input_error(given, f"one of the system {AUTOENCODER}", f"train it first: --recipe {recipe.autoencoder}")


def begun(
    recipe: SynthesizerRecipe, learned: zoo.Model, cases: list[TumorCase], generator: torch.Generator
) -> TumorSynthesizer:
    """A fresh denoiser beside the trained autoencoder, which is held still, and the fitted statistics."""
    network: TumorSynthesizer = build(recipe.system, recipe.config)
    network.autoencoder.load_state_dict(learned.network.state_dict())
    network.autoencoder.requires_grad_(False)
    network.statistics.fit(cases)
    windows = draw_windows(cases, recipe.latent_windows, recipe.windows, generator)
    with torch.no_grad():
        z = network.autoencoder.encode(windows.images)
    statistics: TumorStatistics = network.statistics
    statistics.latent_mean.copy_(z.mean(dim=(0, 2, 3, 4)))
    statistics.latent_sd.copy_(z.std(dim=(0, 2, 3, 4)).clamp(min=1e-3))
    return network


def _stage(recipe: SynthesizerRecipe, network: TumorSynthesizer, cases: list[TumorCase]) -> Stage:
    looks = network.statistics.standardised([case.look for case in cases])

    def losses(batch: TumorBatch, generator: torch.Generator) -> Losses:
        return network.objective(batch, looks[batch.case], generator)

    budget = recipe.optimization(steps=recipe.steps, minutes=recipe.minutes)
    sampler = lambda generator: draw_windows(cases, recipe.batch, recipe.windows, generator)  # noqa: E731
    return Stage(recipe.model_id, network, sampler, losses, budget)
