import numpy as np
import pytest
from DiffuFuseMedLib.metrics.fusion import vif
from scipy.signal import convolve2d


def test_a_copy_of_both_sources_keeps_all(textures):
    assert vif(textures[0], textures[0], textures[0]) == pytest.approx(2, abs=1e-6)


def test_more_contrast_than_the_source_counts_as_more_than_all(textures):
    a = 128 + (textures[0] - 128) / 2
    assert vif(textures[0], a, a) > 2.02


def test_a_blank_picture_keeps_nothing(textures):
    assert vif(np.full((64, 64), 9.0), textures[0], textures[1]) == pytest.approx(0, abs=1e-9)


def test_a_constant_source_counts_one(textures):
    a = textures[0]
    assert vif(a, a, np.zeros_like(a)) == pytest.approx(2, abs=1e-6)


def test_an_inverted_source_is_not_kept(textures):
    assert vif(255 - textures[0], textures[0], textures[0]) == pytest.approx(0, abs=1e-9)


def test_agrees_with_the_sum_over_scales_written_out(textures):
    f, a, b = textures
    assert vif(f, a, b) == pytest.approx(written_out(a, f) + written_out(b, f), rel=1e-6)


def written_out(x, y):
    kept = there = 0
    for size in (17, 9, 5, 3):
        n = np.arange(size) - size // 2
        window = np.exp(-(n[:, None] ** 2 + n**2) / (2 * (size / 5) ** 2))
        window /= window.sum()
        if size < 17:
            x, y = (convolve2d(p, window, "valid")[::2, ::2] for p in (x, y))
        mx, my, xx, yy, xy = (convolve2d(p, window, "valid") for p in (x, y, x * x, y * y, x * y))
        vx, vy, cov = xx - mx * mx, yy - my * my, xy - mx * my
        gain = np.maximum(cov, 0) / vx
        kept += np.log(1 + gain**2 * vx / (vy - gain * cov + 2)).sum()
        there += np.log(1 + vx / 2).sum()
    return kept / there


def test_below_41_pixels_the_coarsest_window_does_not_fit(textures):
    assert np.isnan(vif(*(x[:40] for x in textures)))
    assert np.isfinite(vif(*(x[:41] for x in textures)))
