"""From stacks to two model folders: what is trained changes, what is frozen stays, STS_010 is left out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems.clin_fusediff import Student, StudentConfig, Teacher, TeacherConfig
from DiffuFuseMedLib.systems.clin_fusediff.crops import CropSettings, draw_crops
from DiffuFuseMedLib.systems.clin_fusediff.objectives import (
    Training,
    draw_sliders,
    head_parts,
    student_parts,
    teacher_parts,
)
from DiffuFuseMedLib.systems.clin_fusediff.recipe import FusionRecipe, StudentWeights
from DiffuFuseMedLib.systems.clin_fusediff.stacks import pair_stacks
from DiffuFuseMedLib.tasks.fuse import train as module
from DiffuFuseMedLib.tasks.fuse.train import (
    Done,
    as_losses,
    crops_of,
    run_fusion_recipe,
    train_stage,
    training_stacks,
)
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.state import Stage
from DiffuFuseMedLib.training.stopping import TrainingStoppedError

from Testing.fixtures.stop_at import StopAt

CROPS = CropSettings(size=32)


@pytest.fixture
def recipe():
    """Four steps of each of its four stages."""
    return FusionRecipe(
        teacher=TeacherConfig((8, 8, 8), 4, 8, steps=40, head_features=(8,) * 6),
        student=StudentConfig((8, 8, 8, 8), 8, steps=40),
        crops=CROPS,
        head_crops=CROPS,
        batch=2,
        steps=4,
    )


@pytest.fixture
def training(recipe):
    return Training(recipe, StudentWeights(), torch.Generator().manual_seed(0))


@pytest.fixture
def networks(recipe):
    torch.manual_seed(0)
    return Teacher(recipe.teacher), Student(recipe.student)


@pytest.fixture
def a_crop(a_stack):
    return draw_crops([a_stack()], 4, CropSettings(size=64), torch.Generator().manual_seed(0))


@pytest.fixture
def write_pairs(tmp_path):
    """A function of kind and names: a folder of 8-bit pairs, a bright disk with a brighter rim."""

    def write(kind, names):
        rows, columns = np.indices((48, 48)) - 24
        radius = np.hypot(rows, columns)
        for folder, array in ((kind, 220 * (abs(radius - 18) < 2) + 60 * (radius < 16)), ("MRI", 130 * (radius < 17))):
            (tmp_path / "pairs" / folder).mkdir(parents=True, exist_ok=True)
            for name in names:
                sitk.WriteImage(
                    sitk.GetImageFromArray(array.astype(np.uint8)), str(tmp_path / "pairs" / folder / f"{name}.png")
                )
        return tmp_path / "pairs"

    return write


def copied(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_every_part_of_every_objective_is_finite(networks, a_crop, training):
    teacher, student = networks
    for _ in range(4):  # some parts are drawn on some batches only
        for parts in (
            head_parts(teacher, a_crop, training, "guide"),
            teacher_parts(teacher, a_crop, training),
            student_parts(student, teacher, a_crop, training),
        ):
            assert all(torch.isfinite(part).all() and part.ndim == 0 for part in parts.values()), parts
            assert sum(parts.values()).requires_grad


def test_sliders_are_drawn_over_their_whole_range_with_their_ends():
    sliders = draw_sliders(400, torch.Generator().manual_seed(0))
    for slider in (sliders.alpha, sliders.beta, sliders.gamma):
        assert slider.min() == 0 and slider.max() == 1
        assert 0.05 < (slider == 0).float().mean() < 0.25 and 0.05 < (slider == 1).float().mean() < 0.25
    assert sliders.lambdas.shape == (400, 3) and sliders.lambdas.min() >= 0
    assert sliders.tau_mm.min() >= 1


@pytest.fixture
def train_by(a_stack, training, recipe):
    """A function (name, network, parts): the network after the recipe's steps, and what was noted of them."""

    def train(name, network, parts):
        done = Done()
        stage = Stage(name, network, crops_of([a_stack()], 2, CROPS), as_losses(parts), recipe.stage(1.0))
        return train_stage(stage, training, done, RunContext()), done

    return train


def test_steps_change_the_network_and_leave_the_frozen_heads(networks, training, train_by):
    teacher, _ = networks
    teacher.heads.requires_grad_(False)
    before = copied(teacher)
    after, done = train_by("teacher", teacher, lambda crop: teacher_parts(teacher, crop, training))
    after = after.state_dict()
    assert (done.steps, done.skipped) == ({"teacher": 4}, {"teacher": 0})
    frozen = [name for name in before if name.startswith("heads.")]
    moved = [name for name in before if not name.startswith("heads.") and not torch.equal(before[name], after[name])]
    assert frozen and all(torch.equal(before[name], after[name]) for name in frozen)
    assert len(moved) > 0.9 * (len(before) - len(frozen))
    assert all(torch.isfinite(value).all() for value in after.values())


def test_a_batch_that_is_not_finite_changes_nothing_and_is_counted(networks, train_by):
    _, student = networks
    before = copied(student)
    parts = lambda crop: {"bad": next(student.parameters()).sum() * float("nan")}  # noqa: E731
    after, done = train_by("student", student, parts)
    assert all(torch.equal(before[name], after.state_dict()[name]) for name in before)
    assert done.skipped == {"student": 4}


def test_the_heads_are_frozen_before_the_teacher_and_the_teacher_before_the_student(
    recipe, a_stack, tmp_path, monkeypatch
):
    real, trained = module.optimize, {}

    def spy(stage, *others):
        trained[stage.name] = {n.split(".")[0] for n, p in stage.network.named_parameters() if p.requires_grad}
        done = real(stage, *others)
        done.network.requires_grad_(True)
        return done

    saved = {}
    monkeypatch.setattr(module, "save", lambda network, which, *_: saved.update({which: network}))
    monkeypatch.setattr(module, "optimize", spy)
    run_fusion_recipe(replace(recipe, steps=1), [a_stack()], tmp_path)
    assert "unet" in trained["teacher"] and "heads" not in trained["teacher"]
    assert not any(p.requires_grad for p in saved[0].parameters())


def test_a_recipe_writes_two_models_that_load(recipe, a_stack, tmp_path):
    stacks, told = [a_stack("one"), a_stack("two", seed=1, flat=True, tracer=True)], []
    context = RunContext(progress=lambda share, words: told.append((share, words)))
    records = run_fusion_recipe(recipe, stacks, tmp_path, context)
    assert [r.id for r in records] == list(recipe.model_ids)
    for record in records:
        model = zoo.load(record.id, folder=tmp_path)
        assert (model.record.id, model.record.sha256) == (record.id, record.sha256)
        assert set(model.record.training["steps_done"]) >= {"head guide", "head score", "teacher"}
        assert set(model.record.training["skipped"].values()) == {0}
        assert model.record.training["trained_on"] == ["one", "two"]
        assert model.record.training["held_out"] == ["STS_010"]
        assert "Harvard Whole Brain Atlas" in model.record.licence
        assert len(model.record.training["attribution"]) == 2
        assert all(torch.isfinite(p).all() for p in model.network.parameters())
    assert all(0 <= share < 1 for share, _ in told)
    assert {words.split(",")[0] for _, words in told} == {"head guide", "head score", "teacher", "student"}


def test_a_recipe_that_was_stopped_twice_ends_with_the_weights_of_an_unbroken_one(recipe, a_stack, tmp_path):
    """Stopped within its second stage and within its last; each learning rate follows the share of its steps."""
    recipe, folder = replace(recipe, steps=6), tmp_path / "checkpoints"
    unbroken = run_fusion_recipe(recipe, [a_stack()], tmp_path / "unbroken")
    for words, resume in (("head score, step 3", False), ("student, step 3", True)):
        stop = StopAt(words)
        context = RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(folder, resume))
        with pytest.raises(TrainingStoppedError, match=f"after step 3 of {words.split(',')[0]}"):
            run_fusion_recipe(recipe, [a_stack()], tmp_path / "broken", context)
    told = []
    context = RunContext(progress=lambda _, what: told.append(what), checkpoints=Checkpoints(folder, resume=True))
    resumed = run_fusion_recipe(recipe, [a_stack()], tmp_path / "broken", context)
    assert told == ["student, step 4", "student, step 5", "student, step 6"]
    assert [r.sha256 for r in resumed] == [r.sha256 for r in unbroken]
    assert [r.training["steps_done"] for r in resumed] == [r.training["steps_done"] for r in unbroken]
    assert not folder.exists()


def test_the_recipe_as_it_ships_is_bound_by_minutes_and_shortened_alike():
    recipe = FusionRecipe()
    assert (recipe.learning_rate, recipe.weight_decay, recipe.warmup, recipe.ema) == (1e-3, 1e-3, 50, 0.995)
    assert recipe.stage(20.0).share(10**9, 5.0) == pytest.approx(0.25)
    assert recipe.lasting(32.0).teacher_minutes == pytest.approx(10.0)


@pytest.mark.parametrize(("kind", "tracer"), [("CT", False), ("PET", True), ("SPECT", True)])
def test_series_of_pictures_become_stacks_without_those_left_out(write_pairs, kind, tracer):
    folder = write_pairs(kind, ["4001", "4002", "33001", "5001"])
    stacks = pair_stacks(folder, left_out=("33",))
    assert sorted(s.name for s in stacks) == [f"{kind}-MRI 4", f"{kind}-MRI 5"]
    by_name = {s.name: s for s in stacks}
    four = by_name[f"{kind}-MRI 4"]
    assert four.mri.shape == four.cts[0].shape == (2, 48, 48) and four.masks.shape == (4, 2, 48, 48)
    assert four.masks.dtype == bool and four.masks[3].all() and not four.masks[2].any()
    assert four.flat and four.tracer == tracer
    assert four.mri.max() == pytest.approx(130 / 255, abs=1e-3)
    assert four.masks[0].any() and not (four.masks[0] & four.masks[1]).any()


def test_the_patient_that_ships_is_never_trained_on(recipe, a_case, write_case, write_pairs, tmp_path):
    for name in ("STS_001", "STS_002", "STS_010"):
        write_case(a_case(name=name), tmp_path / "cases" / name)
    split = {"folds": [["STS_002"], ["STS_001", "STS_010"]], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(split))
    folder = write_pairs("CT", ["7001", "20001"])
    recipe = replace(recipe, data=replace(recipe.data, folds=(0, 1)))
    stacks = training_stacks(recipe, tmp_path / "cases", tmp_path / "split.json", (folder,))
    assert [s.name for s in stacks] == ["STS_002", "STS_001", "CT-MRI 7"]
    case = stacks[0]
    assert len(case.cts) == len(recipe.windows_hu) and case.masks[2].any() and not case.masks[3].all()
    assert not case.tracer and not case.flat and case.spacing_kji_mm == (4.0, 2.5, 2.5)
