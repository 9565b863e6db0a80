"""Cases that no patient is, for training: without the patient's lesion, with a synthetic one."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.tasks.synthesize import hybrid
from DiffuFuseMedLib.tasks.synthesize.hybrid import run_hybrid_recipe
from DiffuFuseMedLib.tasks.synthesize.training_tumors import TrainingTumors, on_grid, remover_of
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.synthetic import Synthetic

SPACING = (4.0, 4.0, 4.0)


@pytest.fixture
def patients(with_tumor):
    return [with_tumor("p0", 5, 3.0), with_tumor("p1", 6, 7.0)]


@pytest.fixture
def rows(patients, a_synthesizer):
    """A function of Synthetic's settings and a remover: the row of cases."""

    def make(remove=lambda case: case.unscored(), cases=patients, **told):
        return TrainingTumors(cases, Synthetic(**told), a_synthesizer, remove, SPACING, ("CT", "PET", "MR_T1"), 0)

    return make


def same(one, other):
    return all(torch.equal(one.images[m], other.images[m]) for m in one.images) and torch.equal(
        one.lesion, other.lesion
    )


def test_a_case_follows_from_its_number(rows):
    first, again = rows(), rows()
    assert same(first(3), again(3)) and not same(first(3), first(4))
    assert first(3).name == "synthetic 3" and first(3).spacing_kji_mm == SPACING


def test_the_synthetic_tumor_is_what_is_drawn_and_the_patients_own_is_not(rows, patients):
    case = rows()(0)
    lesion = case.lesion > 0.5
    own = [on_grid(p, p.grid.with_spacing(SPACING[::-1])).reference_mask.array > 0 for p in patients]
    assert lesion.any()
    assert all(tuple(lesion.shape) != x.shape or not np.array_equal(lesion.numpy(), x) for x in own)
    assert case.references is None


def test_the_lesion_is_taken_out_before_a_tumor_is_put_in(rows):
    asked = []

    def remove(case):
        asked.append(case.name)
        assert (case.reference_mask.array > 0).any()
        return case.unscored()

    row = rows(remove)
    for number in range(6):
        row(number)
    assert sorted(asked) == ["p0", "p1"]  # each patient once


def test_a_pasted_tumor_is_a_patients_and_not_the_networks(rows, monkeypatch):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.synthesize.synthesize.Synthesizer.tumor", None)

    def cooled(case):
        pet = case.volumes["PET"]
        cold = pet.with_array(np.where(case.reference_mask.array > 0, np.float32(0.5), pet.array))
        return replace(case.unscored(), volumes={**case.volumes, "PET": cold})

    case = rows(cooled, tumors="pasted")(1)
    inside = case.lesion > 0.5
    assert inside.any() and case.images["PET"][0][inside].mean() > case.images["PET"][0][~inside].mean() + 0.2
    with pytest.raises(TypeError):
        rows()(1)


def test_patients_without_room_are_told_not_guessed(rows, patients):
    def of_bone(case):
        ct = case.volumes["CT"]
        return replace(case, volumes={**case.volumes, "CT": ct.with_array(np.full_like(ct.array, 900.0))})

    bones = [of_bone(case) for case in patients]
    with pytest.raises(InputError, match="2 training patients without room"):
        rows(cases=bones)(0)


@pytest.mark.parametrize("name", ["inpainter", "median filter", "biharmonic"])
def test_each_remover_fills_the_lesion_and_nothing_else(name, patients, an_inpainter):
    case = patients[1]
    healthy = remover_of(name, an_inpainter)(case)
    lesion = case.reference_mask.array > 0
    assert healthy.reference_mask is None
    pet = healthy.volumes["PET"].array
    assert np.abs(pet[lesion] - case.volumes["PET"].array[lesion]).mean() > 0.5
    far = healthy.volumes["CT"].array != case.volumes["CT"].array
    assert 0 < far.sum() < 0.8 * far.size
    fillings = {n: remover_of(n, an_inpainter)(case).volumes["PET"].array for n in ("median filter", "inpainter")}
    assert not np.array_equal(fillings["median filter"], fillings["inpainter"])


@pytest.fixture
def cohort(patients, write_case, tmp_path):
    for name, case in zip(("p0", "p1", "held"), (*patients, patients[0]), strict=True):
        write_case(case, tmp_path / "cases" / name)
    (tmp_path / "cases" / "split.json").write_text(json.dumps({"folds": [["held"], ["p0", "p1"], [], []]}))
    return tmp_path / "cases"


@pytest.fixture
def run(cohort, a_recipe, a_synthesizer, an_inpainter, tmp_path, monkeypatch):
    """A function of patients that the synthesizer has seen: train on both kinds of cases."""

    def go(seen=("p0",), seen_by="drawer", data=TrainingData(), **told):  # noqa: B008
        models = {"drawer": a_synthesizer, "remover": an_inpainter}
        record = replace(models[seen_by].record, training={"patients": list(seen)})
        models[seen_by] = replace(models[seen_by], record=record)
        monkeypatch.setattr(hybrid.zoo, "load", lambda name, device: models[name])
        recipe = a_recipe(steps=2, synthetic=Synthetic(share=1.0, pool=1, every=1), data=data, **told)
        names = {"synthesizer": "drawer", "inpainter": "remover"}
        return run_hybrid_recipe(recipe, cohort, cohort / "split.json", tmp_path / "out", **names)

    return go


def test_the_model_tells_what_made_its_cases(run, a_synthesizer, an_inpainter, tmp_path):
    record = run()
    assert record.training["patients"] == ["p0", "p1"] and record.training["synthetic"]["share"] == 1.0
    sums = {"synthesizer": a_synthesizer.record.sha256, "inpainter": an_inpainter.record.sha256}
    kept = zoo.read_record(tmp_path / "out" / record.id)
    assert record.training["made_with"] == kept.training["made_with"] == sums


@pytest.mark.parametrize("seen_by", ["drawer", "remover"])
def test_who_is_scored_was_seen_by_nobody(run, seen_by):
    with pytest.raises(InputError, match="which was trained on held, whom tiny is scored on"):
        run(seen=("p0", "held"), seen_by=seen_by)


def test_who_is_held_out_of_a_fold_that_trains_was_seen_by_nobody_either(run):
    with pytest.raises(InputError, match="which was trained on p1, whom tiny is scored on"):
        run(seen=("p0", "p1"), data=TrainingData(held_out=("p1",)))
