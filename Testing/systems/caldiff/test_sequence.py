"""Seq-UC: how far an error reaches, eq. (15)-(17), worked out by hand and by running a chain; and L_SA, eq. (18)."""

import pytest
import torch
from DiffuFuseMedLib.diffusion import linear_alphas_cumprod, posterior_mean
from DiffuFuseMedLib.systems.caldiff.sequence import reach, sequence_loss, weights_of

ABAR = torch.tensor([1.0, 0.9, 0.72, 0.504])  # of betas 0.1, 0.2, 0.3


def test_reach_worked_out_by_hand():
    """tau_2 = 1 * sqrt(.9) .2 / .28 * sqrt(.28 / .72); tau_3 = sqrt(.72) .1 / (sqrt(.9) .28) * sqrt(.72) .3 / .496 *
    sqrt(.496 / .504)."""
    assert reach(ABAR).tolist() == pytest.approx([0, 0, 0.422577, 0.162633], abs=1e-5)


@pytest.mark.parametrize("at", [2, 3, 7, 10])
def test_reach_is_what_an_error_of_the_noise_does_to_the_last_latent(at):
    """A chain whose denoiser is right but for one step, where its noise is 0.1 too large: x_1 is tau / 10 off."""
    abar, tau = linear_alphas_cumprod(10, 0.02).double(), None
    tau = reach(abar)
    clean, x = torch.ones(1).double(), torch.zeros(1).double()
    wrong = x.clone()
    for t in range(10, 1, -1):
        off = 0.1 if t == at else 0.0
        seen = clean - (1 - abar[t]).sqrt() / abar[t].sqrt() * off
        wrong = posterior_mean(seen, wrong, abar[t], abar[t - 1])
        x = posterior_mean(clean, x, abar[t], abar[t - 1])
    assert (x - wrong).item() == pytest.approx(0.1 * float(tau[at]), rel=1e-6)


def test_later_steps_of_the_drawing_reach_further():
    """Close to the mask an error counts; far in the noise it is mended by the steps that follow."""
    tau = reach(linear_alphas_cumprod(1000, 0.0199 / 999))
    assert (tau[2:-1] > tau[3:]).all()


def test_the_printed_weights_are_so_small_that_they_would_be_no_loss():
    tau = reach(linear_alphas_cumprod(1000, 0.0199 / 999))
    assert float(tau.max()) < 0.01
    assert float(tau[100]) ** 2 < 1e-8


def test_steps_outside_of_the_chain_do_not_count():
    tau = reach(ABAR)
    weights = weights_of(tau, [torch.tensor([3, 2, 1]), torch.tensor([2, 1, 0])], relative=True)
    assert weights[1].tolist()[1:] == [0, 0]
    assert weights[0].tolist()[1:] == [1, 0]


def test_relative_weights_have_a_mean_of_one_and_the_printed_ratio():
    weights = weights_of(reach(ABAR), [torch.tensor([3]), torch.tensor([2])], relative=True)
    assert sum(w.item() for w in weights) / 2 == pytest.approx(1)
    assert (weights[0] / weights[1]).item() == pytest.approx(0.162633 / 0.422577, rel=1e-4)


def test_printed_weights_are_the_reach_itself():
    weights = weights_of(reach(ABAR), [torch.tensor([3]), torch.tensor([2])], relative=False)
    assert [w.item() for w in weights] == pytest.approx([0.162633, 0.422577], rel=1e-4)


def test_the_loss_worked_out_by_hand():
    """Errors of 1 and 3 that weigh 2 and 0.5: (2 + 1.5) / 2 squared."""
    errors = [torch.full((1, 1, 2, 2), 1.0), torch.full((1, 1, 2, 2), 3.0)]
    loss = sequence_loss(errors, [torch.tensor([2.0]), torch.tensor([0.5])])
    assert loss.item() == pytest.approx(1.75**2)


def test_errors_that_cancel_do_no_harm():
    errors = [torch.ones(1, 1, 2, 2), -torch.ones(1, 1, 2, 2)]
    assert sequence_loss(errors, [torch.ones(1), torch.ones(1)]).item() == 0


def test_each_sample_has_its_own_weights():
    errors = [torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)]
    assert sequence_loss(errors, [torch.tensor([3.0, 1.0])]).item() == pytest.approx((9 + 4) / 2)
