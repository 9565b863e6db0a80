from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import fusion
from DiffuFuseMedLib.metrics.fusion import TRIVIAL, aggregate, score_pair, score_tracer_pair
from DiffuFuseMedLib.preprocessing.rois import MODEL, SCORING, picture_rois, tracer_rois

PRIMARY = ["soft_ssim_mri", "soft_fsim_mri", "bone_psnr_ct", "bone_ssim_ct", "ct_in_soft", "seam", "seam_excess"]
SECONDARY = ["EN", "SD", "SF", "MI", "SCD", "VIF", "Qabf", "FMI_gradient", "SSIM_range255"]
INSIDE = ["EN_inside", "SSIM_range255_inside"]


def gray(picture):
    return (picture / 255).astype(np.float32)


def test_a_row_has_every_column_with_the_metric_of_its_name(a_head):
    ct, mri, rois = a_head
    f = (ct + mri) / 2
    row = score_pair(f, ct, mri, rois)
    assert list(row) == PRIMARY + SECONDARY + INSIDE
    assert row["soft_ssim_mri"] == fusion.roi_ssim(f, mri, rois.soft)
    assert row["soft_fsim_mri"] == fusion.roi_fsim(f, mri, rois.soft)
    assert row["bone_psnr_ct"] == fusion.roi_psnr(f, ct, rois.bone)
    assert row["bone_ssim_ct"] == fusion.roi_ssim(f, ct, rois.bone)
    assert row["ct_in_soft"] == pytest.approx(1)
    assert row["seam"] == fusion.seam(f, ct, mri, rois.bone)
    assert row["Qabf"] == pytest.approx(fusion.qabf(f, ct, mri))
    assert row["SSIM_range255"] == pytest.approx(fusion.ssim_sum(f, ct, mri))
    assert row["FMI_gradient"] == pytest.approx(fusion.fmi(f, ct, mri))


def test_a_lifted_background_fools_the_whole_picture_and_not_the_head(a_head):
    ct, mri, rois = a_head
    f = (ct + mri) / 2
    lifted = np.where(rois.inside, f, np.random.default_rng(0).uniform(0, 80, f.shape))
    plain, fooled = score_pair(f, ct, mri, rois), score_pair(lifted, ct, mri, rois)
    assert fooled["EN"] > plain["EN"] + 1
    assert fooled["EN_inside"] == plain["EN_inside"]


def test_the_copies_win_their_own_region_and_lose_the_other(a_head):
    ct, mri, rois = a_head
    like_mri, like_ct = (score_pair(TRIVIAL[name](ct, mri, rois), ct, mri, rois) for name in ("mri copy", "ct copy"))
    assert (like_mri["soft_ssim_mri"], like_mri["soft_fsim_mri"]) == pytest.approx((1, 1))
    assert (like_ct["bone_psnr_ct"], like_ct["bone_ssim_ct"]) == pytest.approx((60, 1))
    assert (like_mri["ct_in_soft"], like_ct["ct_in_soft"]) == pytest.approx((0, 1))
    assert like_mri["bone_psnr_ct"] < 2
    assert like_ct["soft_ssim_mri"] < 0.3
    assert np.isnan(like_mri["SCD"])


def test_a_picture_without_bone_has_no_bone_scores_and_all_others(a_head):
    ct, mri, rois = a_head
    row = score_pair(ct / 2 + mri / 2, ct, mri, replace(rois, bone=np.zeros_like(rois.bone)))
    missing = {name for name, value in row.items() if np.isnan(value)}
    assert missing == {"bone_psnr_ct", "bone_ssim_ct", "seam", "seam_excess"}


def test_a_tracer_pair_has_no_bone_and_two_correlations(a_head):
    tracer, mri, rois = a_head
    row = score_tracer_pair((tracer + mri) / 2, tracer, mri, rois)
    assert list(row) == [*PRIMARY[:2], "tracer_in_soft", "tracer_given_mri_in_soft", *SECONDARY, *INSIDE]
    assert row["tracer_in_soft"] == fusion.tracer_in_soft((tracer + mri) / 2, tracer, rois.soft)
    assert row["tracer_given_mri_in_soft"] == pytest.approx(1)


def test_pictures_from_0_to_1_are_refused(a_head):
    ct, mri, rois = a_head
    with pytest.raises(InputError, match="multiply them by 255"):
        score_pair(gray(ct), gray(ct), gray(mri), rois)


@pytest.mark.parametrize("name", ["33013.png", "20009.png"])
def test_on_real_pairs_the_trivial_rows_stand_where_they_are_known_to(harvard, name):
    ct, mri = harvard(name)
    scoring, model = (picture_rois(gray(ct), gray(mri), t) for t in (SCORING, MODEL))
    rows = {how: score_pair(fuse(ct, mri, model), ct, mri, scoring) for how, fuse in TRIVIAL.items()}
    column = {c: {how: row[c] for how, row in rows.items()} for c in rows["average"]}
    assert column["bone_psnr_ct"]["maximum"] > 45  # bone is white in the CT
    assert column["seam"]["average"] == pytest.approx(0.48, abs=0.05)
    assert column["ct_in_soft"]["roi copy"] == pytest.approx(0, abs=0.05)  # the bleeding of 33013 is lost
    assert column["ct_in_soft"]["0.85/0.15 roi blend"] > 0.99
    assert column["seam_excess"]["average"] == pytest.approx(0, abs=1e-9)
    assert column["seam_excess"]["roi copy"] > 0.05  # cut along the mask
    assert column["VIF"]["mri copy"] > 1
    for how in ("roi copy", "0.85/0.15 roi blend"):
        assert column["soft_ssim_mri"][how] > 0.9


@pytest.mark.parametrize(("kind", "name"), [("PET", "25017.png"), ("SPECT", "10009.png")])
def test_on_real_tracer_pairs_each_copy_loses_what_the_other_wins(harvard, kind, name):
    tracer, mri = harvard(name, kind)
    rois = tracer_rois(gray(tracer), gray(mri))
    like_mri, like_tracer = (score_tracer_pair(f, tracer, mri, rois) for f in (mri, tracer))
    assert like_mri["soft_ssim_mri"] == pytest.approx(1)
    assert like_tracer["tracer_in_soft"] == pytest.approx(1)
    assert like_mri["tracer_in_soft"] < 0.6
    assert like_tracer["soft_ssim_mri"] < 0.5
    assert np.isnan(like_mri["SCD"])


def test_the_mean_is_over_rows_and_the_interval_over_series():
    # Two series of opposite values: resampled, both are the first, both the second, or one of each.
    rows = [{"x": 0.0}] * 3 + [{"x": 1.0}] * 3
    result = aggregate(rows, ["16", "16", "16", "17", "17", "17"])["x"]
    assert result == (0.5, 0.0, 1.0, 6)


def test_taking_slices_for_independent_would_narrow_the_interval():
    rng = np.random.default_rng(4)
    values = np.repeat(rng.normal(0.8, 0.1, 8), 20) + rng.normal(0, 0.01, 160)
    rows = [{"x": v} for v in values]
    by_series = aggregate(rows, [str(n // 20) for n in range(160)])["x"]
    by_slice = aggregate(rows, [str(n) for n in range(160)])["x"]
    assert by_series.mean == by_slice.mean == pytest.approx(values.mean())
    assert by_series.high - by_series.low > 3 * (by_slice.high - by_slice.low)


def test_a_long_series_weighs_by_its_rows():
    rows = [{"x": 1.0}] * 9 + [{"x": 0.0}]
    assert aggregate(rows, ["a"] * 9 + ["b"])["x"].mean == pytest.approx(0.9)


def test_rows_without_a_value_are_left_out_and_counted():
    nan = float("nan")
    result = aggregate([{"x": 1.0, "y": nan}, {"x": nan, "y": nan}, {"x": 3.0, "y": 2.0}], ["a", "b", "c"])
    assert result["x"].mean == 2
    assert result["x"].rows == 2
    assert (result["y"].mean, result["y"].rows) == (2, 1)
    assert np.isnan([result["y"].low, result["y"].high]).all()


def test_a_column_without_any_value_has_no_mean():
    result = aggregate([{"x": float("nan")}], ["a"])["x"]
    assert result.rows == 0
    assert np.isnan(result.mean)


def test_the_same_seed_gives_the_same_interval():
    rows, series = [{"x": float(n % 7)} for n in range(30)], [str(n // 3) for n in range(30)]
    assert aggregate(rows, series, seed=3) == aggregate(rows, series, seed=3)
    assert aggregate(rows, series, seed=3) != aggregate(rows, series, seed=4)


@pytest.mark.parametrize(("rows", "series"), [([], []), ([{"x": 1.0}], ["a", "b"])])
def test_refuses_rows_without_their_series(rows, series):
    with pytest.raises(InputError, match="one label for each"):
        aggregate(rows, series)
