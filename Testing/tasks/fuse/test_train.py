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
from DiffuFuseMedLib.tasks.fuse.train import Done, Run, optimize, run_fusion_recipe, training_stacks

CROPS = CropSettings(size=64)
SECONDS = 1 / 60


@pytest.fixture
def recipe():
    return FusionRecipe(
        teacher=TeacherConfig((8, 8, 8), 4, 8, steps=40, head_features=(8,) * 6),
        student=StudentConfig((8, 8, 8, 8), 8, steps=40),
        crops=CROPS,
        head_crops=CROPS,
        batch=2,
        heads_minutes=2 * SECONDS,
        teacher_minutes=SECONDS,
        student_minutes=SECONDS,
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
    return draw_crops([a_stack()], 4, CROPS, torch.Generator().manual_seed(0))


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


def test_two_steps_change_the_network_and_leave_the_frozen_heads(networks, a_stack, training, monkeypatch):
    teacher, _ = networks
    teacher.heads.requires_grad_(False)
    before, minutes = copied(teacher), iter([0.0, 0.1, 9e9, 9e9])
    monkeypatch.setattr(module, "stopwatch", lambda device: lambda: next(minutes))
    run, done = Run("teacher", 1.0, teacher, lambda crop: teacher_parts(teacher, crop, training)), Done()
    after = optimize(run, [a_stack()], training, done, "cpu", None).state_dict()
    assert done.steps["teacher"] == 2
    frozen = [name for name in before if name.startswith("heads.")]
    moved = [name for name in before if not name.startswith("heads.") and not torch.equal(before[name], after[name])]
    assert frozen and all(torch.equal(before[name], after[name]) for name in frozen)
    assert len(moved) > 0.9 * (len(before) - len(frozen))
    assert all(torch.isfinite(value).all() for value in after.values())


def test_a_batch_that_is_not_finite_changes_nothing(networks, a_stack, training, monkeypatch):
    _, student = networks
    before, minutes = copied(student), iter([0.0, 9e9, 9e9])
    monkeypatch.setattr(module, "stopwatch", lambda device: lambda: next(minutes))
    parts = lambda crop: {"bad": next(student.parameters()).sum() * float("nan")}  # noqa: E731
    after = optimize(Run("student", 1.0, student, parts), [a_stack()], training, Done(), "cpu", None).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_heads_are_frozen_before_the_teacher_and_the_teacher_before_the_student(
    recipe, a_stack, tmp_path, monkeypatch
):
    real, trained = module.optimize, {}

    def spy(run, *others):
        trained[run.name] = {n.split(".")[0] for n, p in run.network.named_parameters() if p.requires_grad}
        return real(run, *others).requires_grad_(True)

    saved = {}
    monkeypatch.setattr(module, "save", lambda network, model_id, *_: saved.update({model_id: network}))
    monkeypatch.setattr(module, "optimize", spy)
    run_fusion_recipe(recipe.lasting(0.02), [a_stack()], tmp_path)
    assert "unet" in trained["teacher"] and "heads" not in trained["teacher"]
    assert not any(p.requires_grad for p in saved[recipe.model_ids[0]].parameters())


def test_a_recipe_of_seconds_writes_two_models_that_load(recipe, a_stack, tmp_path):
    stacks, told = [a_stack("one"), a_stack("two", seed=1, flat=True, tracer=True)], []
    records = run_fusion_recipe(recipe, stacks, tmp_path, progress=lambda share, words: told.append((share, words)))
    assert [r.id for r in records] == list(recipe.model_ids)
    for record in records:
        model = zoo.load(record.id, folder=tmp_path)
        assert (model.record.id, model.record.sha256) == (record.id, record.sha256)
        assert set(model.record.training["steps_done"]) >= {"head guide", "head score", "teacher"}
        assert model.record.training["trained_on"] == ["one", "two"]
        assert "STS_010" in model.record.training["held_out"]
        assert all(torch.isfinite(p).all() for p in model.network.parameters())
    assert all(0 <= share < 1 for share, _ in told)
    assert {words.split(",")[0] for _, words in told} == {"head guide", "head score", "teacher", "student"}


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
    recipe = replace(recipe, folds=(0, 1))
    stacks = training_stacks(recipe, tmp_path / "cases", tmp_path / "split.json", (folder,))
    assert [s.name for s in stacks] == ["STS_002", "STS_001", "CT-MRI 7"]
    assert FusionRecipe().held_out == ("STS_010",)
    case = stacks[0]
    assert len(case.cts) == len(recipe.windows_hu) and case.masks[2].any() and not case.masks[3].all()
    assert not case.tracer and not case.flat and case.spacing_kji_mm == (4.0, 2.5, 2.5)
