"""Eq. (24)-(26) by hand, and the decision on the sign of the entropy."""

from math import log

import pytest
import torch
from DiffuFuseMedLib.losses import alignment, barycenter, noise_prediction, reliability, share_of_best_scalar

EVEN = {"CT": torch.tensor([0.5]), "PET": torch.tensor([0.5])}
UNEVEN = {"CT": torch.tensor([0.25]), "PET": torch.tensor([0.75])}
COLLAPSED = {"CT": torch.tensor([1.0]), "PET": torch.tensor([0.0])}


@pytest.fixture(params=[(2, 2), (2, 2, 2)], ids=["2D", "3D"])
def tokens(request):
    """One sample, three channels: CT is 1 everywhere, PET is 3."""
    return {"CT": torch.full((1, 3, *request.param), 1.0), "PET": torch.full((1, 3, *request.param), 3.0)}


def test_noise_prediction_is_the_mean_square_over_modalities(tokens):
    targets = {"CT": torch.zeros_like(tokens["CT"]), "PET": torch.ones_like(tokens["PET"])}
    assert noise_prediction(tokens, targets).item() == (1 + 4) / 2


def test_the_barycenter_weighs_each_sample_by_its_own_gates():
    tokens = {"CT": torch.ones(2, 1, 2, 2), "PET": torch.full((2, 1, 2, 2), 3.0)}
    weights = {"CT": torch.tensor([0.5, 1.0]), "PET": torch.tensor([0.5, 0.0])}
    assert barycenter(tokens, weights)[:, 0, 0, 0].tolist() == [2.0, 1.0]


@pytest.mark.parametrize(("weights", "expected"), [(EVEN, 1.0), (UNEVEN, (2.25 + 0.25) / 2), (COLLAPSED, (0 + 4) / 2)])
def test_alignment_is_the_mean_square_distance_to_the_barycenter(tokens, weights, expected):
    assert alignment(tokens, weights).item() == pytest.approx(expected)


def test_alignment_of_one_modality_with_itself_is_nothing(tokens):
    assert alignment({"CT": tokens["CT"]}, {"CT": torch.ones(1)}).item() == 0


def test_reliability_is_the_surprise_at_each_label_less_tau_times_the_entropy():
    logits = {"CT": torch.tensor([log(3.0)]), "PET": torch.tensor([0.0])}  # rho 3/4 and 1/2
    clean = {"CT": torch.tensor([1.0]), "PET": torch.tensor([0.0])}
    found = reliability(logits, clean, EVEN, entropy_weight=0.1).item()
    assert found == pytest.approx(-log(0.75) + log(2) - 0.1 * log(2))


def test_reliability_calls_a_corrupted_modality_that_is_trusted_wrong():
    logits = {"CT": torch.tensor([log(3.0)])}
    labels = [{"CT": torch.tensor([q])} for q in (0.0, 1.0)]
    corrupted, clean = (reliability(logits, label, {"CT": torch.ones(1)}, 0.0).item() for label in labels)
    assert (corrupted, clean) == pytest.approx((log(4), log(4 / 3)))


def test_collapsed_gates_cost_more_than_even_ones():
    """The paper's + tau H(w) would reward them, against its own words "to prevent collapse"."""
    logits, clean = {"CT": torch.zeros(1), "PET": torch.zeros(1)}, {"CT": torch.ones(1), "PET": torch.ones(1)}
    even, collapsed = (reliability(logits, clean, w, 0.1).item() for w in (EVEN, COLLAPSED))
    assert collapsed - even == pytest.approx(0.1 * log(2))


def test_the_entropy_is_a_mean_over_the_samples():
    logits, clean = ({m: torch.full((2,), x) for m in EVEN} for x in (0.0, 1.0))
    weights = {"CT": torch.tensor([0.5, 1.0]), "PET": torch.tensor([0.5, 0.0])}
    assert reliability(logits, clean, weights, 1.0).item() == pytest.approx(2 * log(2) - log(2) / 2)


def test_a_denoiser_that_only_scales_is_worth_the_best_scalar():
    torch.manual_seed(0)
    clean = {"CT": torch.randn(1, 4, 16, 16)}
    noisy = {"CT": clean["CT"] + torch.randn(1, 4, 16, 16)}
    assert share_of_best_scalar({"CT": 0.5 * noisy["CT"]}, noisy, clean) == pytest.approx(1, abs=0.02)
    assert share_of_best_scalar(clean, noisy, clean) == 0
    assert share_of_best_scalar(noisy, noisy, clean) > 1.5
