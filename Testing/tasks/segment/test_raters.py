"""Samples against several readers: the measures of one case, simulated readers, and who is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.metrics import mean_pairwise_dice
from DiffuFuseMedLib.tasks.segment import raters

GRID = Grid((24, 24, 24), (2.0, 2.0, 2.0))


def ball(radius, center=11.5):
    return np.linalg.norm(np.indices((24, 24, 24)) - center, axis=0) < radius


def volume(mask):
    return Volume(mask.astype(np.uint8), GRID)


@pytest.fixture
def a_ball():
    ct = Volume(np.zeros((24, 24, 24), np.float32), GRID, "CT")
    valid = {"CT": np.ones((24, 24, 24), bool)}
    return Case("ball", GRID, "CT", {"CT": ct}, valid, reference_mask=volume(ball(7)))


@pytest.fixture
def three(a_ball):
    return a_ball.with_references({f"reader {r}": volume(ball(r)) for r in (6, 7, 8)})


def samples_of(*radii):
    return np.stack([np.where(ball(r), 0.97, 0.03) for r in radii]).astype(np.float32)


def test_samples_that_are_the_readers_score_best(three):
    alike, one = (raters.of_samples(samples_of(*radii), three) for radii in ((6, 7, 8), (7, 7, 7)))
    assert (alike["d_max"], alike["ged2"], alike["ci"], alike["hm_iou"], alike["s_c"]) == pytest.approx((1, 0, 1, 1, 1))
    assert one["d_max"] < 1 and one["ged2"] > 0 and one["ci"] < 1 and one["d_a"] < 1
    assert alike["crps_ml"] < one["crps_ml"]
    assert alike["s_ncc"] > 0.5


def test_what_nobody_marked_changes_no_measure_of_sets(three):
    """The measures of sets are taken in a box; those of the whole case are not."""
    whole = np.stack([np.asarray(m.array) for m in three.references.values()]) > 0
    hard = samples_of(7, 9) > 0.5
    cut = raters._in_one_box(hard, whole)
    assert cut[0].shape[1:] == (18, 18, 18)
    assert mean_pairwise_dice(cut[0]) == mean_pairwise_dice(hard)
    assert cut[1].sum() == whole.sum()


def test_slices_are_scored_each_by_itself_where_a_model_draws_them_so(three):
    """In every slice the samples are the three readers, each time in another order: no volume is any reader's."""
    by_reader, mixed = samples_of(6, 7, 8), np.empty((3, 24, 24, 24), np.float32)
    for k in range(24):
        mixed[:, k] = np.roll(by_reader[:, k], k, axis=0)
    whole, slices = (raters.of_samples(mixed, three, by_slice) for by_slice in (False, True))
    assert (slices["d_max"], slices["ged2"], slices["ci"], slices["hm_iou"]) == pytest.approx((1, 0, 1, 1))
    assert whole["d_max"] < 0.97 and whole["ged2"] > 0.01
    assert slices["dice"] == whole["dice"]


@pytest.mark.parametrize("by_slice", [False, True])
def test_where_nobody_drew_anything_there_is_no_slice_to_score(a_ball, by_slice):
    nobody = a_ball.with_references({name: volume(np.zeros((24, 24, 24), bool)) for name in ("a", "b")})
    assert raters.of_samples(samples_of(3), nobody, by_slice)["d_max"] == 0


def test_nothing_found_and_nothing_drawn_is_agreement(a_ball):
    nobody = a_ball.with_references({name: volume(np.zeros((24, 24, 24), bool)) for name in ("a", "b")})
    found = raters.of_samples(np.full((2, 24, 24, 24), 0.03, np.float32), nobody)
    assert (found["d_max"], found["ged2"], found["ci"], found["dice"], found["crps_ml"]) == (1, 0, 1, 1, 0)
    assert np.isnan(found["s_ncc_band"])


def test_simulated_readers_stand_around_the_reference_and_say_what_they_are(a_ball):
    case = raters.with_simulated_readers(a_ball, 4, seed=0)
    masks = [mask.array > 0 for mask in case.references.values()]
    assert raters.said_of(case) == "4 simulated readers"
    assert all(name.startswith("simulated reader ") for name in case.references)
    assert 0.5 < mean_pairwise_dice(masks) < 0.999
    assert case.reference_mask is a_ball.reference_mask
    again = raters.with_simulated_readers(a_ball, 4, seed=0)
    np.testing.assert_array_equal(masks[2], again.references["simulated reader 3"].array)
    other = raters.with_simulated_readers(replace(a_ball, name="another"), 4, seed=0)
    assert (masks[2] != (other.references["simulated reader 3"].array > 0)).any()


def test_readers_that_there_are_are_called_readers(three):
    assert raters.said_of(three) == "3 readers"


@pytest.mark.parametrize("count", [0, 1])
def test_one_simulated_reader_is_none(a_ball, count):
    with pytest.raises(InputError, match=f"Given {count} simulated readers, wanted two or more"):
        raters.with_simulated_readers(a_ball, count, 0)


def test_nothing_drawn_cannot_be_redrawn(a_ball):
    with pytest.raises(InputError, match="the case ball without a drawn lesion"):
        raters.with_simulated_readers(replace(a_ball, reference_mask=volume(ball(0))), 2, 0)


def test_a_case_of_one_reader_is_refused_with_the_way_out(a_ball, three):
    raters.check_annotators([three])
    with pytest.raises(InputError, match=r"1 of 2 cases without several annotators \(ball is the first\).*--simulated"):
        raters.check_annotators([three, a_ball])


def test_the_readers_majority_is_the_first_trivial_row(three):
    rows = raters.trivial_raters(three)
    assert [row["method"] for row in rows] == ["majority of the readers", "centre ellipsoid"]
    assert rows[0]["d_max"] > rows[1]["d_max"]
    assert rows[0]["readers"] == "3 readers"
    assert np.isnan(rows[0]["s_ncc"])  # one mask is sure of itself everywhere


@pytest.mark.parametrize(("dims", "best"), [(2, True), (3, False)])
def test_a_two_dimensional_models_samples_are_scored_by_slice(three, monkeypatch, dims, best):
    mixed = np.stack([np.roll(samples_of(6, 7, 8)[:, k], k, axis=0) for k in range(24)], axis=1)
    monkeypatch.setattr(raters, "draw", lambda *_: SimpleNamespace(samples=mixed, grid=GRID))
    monkeypatch.setattr(raters, "onto_case", lambda sample, *_: sample)
    record = SimpleNamespace(id="x", calibration={})
    model = SimpleNamespace(record=record, network=SimpleNamespace(config=SimpleNamespace(spatial_dims=dims)))
    [row] = raters.evaluate_raters(model, [three], None)
    assert (row["ged2"] < 1e-6) is best
