"""FMI: windows worked out by hand, and the published procedure written out as its loops on real-looking pictures."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import fmi
from DiffuFuseMedLib.metrics.fusion.feature_information import _normalized_information


def at(*positions):
    """A distribution over the nine pixels of a window, equal at these positions."""
    p = np.zeros((1, 9))
    p[0, list(positions)] = 1 / len(positions)
    return p


def test_windows_that_differ_only_in_contrast_share_everything():
    assert _normalized_information(at(0, 1), at(0, 1)) == pytest.approx(1)


def test_windows_whose_features_lie_apart_share_little():
    # r = -(1/9) / (7/18) = -2/7; Frechet's lower bound has correlation -1, so the joint is 2/7 of the way to it: twice
    # 2/7 * 1/2 + 5/7 * 1/4 = 9/28 and twice 5/28. Its entropy is 1.940286 bits, the marginals' 2 bits.
    entropy = -2 * (9 / 28 * np.log2(9 / 28) + 5 / 28 * np.log2(5 / 28))
    assert _normalized_information(at(0, 1), at(2, 3)) == pytest.approx(2 - entropy)
    assert 2 - entropy == pytest.approx(0.059714, abs=1e-6)


def test_a_single_pixel_tells_nothing():
    assert _normalized_information(at(0), at(0, 4)) == 0


def test_a_copy_of_both_sources_is_one_and_a_blank_picture_nothing(textures):
    a, b, _ = textures
    assert fmi(a, a, a) == 1
    assert fmi(np.full_like(a, 7), a, b) == 0


def test_agrees_with_the_procedure_written_out(textures):
    f, a, b = (x[:9, :11] for x in textures)
    wanted = np.mean([(written_out(x, y) + written_out(x, z)) / 2 for x, y, z in zip(*map(windows, (f, a, b)))])  # noqa: B905
    assert fmi(f, a, b) == pytest.approx(wanted, abs=1e-12)


def windows(picture):
    feature = np.gradient(picture, axis=1)
    h, w = feature.shape
    return [feature[j : j + 3, i : i + 3].ravel(order="F") for j in range(h - 2) for i in range(w - 2)]


def written_out(f, a):
    p, q = ((x - x.min()) / (x - x.min()).sum() for x in (f, a))
    r = np.corrcoef(p, q)[0, 1]
    P, Q = np.cumsum(p), np.cumsum(q)

    def bound(i, j):
        if i < 0 or j < 0:
            return 0.0
        return min(P[i], Q[j]) if r >= 0 else max(P[i] + Q[j] - 1, 0)

    n = np.arange(9)
    sd = [np.sqrt((n**2 * x).sum() - (n * x).sum() ** 2) for x in (p, q)]
    extreme = sum(bound(i, j) - P[i] * Q[j] for i in n for j in n) / (sd[0] * sd[1])
    joint = []
    for i in n:
        for j in n:
            mass = bound(i, j) - bound(i - 1, j) - bound(i, j - 1) + bound(i - 1, j - 1)
            joint.append(r / extreme * mass + (1 - r / extreme) * p[i] * q[j])

    def entropy(values):
        return -sum(v * np.log2(abs(v)) for v in values if v)

    return 2 * (entropy(p) + entropy(q) - entropy(joint)) / (entropy(p) + entropy(q))


def test_refuses_a_picture_without_a_window():
    with pytest.raises(InputError, match="3 x 3 pixels or more"):
        fmi(*np.zeros((3, 2, 5)))
