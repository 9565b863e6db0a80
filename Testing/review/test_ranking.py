"""The worklist: what is expected to be wrong, in regions of a size that a reader takes in, the worst first."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review import patches, ranking, with_reasons, worklist
from DiffuFuseMedLib.review.ranking import SMALLEST_MM3, UNCERTAIN


def test_two_blobs_are_two_regions_with_the_numbers_worked_out_by_hand(a_worklist):
    first, second = a_worklist.regions
    assert (first.id, second.id) == (1, 2)
    assert (first.question, second.question) == ("too much? whole lesion", "missing? " + second.place)
    assert first.volume_mm3 == 8**3
    assert first.expected_error_mm3 == pytest.approx(0.4 * 8**3)
    assert first.uncertainty == pytest.approx(-(0.6 * np.log(0.6) + 0.4 * np.log(0.4)))
    assert second.volume_mm3 == 6**3
    assert second.expected_error_mm3 == pytest.approx(0.3 * 6**3)
    assert a_worklist.expected_error_mm3 == pytest.approx(0.4 * 8**3 + 0.3 * 6**3)
    assert a_worklist.left_over_mm3 == 0
    assert a_worklist.labels.dtype == np.uint16
    assert (a_worklist.labels == 1)[4:12, 4:12, 4:12].all()
    assert np.count_nonzero(a_worklist.labels == 2) == 6**3


def test_volumes_are_in_the_patient_s_millimeters(two_blobs):
    thick = replace(two_blobs, grid=Grid((40, 40, 40), (0.5, 0.5, 3.0)))
    found = worklist(thick)
    assert sum(r.volume_mm3 for r in found.regions) == pytest.approx((8**3 + 6**3) * 0.75)
    assert found.listed_mm3 == pytest.approx((0.4 * 8**3 + 0.3 * 6**3) * 0.75)


def test_a_full_list_says_how_much_it_leaves_over(two_blobs):
    found = worklist(two_blobs, most=1)
    assert len(found.regions) == 1
    assert found.left_over_mm3 == pytest.approx(0.3 * 6**3)
    assert set(np.unique(found.labels)) == {0, 1}


def test_a_tiny_piece_is_left_over_and_certain_voxels_are_spread(predicted):
    p = np.full((30, 30, 30), 0.01)
    p[5:9, 5:9, 5:9] = 0.4  # 64 mm3
    found = worklist(predicted(p))
    assert SMALLEST_MM3 == 100
    assert found.regions == ()
    assert found.left_over_mm3 == pytest.approx(0.4 * 64)
    assert found.spread_mm3 == pytest.approx(0.01 * (30**3 - 64), rel=1e-4)


def test_a_label_against_its_probability_counts_as_what_is_expected_wrong(predicted):
    p = np.zeros((20, 20, 20))
    p[5:15, 5:15, 5:15] = 0.1
    found = worklist(predicted(p, labels=(p > 0).astype(np.uint8)))
    assert found.regions[0].expected_error_mm3 == pytest.approx(0.9 * 1000)


def test_a_cluster_that_has_nothing_for_a_full_list_is_not_cut_up(predicted, monkeypatch):
    p = np.zeros((20, 40, 300))
    for n, start in enumerate((10, 90, 170, 250)):  # each a cluster by itself
        p[5:13, 5:13, start : start + 8] = 0.25 + 0.05 * n
    cut, ranked = [], ranking._Cut.ranked
    monkeypatch.setattr(ranking._Cut, "ranked", lambda self, most: cut.append(self) or ranked(self, most))
    found = worklist(predicted(p), most=2)
    assert [r.expected_error_mm3 for r in found.regions] == pytest.approx([0.4 * 8**3, 0.35 * 8**3])
    assert len(cut) == 2
    assert found.left_over_mm3 == pytest.approx(0.55 * 8**3)


def test_reasons_that_come_later_are_those_of_a_list_made_with_them(a_real_prediction, a_real_worklist):
    p = a_real_prediction.probability
    without = {"CT": p * 0.9, "PET": p * 0.5, "MR_T1": p}
    found = with_reasons(a_real_worklist, a_real_prediction, without)
    for region, plain in zip(found.regions, a_real_worklist.regions, strict=True):
        at = found.labels == region.id
        assert region.why_modality == "PET"
        assert f"({100 * p[at].mean():.0f} %, {50 * p[at].mean():.0f} % without PET)" in region.why
        assert replace(region, why="", why_modality="") == plain
    assert found.labels is a_real_worklist.labels
    with pytest.raises(InputError, match="without CT"):
        with_reasons(a_real_worklist, a_real_prediction, {"CT": p[1:]})


def test_what_is_outside_the_given_mask_is_left_out_of_everything(two_blobs):
    inside = np.zeros((40, 40, 40), bool)
    inside[:20] = True
    found = worklist(two_blobs, inside=inside)
    assert len(found.regions) == 1
    assert found.expected_error_mm3 == pytest.approx(0.4 * 8**3)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_certain_prediction_has_an_empty_list(predicted, p):
    found = worklist(predicted(np.full((8, 8, 8), p)))
    assert (found.regions, found.expected_error_mm3, found.left_over_mm3) == ((), 0, 0)
    assert not found.labels.any()


def test_where_no_lesion_is_called_there_may_still_be_regions(predicted):
    p = np.zeros((80, 40, 80))
    p[56:64, 16:24, 56:64] = 0.45  # in the middle of what is cut out around it, not of the image
    (region,) = worklist(predicted(p)).regions
    assert region.expected_error_mm3 == pytest.approx(0.45 * 512)
    assert region.place == "no lesion called, upper left"


@pytest.fixture
def a_ball(predicted):
    """A function (radius in mm, spacing (x, y, z) in mm): a ball whose probability falls over some 10 mm."""

    def make(radius, spacing_mm=(1.0, 1.0, 1.0)):
        side = 2 * radius + 24
        shape = tuple(round(side / s) for s in spacing_mm[::-1])
        index = [np.arange(n) * s - side / 2 for n, s in zip(shape, spacing_mm[::-1], strict=True)]
        from_center = np.sqrt(sum(x**2 for x in np.meshgrid(*index, indexing="ij")))
        return predicted(1 / (1 + np.exp((from_center - radius) / 2)), Grid(shape[::-1], spacing_mm))

    return make


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.9, 0.9, 3.3)])
def test_the_band_around_a_lesion_is_cut_into_patches_that_go_with_its_size(a_ball, spacing_mm):
    found = worklist(a_ball(28, spacing_mm), most=100)
    widths = [_widest_mm(found, region.id) for region in found.regions]
    reach = patches.reach_mm(4 / 3 * np.pi * 28**3)
    assert reach == pytest.approx(0.65 * 56, rel=0.01)
    assert reach < np.median(widths) < 1.6 * reach
    assert max(widths) < 2 * reach * 1.25  # the farthest voxel from a seed, both ways, along a curved band
    assert found.left_over_mm3 < 0.05 * found.listed_mm3


def test_a_large_lesion_s_list_is_about_as_long_as_a_small_one_s(a_ball):
    small, large = (len(worklist(a_ball(radius), most=100).regions) for radius in (17, 40))
    assert 6 <= small <= 24
    assert 0.6 < small / large < 1.7


def test_the_reach_is_of_millimeters_and_not_of_voxels(a_ball):
    fine, coarse = (len(worklist(a_ball(28, (s, s, s)), most=100).regions) for s in (1.0, 2.0))
    assert 0.7 < fine / coarse < 1.4


def test_the_reach_has_ends():
    assert (patches.reach_mm(0), patches.reach_mm(1e9)) == (20.0, 100.0)


def test_a_region_lies_on_one_side_of_the_border_and_says_which(a_real_prediction, a_real_worklist):
    lesion = a_real_prediction.labels == 1
    for region in a_real_worklist.regions:
        inside = set(lesion[a_real_worklist.labels == region.id])
        assert inside == {region.doubt == "too much"}
    assert {region.doubt for region in a_real_worklist.regions} == {"too much", "missing"}


def _widest_mm(found, region_id):
    """Between two parallel planes, over forty directions."""
    voxels = np.argwhere(found.labels == region_id) * found.grid.spacing_kji_mm
    directions = np.random.default_rng(0).normal(size=(40, 3))
    return max(np.ptp(voxels @ (direction / np.linalg.norm(direction))) for direction in directions)


def test_a_patch_never_reaches_into_another_piece(predicted):
    p = np.zeros((20, 40, 20))
    p[4:14, 4:14, 4:14] = 0.4
    p[4:14, 15:25, 4:14] = 0.4  # one certain voxel between: nearer than any two seeds
    found = worklist(predicted(p))
    first, second = (set(found.labels[:, part].ravel()) - {0} for part in (slice(4, 14), slice(15, 25)))
    assert first
    assert second
    assert not first & second


def test_every_center_is_an_uncertain_voxel_of_its_region(a_real_prediction, a_real_worklist):
    found = a_real_worklist
    error = abs((a_real_prediction.labels == 1) - a_real_prediction.probability)
    for region in found.regions:
        at = tuple(np.rint(found.grid.to_index(region.center_lps)).astype(int)[::-1])
        assert found.labels[at] == region.id
        assert error[at] >= np.median(error[found.labels == region.id])


def test_the_real_lesion_s_error_is_shared_out_without_a_rest(a_real_prediction, a_real_worklist):
    found = a_real_worklist
    error = abs((a_real_prediction.labels == 1) - a_real_prediction.probability)
    voxel_mm3 = found.grid.voxel_mm3
    assert found.expected_error_mm3 == pytest.approx(error.sum(dtype=float) * voxel_mm3, rel=1e-4)
    above = error[error > UNCERTAIN].sum(dtype=float) * voxel_mm3
    assert found.listed_mm3 + found.left_over_mm3 == pytest.approx(above, rel=1e-4)
    assert found.left_over_mm3 < 0.01 * above
    errors = [region.expected_error_mm3 for region in found.regions]
    assert errors == sorted(errors, reverse=True)


def test_the_real_lesion_s_regions_lie_on_all_its_sides(a_real_worklist):
    places = " ".join(region.place for region in a_real_worklist.regions)
    assert all(word in places for word in ("upper", "lower", "left", "right", "anterior", "posterior", "border"))


def test_the_same_prediction_gives_the_same_list(a_real_prediction, a_real_worklist):
    first, second = a_real_worklist, worklist(a_real_prediction)
    assert first.regions[:20] == second.regions
    assert np.array_equal(np.where(first.labels > 20, 0, first.labels), second.labels)


def test_a_region_says_which_modality_it_hangs_on(two_blobs):
    p = two_blobs.probability
    without = {"PET": p * 0.5, "CT": p * 0.95}
    first, second = worklist(two_blobs, without).regions
    assert (first.why, first.why_modality) == ("PET alone (60 %, 30 % without PET)", "PET")
    assert (second.why, second.why_modality) == ("PET disagrees with the others (30 %, 15 % without PET)", "PET")
    assert {r.why for r in worklist(two_blobs).regions} == {""}


@pytest.mark.parametrize(
    "given", [{"modalities_without": {"PET": np.zeros((2, 2, 2))}}, {"inside": np.ones((2, 2, 2), bool)}]
)
def test_refuses_an_array_of_another_shape(two_blobs, given):
    with pytest.raises(InputError, match=r"\(2, 2, 2\), wanted \(40, 40, 40\)"):
        worklist(two_blobs, **given)


def test_refuses_a_list_of_nothing_and_a_probability_that_is_not_a_number(two_blobs):
    with pytest.raises(InputError, match="at least one"):
        worklist(two_blobs, most=0)
    two_blobs.probability[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="not a number"):
        worklist(two_blobs)


def test_refuses_a_prediction_without_entropy(two_blobs):
    with pytest.raises(InputError, match="entropy"):
        worklist(replace(two_blobs, uncertainty={}))
