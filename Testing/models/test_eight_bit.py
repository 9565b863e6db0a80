"""Weights of eight bits: half the size, each output channel true to a 254th of its largest weight."""

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models.eight_bit import SCALE, from_eight_bits, in_eight_bits


@pytest.fixture
def state():
    noise = torch.Generator().manual_seed(0)
    kernel = torch.randn(6, 3, 2, 2, 2, generator=noise) * torch.logspace(-4, 1, 6).reshape(-1, 1, 1, 1, 1)
    return {"kernel": kernel.half(), "bias": torch.randn(6, generator=noise).half(), "count": torch.tensor([[3]])}


def test_each_channel_is_true_to_half_a_step_of_its_own(state):
    back = from_eight_bits(in_eight_bits(state))
    largest = state["kernel"].float().abs().flatten(1).amax(1)
    error = (back["kernel"].float() - state["kernel"].float()).abs().flatten(1).amax(1)
    assert (error <= largest / 254 * 1.01 + largest / 2048).all()


def test_biases_and_whole_numbers_are_as_they_were(state):
    back = from_eight_bits(in_eight_bits(state))
    assert list(back) == list(state)
    assert torch.equal(back["bias"], state["bias"]) and torch.equal(back["count"], state["count"])


def test_kernels_take_a_byte_a_weight(state):
    packed = in_eight_bits(state)
    assert packed["kernel"].dtype == torch.int8 and packed["kernel" + SCALE].shape == (6, 1, 1, 1, 1)
    assert packed["kernel"].max() == 127 or packed["kernel"].min() == -127


def test_what_is_in_eight_bits_stays_as_it_is(state):
    once = in_eight_bits(state)
    twice = in_eight_bits(once)
    assert list(twice) == list(once) and all(torch.equal(twice[name], value) for name, value in once.items())


def test_a_channel_of_zeros_stays_zero():
    back = from_eight_bits(in_eight_bits({"kernel": torch.zeros(2, 4)}))
    assert torch.equal(back["kernel"], torch.zeros(2, 4).half())


def test_a_state_of_float16_is_taken_as_it_is(state):
    assert from_eight_bits(state) == state


@pytest.mark.parametrize("spoil", ["no weights", "another shape", "float weights", "no scale"])
def test_a_scale_that_does_not_fit_is_refused(state, spoil):
    packed = in_eight_bits(state)
    if spoil == "no weights":
        del packed["kernel"]
    elif spoil == "another shape":
        packed["kernel" + SCALE] = packed["kernel" + SCALE].flatten()
    elif spoil == "no scale":
        del packed["kernel" + SCALE]
    else:
        packed["kernel"] = packed["kernel"].half()
    with pytest.raises(InputError, match=r"scale does not fit \(kernel\)"):
        from_eight_bits(packed)
