"""Checkpoints: a run that was stopped goes on to the same weights, and takes no other run's checkpoint."""

import random

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.tasks.segment.train import stage_of
from DiffuFuseMedLib.training import loop
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError

from Testing.fixtures.full_disk import files_of_at_most, tree


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints" / "toy"


def same(one, other):
    """Whether two runs ended with the same weights to the last bit, and the same record of how."""
    states = [x.network.state_dict() for x in (one, other)]
    equal = all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    return equal and (one.steps, one.skipped, one.history) == (other.steps, other.skipped, other.history)


@pytest.fixture
def stopped(go, stopping_at, folder):
    """A function (stage, words): train it until it tells the words, and keep a checkpoint."""

    def run(stage, words="toy, step 3"):
        with pytest.raises(TrainingStoppedError, match=r"--resume goes on from .*toy") as stop:
            go(stage, stopping_at(words, checkpoints=Checkpoints(folder)))
        return str(stop.value)

    return run


def test_a_run_that_was_stopped_goes_on_to_the_weights_of_an_unbroken_one(a_recipe, a_scan, go, stopped, folder):
    """Learning rate, average, moments and random windows, of a budget of steps whose course depends on the share."""

    def stage():
        torch.manual_seed(7)
        recipe = a_recipe(steps=6, model_id="toy", learning_rate=5e-3)
        return stage_of(recipe, build(recipe.system, recipe.config), [a_scan])

    unbroken = go(stage())
    sentence = stopped(stage())
    assert sentence.startswith("The training was stopped after step 3 of toy: ")
    torch.manual_seed(99)  # another process has drawn otherwise
    assert same(go(stage(), RunContext(checkpoints=Checkpoints(folder, resume=True))), unbroken)


class Draws(torch.nn.Module):
    """Wraps a toy network whose loss draws from every generator there is."""

    def __init__(self, toy):
        super().__init__()
        self.toy = toy

    def loss(self, batch, generator):
        noise = torch.rand(()) + random.random() + torch.rand((), generator=generator)
        loss = self.toy.loss(batch)
        return type(loss)({name: noise * value for name, value in loss.parts.items()})


def test_every_random_generator_goes_on_from_where_it_stood(a_stage, a_toy, go, stopped, folder):
    def stage():
        random.seed(3)
        torch.manual_seed(3)
        return a_stage(Draws(a_toy()), log_every=2)

    unbroken = go(stage())
    stopped(stage())
    assert same(go(stage(), RunContext(checkpoints=Checkpoints(folder, resume=True))), unbroken)


def test_a_checkpoint_is_written_every_so_many_steps(a_stage, go, folder, monkeypatch):
    """A run that dies goes on from the last one."""
    unbroken, step = go(a_stage()), loop.train_step

    def dying(stage, state, device):
        if state.step == 5:
            raise RuntimeError("power failure")
        step(stage, state, device)

    monkeypatch.setattr(loop, "train_step", dying)
    with pytest.raises(RuntimeError, match="power failure"):
        go(a_stage(), RunContext(checkpoints=Checkpoints(folder, every_steps=2)))
    monkeypatch.setattr(loop, "train_step", step)
    told = []
    context = RunContext(progress=lambda _, what: told.append(what), checkpoints=Checkpoints(folder, resume=True))
    assert same(go(a_stage(), context), unbroken)
    assert told == ["toy, step 5", "toy, step 6"]


def test_a_checkpoint_is_due_by_the_clock(folder, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("DiffuFuseMedLib.training.checkpoint.time.monotonic", lambda: now[0])
    kept = Checkpoints(folder, every_minutes=10)
    now[0] += 599
    assert not kept.due(1)
    now[0] += 1
    assert kept.due(1)


def test_the_minutes_that_a_run_had_count_on(a_stage, go, stopped, folder, monkeypatch):
    """A minute a step, ten in all: three before the stop, seven after it."""

    def clock(device, already=0.0):
        count = iter(range(1000))
        return lambda: already + next(count) / 2  # asked twice a step

    monkeypatch.setattr(loop, "stopwatch", clock)
    told = []
    stage = a_stage(steps=1000, minutes=10.0)
    stopped(stage)
    kept = Checkpoints(folder, resume=True)
    trained = go(a_stage(steps=1000, minutes=10.0), RunContext(progress=lambda *x: told.append(x), checkpoints=kept))
    assert told[0] == (pytest.approx(0.25), "toy, step 4")  # 2.5 minutes when it was stopped
    assert trained.minutes >= 10


def test_a_stage_that_is_over_is_not_trained_again(a_stage, go, folder):
    done = go(a_stage(), RunContext(checkpoints=Checkpoints(folder)))
    told = []
    context = RunContext(progress=lambda *x: told.append(x), checkpoints=Checkpoints(folder, resume=True))
    assert same(go(a_stage(), context), done)
    assert told == []


def test_there_is_nothing_to_resume_from(folder):
    with pytest.raises(InputError, match=r"no checkpoint in .*toy, wanted one to resume from: start without --resume"):
        Checkpoints(folder, resume=True)


def test_a_run_that_was_stopped_is_not_written_over(a_stage, stopped, folder):
    stopped(a_stage())
    with pytest.raises(InputError, match=r"stopped at step 3, .* go on with --resume"):
        Checkpoints(folder)


@pytest.mark.parametrize("other", ["recipe", "seed", "data"])
def test_a_checkpoint_of_another_run_is_refused(a_stage, go, stopping_at, folder, other):
    own = {"recipe": "a", "seed": "0", "data": "x"}
    kept = Checkpoints(folder)
    kept.claim(own)
    with pytest.raises(TrainingStoppedError):
        go(a_stage(), stopping_at("toy, step 1", checkpoints=kept))
    Checkpoints(folder, resume=True).claim(own)
    with pytest.raises(InputError, match=f"a checkpoint in .*toy with another {other}, wanted the recipe, seed and"):
        Checkpoints(folder, resume=True).claim({**own, other: "other"})


def test_a_file_that_is_no_checkpoint_is_refused(folder):
    folder.mkdir(parents=True)
    (folder / "toy.safetensors").write_bytes(b"half of one")
    with pytest.raises(InputError, match=r"the unreadable checkpoint toy\.safetensors"):
        Checkpoints(folder, resume=True)


@pytest.mark.parametrize("room", [0, 1000])
def test_a_checkpoint_is_written_whole_or_not_at_all(room, a_stage, stopped, go, folder):
    stopped(a_stage())
    before = tree(folder)
    with files_of_at_most(room), pytest.raises(InputError, match="File too large"):
        go(a_stage(), RunContext(checkpoints=Checkpoints(folder, resume=True, every_steps=1)))
    assert tree(folder) == before


def test_checkpoints_of_a_run_that_is_over_go_and_nothing_else_does(a_stage, stopped, folder):
    stopped(a_stage())
    kept = Checkpoints(folder, resume=True)
    (folder / "notes.txt").write_text("mine")
    kept.discard()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    kept.discard()
    assert not folder.exists()
