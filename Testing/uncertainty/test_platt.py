"""Platt scaling."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty.platt import apply, fit, to_logit
from scipy.special import expit


@pytest.fixture
def patients():
    """A function (sizes): probabilities that are 2.5 times too sure and biased by 0.8, with their labels."""

    def make(*sizes, scale=0.4, offset=-0.8):
        rng = np.random.default_rng(3)
        logits = [rng.normal(0, 4, n) for n in sizes]
        labels = [rng.uniform(size=len(z)) < expit(scale * z + offset) for z in logits]
        return [expit(z)[None] for z in logits], labels

    return make


def test_scale_1_and_offset_0_change_nothing():
    p = np.array([0.001, 0.3, 0.5, 0.999])
    np.testing.assert_allclose(apply(p, 1.0, 0.0), p, rtol=1e-6)


def test_apply_scales_and_shifts_the_logit():
    # logit(0.8) = ln 4; 0.5 ln 4 = ln 2 -> 2/3; one more ln 2 -> 4/5
    assert apply(np.array([0.8]), 0.5, 0.0).item() == pytest.approx(2 / 3)
    assert apply(np.array([0.8]), 0.5, np.log(2)).item() == pytest.approx(4 / 5)


def test_certain_probabilities_stay_finite():
    assert np.isfinite(to_logit(np.array([0.0, 1.0]))).all()


def test_fit_recovers_the_scale_and_offset_behind_the_labels(patients):
    assert fit(*patients(20_000, 20_000)) == pytest.approx((0.4, -0.8), abs=0.05)


def test_fit_leaves_honest_probabilities_as_they_are(patients):
    assert fit(*patients(30_000, scale=1.0, offset=0.0)) == pytest.approx((1.0, 0.0), abs=0.05)


def test_every_patient_weighs_the_same_however_large(patients):
    (one, other), (labels, _) = patients(2_000, 2_000)
    contrary = to_logit(other[0]) < 1
    ten_times = fit([one, np.tile(other, 10)], [labels, np.tile(contrary, 10)])
    assert ten_times == pytest.approx(fit([one, other], [labels, contrary]), abs=1e-6)
    assert ten_times != pytest.approx(fit([one], [labels]), abs=0.1)
