from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import TRIVIAL, score_pair, score_volume


@pytest.fixture
def a_volume(a_head):
    """(CT, MRI, Rois) [k, j, i], gray 0..1: 15 times the head, which gets brighter from slice to slice."""
    ct, mri, rois = a_head
    gain = np.linspace(0.7, 1, 15)[:, None, None]
    deep = replace(rois, **{n: np.stack([getattr(rois, n)] * 15) for n in ("soft", "bone", "lesion", "inside")})
    return (gain * ct / 255), (gain * mri / 255), deep


def test_the_fused_volume_comes_first_and_every_row_has_the_same_columns(a_volume):
    ct, mri, rois = a_volume
    rows = score_volume(mri.astype(np.float32), ct, mri, rois)
    assert list(rows) == ["fused", *TRIVIAL]
    assert all(list(row) == list(rows["fused"]) for row in rows.values())
    assert rows["fused"]["soft_ssim_mri"] == pytest.approx(1)
    assert rows["ct copy"]["bone_psnr_ct"] == pytest.approx(60)
    assert np.isnan(rows["mri copy"]["SCD"])


def test_a_number_is_the_mean_over_slices_that_hold_a_region(a_volume):
    ct, mri, rois = a_volume
    there = np.zeros((15, 1, 1), bool)
    there[4:7] = True
    rois = replace(rois, soft=rois.soft & there, bone=rois.bone & there)
    row = score_volume((ct + mri) / 2, ct, mri, rois)["fused"]
    pictures = [[255 * x[k] for x in ((ct + mri) / 2, ct, mri)] for k in (4, 5, 6)]
    flat = replace(rois, **{n: getattr(rois, n)[5] for n in ("soft", "bone", "lesion", "inside")})
    wanted = [score_pair(*p, flat) for p in pictures]
    for column in ("soft_ssim_mri", "soft_fsim_mri", "bone_psnr_ct", "seam", "Qabf", "SCD"):
        assert row[column] == pytest.approx(np.mean([w[column] for w in wanted])), column


def test_flicker_is_over_the_whole_volume_in_gray_values(a_volume):
    ct, mri, rois = a_volume
    fused = (ct + mri) / 2
    fused[::2] += 10 / 255
    steady, jumping = (score_volume(f, ct, mri, rois)["fused"] for f in ((ct + mri) / 2, np.clip(fused, 0, 1)))
    assert steady["flicker_axial"] == pytest.approx(0, abs=1e-9)
    assert 5 < jumping["flicker_axial"] < 10
    assert jumping["flicker_coronal"] == pytest.approx(0, abs=1e-9)


def test_the_roi_rows_are_made_with_the_models_masks_where_these_are_given(a_volume):
    ct, mri, rois = a_volume
    oracle = score_volume(mri, ct, mri, rois)["roi copy"]
    smaller = replace(rois, bone=rois.bone & (ct > 10), soft=rois.soft)
    honest = score_volume(mri, ct, mri, rois, model_rois=smaller)["roi copy"]
    assert oracle["bone_psnr_ct"] == pytest.approx(60)
    assert honest["bone_psnr_ct"] < 5


def test_a_volume_without_any_region_has_only_flicker(a_volume):
    ct, mri, rois = a_volume
    nothing = np.zeros_like(rois.soft)
    row = score_volume(mri, ct, mri, replace(rois, soft=nothing, bone=nothing, lesion=nothing))["fused"]
    assert set(row) == {"flicker_axial", "flicker_coronal", "flicker_sagittal"}


def test_refuses_volumes_on_two_grids(a_volume):
    ct, mri, rois = a_volume
    with pytest.raises(InputError, match="one shape"):
        score_volume(mri[1:], ct, mri, rois)
