import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import border_contrast, ct_in_soft, flicker, seam, seam_excess, tracer_in_soft


@pytest.fixture
def a_slab():
    """(CT, MRI, bone) of 12 x 24: the bone is columns 12 to 17, white in the CT; the MRI is a flat 80."""
    bone = np.zeros((12, 24), bool)
    bone[:, 12:18] = True
    return np.where(bone, 255.0, 80.0), np.full((12, 24), 80.0), bone


def test_a_source_has_the_whole_edge_of_the_bone_and_half_of_it_has_half(a_slab):
    ct, mri, bone = a_slab
    assert seam(ct, mri, ct, bone) == pytest.approx(1)
    assert seam((ct + mri) / 2, mri, ct, bone) == pytest.approx(0.5)
    assert seam(mri, mri, ct, bone) == 0


def test_the_seam_is_the_gradient_outside_the_bone_over_the_strongest(a_slab):
    ct, mri, bone = a_slab
    mri = mri + 3 * np.arange(24)  # a slope of 3, against 87.5 where the CT steps by 175
    assert seam(mri, mri, ct, bone) == pytest.approx(3 / 87.5)


def test_a_fusion_that_darkens_around_the_bone_has_more_edge_than_any_source(a_slab):
    ct, mri, bone = a_slab
    cut = np.where(bone, ct, 0.0)
    assert seam(cut, mri, ct, bone) == pytest.approx(255 / 175)
    assert seam_excess(cut, mri, ct, bone) == pytest.approx(80 / 175)


def test_no_blend_of_the_sources_has_an_edge_of_its_own(a_head):
    ct, mri, rois = a_head
    for weight in (0, 0.3, 0.5, 1):
        assert seam_excess(weight * ct + (1 - weight) * mri, mri, ct, rois.bone) == pytest.approx(0, abs=1e-12)


def test_an_edge_that_is_missing_does_not_make_up_for_one_that_is_added(a_slab):
    ct, mri, bone = a_slab
    odd = np.where(np.arange(24) < 15, np.where(bone, 255.0, 0.0), 255.0)  # too strong on the left, none on the right
    assert seam(odd, mri, ct, bone) == pytest.approx(255 / 175 / 2)
    assert seam_excess(odd, mri, ct, bone) == pytest.approx(80 / 175 / 2)


def test_an_added_edge_just_inside_the_bone_counts_too(a_slab):
    ct, mri, bone = a_slab
    thin = np.where(bone & np.roll(bone, 1, 1) & np.roll(bone, -1, 1), 255.0, np.where(bone, 80.0, 0.0))
    # Outside (80 - 0) / 2, less than the CT's 87.5; on the bone's first column (255 - 0) / 2, 40 more than the CT's.
    assert seam_excess(thin, mri, ct, bone) == pytest.approx(40 / (87.5 + 87.5))


def test_without_bone_there_is_no_seam(a_slab):
    ct, mri, bone = a_slab
    assert np.isnan(seam(ct, mri, ct, ~bone & bone))
    assert np.isnan(seam_excess(ct, mri, ct, ~bone & bone))


def test_the_bleeding_is_in_any_blend_and_not_in_a_copy_of_the_mri(a_head):
    ct, mri, rois = a_head
    assert ct_in_soft(0.9 * mri + 0.1 * ct, ct, mri, rois.soft) == pytest.approx(1)
    assert ct_in_soft(mri, ct, mri, rois.soft) == 0
    assert ct_in_soft(120 - mri / 3, ct, mri, rois.soft) == 0  # still nothing but the MRI
    assert ct_in_soft(0.9 * mri - 0.1 * ct + 25, ct, mri, rois.soft) == pytest.approx(-1)


def test_partial_correlation_follows_the_formula_of_the_three_correlations(textures):
    f, ct, mri = textures
    soft = np.arange(64)[:, None] + np.arange(64) > 50
    r = np.corrcoef([x[soft] for x in (f, ct, mri)])
    wanted = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert ct_in_soft(f, ct, mri, soft) == pytest.approx(wanted)


def test_a_ct_that_says_nothing_of_its_own_cannot_be_kept(a_head):
    _, mri, rois = a_head
    assert np.isnan(ct_in_soft(mri, np.full_like(mri, 7), mri, rois.soft))
    assert np.isnan(ct_in_soft(mri, mri / 2, mri, rois.soft))
    assert np.isnan(ct_in_soft(mri, mri, mri, ~rois.inside & rois.soft))


def test_a_flat_mri_leaves_the_plain_correlation(textures):
    f, ct, _ = textures
    everywhere = np.ones(f.shape, bool)
    assert ct_in_soft(f, ct, np.zeros_like(f), everywhere) == pytest.approx(np.corrcoef(f.ravel(), ct.ravel())[0, 1])


def test_the_tracer_is_compared_inside_the_region_alone(textures):
    f, tracer, _ = textures
    soft = np.zeros(f.shape, bool)
    soft[10:40, 10:40] = True
    assert tracer_in_soft(f, tracer, soft) == pytest.approx(np.corrcoef(f[soft], tracer[soft])[0, 1])
    assert tracer_in_soft(tracer, tracer, soft) == pytest.approx(1)
    assert np.isnan(tracer_in_soft(f, tracer, ~soft & soft))


def test_the_border_of_a_lesion_is_its_step_over_the_noise():
    lesion = np.zeros((20, 20), bool)
    lesion[6:14, 6:14] = True
    assert border_contrast(np.where(lesion, 150.0, 120.0), lesion) == pytest.approx(30)
    assert border_contrast(np.full((20, 20), 99.0), lesion) == 0
    checks = 3.0 * (-1) ** np.indices((20, 20)).sum(0)  # as much up as down in every row
    noisy = np.where(lesion, 150.0, 120.0) + checks
    assert border_contrast(noisy, lesion) == pytest.approx(30 / np.sqrt(9 + 1))


def test_far_inside_and_far_outside_do_not_change_the_border():
    lesion = np.zeros((20, 20), bool)
    lesion[6:14, 6:14] = True
    picture = np.where(lesion, 150.0, 120.0)
    picture[8:12, 8:12] = 0  # 2 px inside
    picture[:4] = 255  # 2 px outside
    assert border_contrast(picture, lesion) == pytest.approx(30)


def test_no_lesion_has_no_border():
    for mask in (np.zeros((9, 9), bool), np.ones((9, 9), bool)):
        assert np.isnan(border_contrast(np.zeros((9, 9)), mask))


def test_flicker_is_what_the_fused_volume_jumps_beyond_its_sources():
    # Between the two slices F jumps by 30, the sources by 10 and by 4 (downward): 20 too much. In plane nothing jumps.
    fused = np.stack([np.full((3, 4), v) for v in (50.0, 80.0)])
    a = np.stack([np.full((3, 4), v) for v in (50.0, 60.0)])
    b = np.stack([np.full((3, 4), v) for v in (20.0, 16.0)])
    assert flicker(fused, (a, b), np.ones(fused.shape, bool)) == {"axial": 20, "coronal": 0, "sagittal": 0}


def test_flicker_has_one_number_for_each_axis():
    k, j, i = np.indices((4, 5, 6))
    still = np.zeros((4, 5, 6))
    inside = np.ones((4, 5, 6), bool)
    assert flicker(2.0 * k + 3 * j + 5 * i, (still,), inside) == {"axial": 2, "coronal": 3, "sagittal": 5}
    one_jump = 10.0 * (i > 2)  # one of five steps along i
    assert flicker(one_jump, (still,), inside) == {"axial": 0, "coronal": 0, "sagittal": 2}


def test_flicker_looks_only_inside_the_body():
    fused = np.zeros((4, 5, 6))
    fused[2:] = 100
    inside = np.ones(fused.shape, bool)
    inside[2] = False
    assert flicker(fused, (np.zeros_like(fused),), inside)["axial"] == 0
    assert np.isnan(flicker(fused, (np.zeros_like(fused),), ~inside & inside)["axial"])


def test_a_fixed_blend_of_the_sources_does_not_flicker():
    a, b = np.random.default_rng(1).uniform(0, 255, (2, 6, 7, 8))
    assert flicker(0.3 * a + 0.7 * b, (a, b), np.ones(a.shape, bool)) == pytest.approx(
        dict.fromkeys(("axial", "coronal", "sagittal"), 0), abs=1e-12
    )
    assert flicker(np.abs(a - b), (a, b), np.ones(a.shape, bool))["axial"] > 1


def test_flicker_refuses_volumes_that_do_not_fit():
    with pytest.raises(InputError, match="volumes of one shape"):
        flicker(np.zeros((2, 3, 4)), (np.zeros((2, 3, 5)),), np.ones((2, 3, 4), bool))
    with pytest.raises(InputError, match="0 sources"):
        flicker(np.zeros((2, 3, 4)), (), np.ones((2, 3, 4), bool))
