"""A pool of synthetic cases that is renewed while the training goes on, and comes back after a stop."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import Split
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.tasks.segment.train import stage_of
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.identity import identity
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.region_guide import RegionGuide
from DiffuFuseMedLib.training.stopping import TrainingStoppedError
from DiffuFuseMedLib.training.synthetic import Synthetic, SyntheticCases


@pytest.fixture
def numbered(a_scan):
    """A function of a list: makes case n, the scan with n added to its CT and its lesion n voxels on, and notes n."""

    def maker(made):
        def make(number):
            made.append(number)
            ct = a_scan.images["CT"] + torch.tensor([number, 0]).view(2, 1, 1, 1)  # the image, not where it is valid
            lesion = torch.roll(a_scan.lesion, number, dims=1)
            return replace(a_scan, name=f"synthetic {number}", images={**a_scan.images, "CT": ct}, lesion=lesion)

        return make

    return maker


def test_the_oldest_gives_way_to_a_new_one(numbered, plain):
    made = []
    pool = SyntheticCases(numbered(made), Synthetic(pool=3, every=2), {})
    draw = pool.sampler(1, plain())
    names = []
    for _ in range(6):
        draw(torch.Generator().manual_seed(0))
        names.append([case.name[-1] for case in pool.cases()])
    assert names == [list("012"), list("123"), list("123"), list("234"), list("234"), list("345")]
    assert made == [0, 1, 2, 3, 4, 5]  # each once


def test_batches_are_of_the_pool_and_have_no_places(numbered, plain):
    pool = SyntheticCases(numbered([]), Synthetic(pool=1, every=1), {})
    draw, generator = pool.sampler(2, plain()), torch.Generator().manual_seed(0)
    highest = [draw(generator).images["CT"][:, 0].max() for _ in range(3)]
    assert highest[1] - highest[0] > 0.5 and highest[2] - highest[1] > 0.5 and draw(generator).places == ()


def test_the_row_goes_on_where_it_was(numbered):
    one, other = (SyntheticCases(numbered([]), Synthetic(pool=2, every=3), {}) for _ in range(2))
    one.drawn = 7
    other.load_state_dict(one.state_dict())
    assert [c.name for c in other.cases()] == [c.name for c in one.cases()] == ["synthetic 2", "synthetic 3"]


@pytest.fixture
def hybrid(a_recipe, a_scan, numbered):
    """A function (share, made): a stage of six steps, a share of which are of synthetic cases."""

    def stage(share=0.5, made=None, **told):
        settings = Synthetic(share=share, pool=2, every=1)
        recipe = a_recipe(steps=6, model_id="toy", synthetic=settings, **told)
        torch.manual_seed(7)
        pool = SyntheticCases(numbered([] if made is None else made), settings, {})
        return stage_of(recipe, build(recipe.system, recipe.config), [a_scan], synthetic=pool)

    return stage


def test_a_stopped_training_goes_on_with_the_pool_it_had(hybrid, go, stopping_at, tmp_path):
    unbroken = go(hybrid(1.0))
    with pytest.raises(TrainingStoppedError):
        go(hybrid(1.0), stopping_at("toy, step 4", checkpoints=Checkpoints(tmp_path / "toy")))
    again = go(hybrid(1.0), RunContext(checkpoints=Checkpoints(tmp_path / "toy", resume=True)))
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name


def test_the_share_says_how_many_batches_are_synthetic(hybrid, go):
    stages = {share: hybrid(share) for share in (0.01, 1.0)}
    for stage in stages.values():
        go(stage)
    assert (stages[0.01].source.drawn, stages[1.0].source.drawn) == (0, 6)


def test_the_pool_is_filled_before_the_clock_starts(hybrid):
    made = []
    hybrid(made=made)
    assert made == [0, 1]


def test_regions_of_real_cases_learn_nothing_of_synthetic_ones(a_scan, plain, numbered):
    from DiffuFuseMedLib.losses import Drgo

    guide = RegionGuide([a_scan], plain(), Drgo())
    before = {name: x.clone() for name, x in guide.state_dict().items()}
    batch = SyntheticCases(numbered([]), Synthetic(pool=1), {}).sampler(1, plain())(torch.Generator().manual_seed(0))
    guide.update(batch, torch.zeros(1, 1, 16, 16, 16))
    assert all(torch.equal(x, before[name]) for name, x in guide.state_dict().items())


def test_a_recipe_of_synthetic_cases_without_any_is_refused(a_recipe, a_scan):
    recipe = a_recipe(steps=1, synthetic=Synthetic())
    with pytest.raises(InputError, match="of synthetic cases, without any"):
        stage_of(recipe, build(recipe.system, recipe.config), [a_scan])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"share": 0.0}, "a share of synthetic batches of 0"),
        ({"share": 1.5}, "a share of synthetic batches of 1.5"),
        ({"pool": 0}, "a pool of 0"),
        ({"every": 0}, "renewed every 0"),
        ({"remover": "eraser"}, "'eraser' in synthetic training"),
        ({"tumors": "drawn"}, "'drawn' in synthetic training"),
    ],
)
def test_settings_that_cannot_be_are_refused(told, sentence):
    with pytest.raises(InputError, match=sentence):
        Synthetic(**told)


def test_checkpoints_go_with_what_made_the_cases(a_recipe):
    recipe = a_recipe()
    plain, one, other = (identity(recipe, [], "", made) for made in (None, {"synthesizer": "a"}, {"synthesizer": "b"}))
    assert "synthetic data" not in plain and one["synthetic data"] != other["synthetic data"]


def test_a_smaller_portion_of_patients_is_part_of_a_larger_one():
    split = Split((("a", "b"), tuple("cdefghijkl")), {})
    found = [TrainingData(folds=(1,), held_out=("d",), portion=p).patients(split) for p in (0.1, 0.3, 0.5, 1.0)]
    assert [len(names) for names in found] == [1, 3, 4, 9]
    assert set(found[0]) < set(found[1]) < set(found[2]) < set(found[3]) and "d" not in found[3]
    assert found[2] == sorted(found[2])
    with pytest.raises(InputError, match="0 of the patients"):
        TrainingData(portion=0.0).patients(split)
