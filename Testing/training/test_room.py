"""Room for systems that are to come: each shape of training is tried with a toy of a few lines."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.losses import Losses
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.tasks.segment.train import stage_of
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError
from torch.nn import functional as F


class OneOfTheAnnotators(torch.nn.Module):
    """A toy of a system for ambiguous cases: every step learns the mask of one annotator, drawn anew."""

    def __init__(self, toy):
        super().__init__()
        self.toy, self.chosen = toy, []

    def loss(self, batch, generator):
        shares = torch.rand(len(batch.raters), generator=generator)
        drawn = (shares * batch.raters).long()
        self.chosen.append(drawn.tolist())
        mask = batch.references[torch.arange(len(drawn)), drawn][:, None]
        logits = self.toy.layer(batch.images["CT"])
        return Losses({"bce": F.binary_cross_entropy_with_logits(logits.float(), mask)}, logits)


def test_several_annotators_some_of_whom_drew_nothing(a_stage, a_toy, a_scan, go):
    case = replace(a_scan, references=torch.stack([a_scan.lesion, torch.zeros_like(a_scan.lesion)]))
    network = OneOfTheAnnotators(a_toy())
    trained = go(a_stage(network, cases=(case,), steps=8))
    assert trained.skipped == 0
    assert {n for pair in network.chosen for n in pair} == {0, 1}


def test_a_case_that_nobody_drew_anything_in_trains(a_stage, a_scan, go):
    nothing = torch.zeros_like(a_scan.lesion)
    case = replace(a_scan, lesion=nothing, references=torch.stack([nothing, nothing]))
    assert go(a_stage(cases=(case,))).skipped == 0


def two_stages(a_stage, a_toy, go, context=None):
    """A toy of a staged system: the second network learns what the first, which stays as it is, says."""
    first = go(a_stage(a_toy(), name="first"), context).network.requires_grad_(False)
    second = a_toy()

    def losses(batch, generator):
        wanted = torch.sigmoid(first.layer(batch.images["CT"]).float())
        logits = second.layer(batch.images["CT"])
        return Losses({"bce": F.binary_cross_entropy_with_logits(logits.float(), wanted)})

    return first, go(replace(a_stage(second, name="second", learning_rate=3e-2), losses=losses), context).network


@pytest.mark.parametrize("words", ["first, step 2", "first, step 6", "second, step 4"])
def test_several_networks_are_trained_one_after_the_other_and_go_on_from_any_of_them(
    a_stage, a_toy, go, stopping_at, tmp_path, words
):
    unbroken = two_stages(a_stage, a_toy, go)
    with pytest.raises(TrainingStoppedError):
        two_stages(a_stage, a_toy, go, stopping_at(words, checkpoints=Checkpoints(tmp_path / "x")))
    kept = {path.stem for path in (tmp_path / "x").iterdir()}
    assert kept == ({"first"} if words.startswith("first") else {"first", "second"})
    resumed = two_stages(a_stage, a_toy, go, RunContext(checkpoints=Checkpoints(tmp_path / "x", resume=True)))
    for one, other in zip(unbroken, resumed, strict=True):
        assert torch.equal(one.layer.weight, other.layer.weight)
    assert {path.stem for path in (tmp_path / "x").iterdir()} == {"first", "second"}


def test_a_network_in_two_dimensions_learns_slices_of_a_scan(a_stage, a_toy, a_scan, plain, go):
    trained = go(a_stage(a_toy(dimensions=2), windows=plain(shape=(1, 16, 16)), steps=8))
    assert trained.skipped == 0


def test_a_network_in_two_dimensions_learns_pictures_in_color(a_stage, a_toy, a_scan, plain, go):
    pixels = a_scan.lesion[9:10]
    color = torch.stack([pixels, 1 - pixels, 0 * pixels, torch.ones_like(pixels)])
    picture = replace(a_scan, images={"RGB": color}, lesion=pixels, distance_mm=a_scan.distance_mm[9:10])
    network = a_toy(dimensions=2, channels=4, modality="RGB")
    settings = plain(shape=(1, 16, 16), corrupt=0.5, noise=0.1, gain=0.1)
    trained = go(a_stage(network, cases=(picture,), windows=settings, steps=8))
    assert trained.skipped == 0


def test_a_published_system_trains_in_two_dimensions_by_its_recipe(a_recipe, a_scan, go):
    recipe = a_recipe(steps=2, windows=replace(a_recipe().windows, shape=(1, 16, 16)))
    config = replace(recipe.config, spatial_dims=2)
    assert go(stage_of(recipe, build(recipe.system, config), [a_scan])).skipped == 0
