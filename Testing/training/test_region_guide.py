"""DRGO around a network: which regions are looked at, what the loss is told, and a run that goes on as if unbroken."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.losses import Batch, Drgo, Losses
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.dataset import TrainingCase
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.region_guide import RegionGuide
from DiffuFuseMedLib.training.stopping import TrainingStoppedError
from DiffuFuseMedLib.training.windows import draw_batch, voxels_of


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_line():
    """A function (lesion): a case of 2 x 2 x n voxels of 1 mm whose lesion is that of the list along i."""

    def case(lesion):
        mask = torch.tensor(lesion).expand(2, 2, -1).clone()
        images = {"CT": torch.stack([mask, torch.ones_like(mask)])}
        return TrainingCase("line", images, mask, torch.ones_like(mask), (1.0, 1.0, 1.0))

    return case


@pytest.fixture
def line_windows(plain):
    return plain(shape=(2, 2, 4), spacing_kji_mm=(1.0, 1.0, 1.0))


@pytest.fixture
def guide_of(line_windows):
    """A function (cases, **settings): regions of two voxels."""
    return lambda *cases, **settings: RegionGuide(list(cases), line_windows, Drgo(**({"region": 2} | settings)))


def test_a_regions_frequency_is_one_over_the_share_of_its_classes_in_all_cases(a_line, guide_of):
    """Eight of 40 voxels are lesion: one fifth. Regions of lesion, half lesion, none; none, none."""
    guide = guide_of(a_line([1.0, 0, 1, 1, 0, 0]), a_line([0.0, 0, 0, 0]))
    lesion, rest = 40 / 12, 40 / 28
    wanted = [(lesion + rest) / 2, lesion, rest, rest, rest]
    assert guide.frequency.tolist() == pytest.approx(wanted)


def test_a_data_set_without_a_lesion_has_regions_all_alike(a_line, guide_of):
    assert guide_of(a_line([0.0, 0, 0, 0])).frequency.tolist() == pytest.approx([1, 1])


def test_importance_is_the_weighted_sum_of_factors_with_a_mean_of_one(a_line, guide_of):
    guide = guide_of(a_line([1.0, 1, 0, 0]), frequency=2.0, boundary=3.0, confidence=5.0, floor=0.5)
    guide.frequency, guide.boundary, guide.entropy = (torch.tensor(x) for x in ([1.0, 3], [0.0, 2], [4.0, 0]))
    assert guide.importance().tolist() == pytest.approx([2 * 0.5 + 0 + 5 * 2 + 0.5, 2 * 1.5 + 3 * 2 + 0 + 0.5])


def test_a_case_is_drawn_as_often_as_its_regions_together_weigh(a_line, guide_of):
    guide = guide_of(a_line([0.0] * 6), a_line([0.0] * 2))
    assert guide.case_weights(2).tolist() == pytest.approx([3 * 3.1, 3.1])


def test_a_drawn_region_lies_in_the_middle_half_of_its_window(a_line, line_windows, guide_of):
    """Half of a window is 2 voxels long, one region; twice as long a window spreads a region over its neighbours."""
    case = a_line([0.0] * 10)
    guide = guide_of(case, frequency=0.0, boundary=0.0, floor=0.0)
    guide.entropy = torch.tensor([0.0, 0, 5, 0, 0])
    assert guide.voxel_weights(0)[1, 1].tolist() == pytest.approx([0] * 4 + [5] * 2 + [0] * 4)
    guide.windows = replace(line_windows, shape=(2, 2, 12))
    assert guide.voxel_weights(0)[0, 1].tolist() == pytest.approx([0] * 2 + [5 / 3] * 6 + [0] * 2)


def test_the_last_region_is_as_large_as_what_is_left(a_line, guide_of):
    guide = guide_of(a_line([0.0] * 5))
    assert guide.voxel_weights(0).shape == (2, 2, 5)
    assert len(guide.entropy) == 3


def test_a_region_of_a_slice_is_one_slice_thick(a_line, plain):
    guide = RegionGuide([a_line([0.0] * 4)], plain(shape=(1, 2, 4), spacing_kji_mm=(1.0, 1.0, 1.0)), Drgo(region=2))
    assert guide.blocks == [(2, 1, 2)]


@pytest.fixture
def shown(a_line, line_windows):
    """A function (case, number): a batch of one window of it, whose place is straight, and its first voxel along i."""

    def batch(case, number=0, seed=0):
        drawn = draw_batch([case], 1, line_windows, seeded(seed))
        (place,) = drawn.places
        still = replace(place.placement, mirror=np.ones(3), center_mm=np.array([1.0, 1.0, 4.0]))
        place = replace(place, case=number, start=np.zeros(3, dtype=int), placement=still)
        assert voxels_of(place, case.spacing_kji_mm, line_windows)[2, 0, 0].tolist() == pytest.approx([2, 3, 4, 5])
        return replace(drawn, places=(place,))

    return batch


def test_a_step_tells_the_regions_that_it_showed_and_no_others(a_line, guide_of, shown):
    """Voxels 2 to 5 of the second case: a step from 1/2 to 3/4 between 3 and 4, so regions 1 and 2."""
    case = a_line([0.0] * 8)
    guide = guide_of(a_line([0.0] * 4), case, memory=0.25)
    logits = torch.tensor([0.0, 0.0, log(3), log(3)]).expand(1, 1, 2, 2, 4)
    guide.update(shown(case, 1), logits)
    quarter = -(0.25 * log(0.25) + 0.75 * log(0.75))
    first, last = log(2), 0.25 * log(2) + 0.75 * quarter
    assert guide.entropy.tolist() == pytest.approx([log(2)] * 2 + [log(2), first, last, log(2)])
    assert guide.boundary.tolist() == pytest.approx([1, 1, 1, 0.25 + 0.75 * 0.125, 0.25, 1])


def test_what_lies_beyond_the_case_tells_nothing(a_line, guide_of, shown):
    case = a_line([0.0] * 4)
    guide = guide_of(case, memory=0.0)
    batch = shown(a_line([0.0] * 8))
    guide.update(batch, torch.tensor([0.0, 0.0, 50.0, 50.0]).expand(1, 1, 2, 2, 4))
    assert guide.entropy.tolist() == pytest.approx([log(2), log(2)])
    assert guide.boundary.tolist() == pytest.approx([1, 0.25])


def test_of_several_classes_uncertainty_is_on_the_same_scale(a_line, guide_of, shown):
    case = a_line([0.0] * 8)
    guide = guide_of(case, memory=0.0)
    guide.update(shown(case), torch.zeros(1, 3, 2, 2, 4))
    assert guide.entropy.tolist() == pytest.approx([log(2)] * 4)


def test_gamma_falls_as_the_network_grows_sure(a_line, guide_of, shown):
    case = a_line([0.0] * 8)
    guide = guide_of(case, gamma=0.6)
    assert guide.gamma == pytest.approx(0.6)
    guide.update(shown(case), torch.full((1, 1, 2, 2, 4), 50.0))
    assert guide.gamma == pytest.approx(0.6 * 0.98)


def test_the_loss_keeps_its_parts_and_gets_those_of_drgo(a_line, guide_of):
    target = torch.zeros(1, 1, 4, 4)
    batch = Batch({}, target, torch.zeros_like(target), {})
    asked = []

    def loss(*given):
        asked.append(given)
        return Losses({"own": torch.ones(())}, target)

    guided = guide_of(a_line([0.0] * 4)).around(loss)
    said = guided(batch, "generator", "teacher")
    assert asked == [(batch, "generator", "teacher")]
    assert set(said.parts) == {"own", "drgo_adaptive", "drgo_pairs", "drgo_smooth", "drgo_edge"}
    assert said.prediction is target


def test_a_network_that_tells_no_prediction_is_refused(a_line, guide_of):
    guided = guide_of(a_line([0.0] * 4)).around(lambda *_: Losses({"own": torch.ones(())}))
    with pytest.raises(InputError, match="tells no prediction"):
        guided(None, None)


def test_windows_go_to_the_lesion_and_to_where_nothing_is_known(a_scan, plain):
    """Half of the importance by class is the lesion's."""
    settings = plain(shape=(8, 8, 8))
    guide = RegionGuide([a_scan], settings, Drgo(region=4, boundary=0.0, confidence=0.0, floor=0.0))
    inside = lambda batch: float((batch.target[:, :, 2:6, 2:6, 2:6] > 0.5).float().mean())  # noqa: E731
    guided = inside(draw_batch([a_scan], 100, settings, seeded(0), guide))
    guide.frequency = torch.ones_like(guide.frequency)
    assert guided > 3 * inside(draw_batch([a_scan], 100, settings, seeded(0), guide))


@pytest.fixture
def a_guided_stage(a_stage, a_toy, a_scan, plain):
    """A function of a guide's settings."""

    def stage(**settings):
        windows = plain(shape=(8, 8, 8), zoom=(0.8, 1.2))
        guide = RegionGuide([a_scan, a_scan], windows, Drgo(region=4, **settings))
        made = a_stage(a_toy(), cases=(a_scan, a_scan), windows=windows, feedback=guide, learning_rate=3e-2)
        return replace(made, losses=guide.around(made.losses))

    return stage


def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_regions(a_guided_stage, go, stopping_at, tmp_path):
    unbroken = a_guided_stage()
    go(unbroken)
    with pytest.raises(TrainingStoppedError):
        go(a_guided_stage(), stopping_at("toy, step 3", checkpoints=Checkpoints(tmp_path / "toy")))
    resumed = a_guided_stage()
    go(resumed, RunContext(checkpoints=Checkpoints(tmp_path / "toy", resume=True)))
    assert torch.equal(resumed.network.layer.weight, unbroken.network.layer.weight)
    for name in ("boundary", "entropy", "undecided"):
        assert torch.equal(getattr(unbroken.feedback, name), getattr(resumed.feedback, name))
    assert unbroken.feedback.gamma < 0.5


def test_what_is_added_to_the_loss_moves_the_weights(a_guided_stage, go):
    whole, without = a_guided_stage(), a_guided_stage(adaptive=0.0, refined=0.0)
    go(whole)
    go(without)
    assert not torch.allclose(whole.network.layer.weight, without.network.layer.weight)
