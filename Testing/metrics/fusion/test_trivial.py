import numpy as np
import pytest
from DiffuFuseMedLib.metrics.fusion import TRIVIAL


def test_the_rows_that_stand_in_every_table():
    rows = ["average", "maximum", "mri copy", "ct copy", "roi copy", "0.85/0.15 roi blend", "laplacian pyramid"]
    assert list(TRIVIAL) == rows


def test_one_pixel_in_bone_and_one_outside(a_head):
    ct, mri, rois = a_head
    bone, brain = (32, 9), (32, 40)
    assert (ct[bone], mri[bone], rois.bone[bone]) == (255, 20, True)
    wanted = {
        "average": (137.5, (90 + mri[brain]) / 2),
        "maximum": (255, max(90, mri[brain])),
        "mri copy": (20, mri[brain]),
        "ct copy": (255, 90),
        "roi copy": (255, mri[brain]),
        "0.85/0.15 roi blend": (255, 0.85 * mri[brain] + 13.5),
    }
    for name, values in wanted.items():
        fused = TRIVIAL[name](ct, mri, rois)
        assert (fused[bone], fused[brain]) == pytest.approx(values), name


@pytest.mark.parametrize("name", TRIVIAL)
def test_every_fusion_of_a_picture_with_itself_is_the_picture(a_head, name):
    _, mri, rois = a_head
    assert TRIVIAL[name](mri, mri, rois) == pytest.approx(mri, abs=1e-9)


@pytest.mark.parametrize("name", TRIVIAL)
def test_no_fusion_hands_out_its_input(a_head, name):
    ct, mri, rois = a_head
    before = ct.copy(), mri.copy()
    TRIVIAL[name](ct, mri, rois)[:] = 0
    assert np.array_equal(ct, before[0])
    assert np.array_equal(mri, before[1])


def test_the_pyramid_takes_detail_where_it_is_and_the_mean_where_there_is_none():
    rng = np.random.default_rng(5)
    ct, mri = np.full((2, 51, 70), 100.0)  # sizes that do not halve evenly
    ct[:, :20] += rng.uniform(-40, 40, (51, 20))
    mri[:, 50:] += rng.uniform(-40, 40, (51, 20))
    fused = TRIVIAL["laplacian pyramid"](ct, mri, None)
    fine = [x - (np.roll(x, 1, 1) + np.roll(x, -1, 1)) / 2 for x in (fused, ct, mri)]
    left, right = (slice(None), slice(3, 17)), (slice(None), slice(53, 67))
    assert np.corrcoef(fine[0][left].ravel(), fine[1][left].ravel())[0, 1] > 0.99
    assert np.corrcoef(fine[0][right].ravel(), fine[2][right].ravel())[0, 1] > 0.99
    flat = TRIVIAL["laplacian pyramid"](np.full((40, 40), 50.0), np.full((40, 40), 150.0), None)
    assert flat == pytest.approx(np.full((40, 40), 100.0))


def test_the_pyramid_stays_within_the_sources(textures):
    a, b, _ = textures
    fused = TRIVIAL["laplacian pyramid"](a, b, None)
    assert fused.min() >= min(a.min(), b.min())
    assert fused.max() <= max(a.max(), b.max())


def test_a_volume_is_fused_slice_by_slice(textures):
    a, b, c = textures
    fused = TRIVIAL["laplacian pyramid"](np.stack([a, b]), np.stack([c, a]), None)
    assert np.array_equal(fused[1], TRIVIAL["laplacian pyramid"](b, a, None))
