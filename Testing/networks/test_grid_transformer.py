"""Tokens are positions: there and back, coded wherever the grid ends."""

import pytest
import torch
from DiffuFuseMedLib.networks.grid_transformer import AttentionBlock, Positions, as_map, as_tokens

torch.set_num_threads(1)


@pytest.mark.parametrize("space", [(2, 3), (2, 3, 4)], ids=str)
def test_a_map_is_what_its_tokens_are_put_back_to(space):
    x = torch.randn(2, 5, *space)
    tokens = as_tokens(x)
    assert torch.equal(tokens[1, 1], x[(1, slice(None), *[0] * (len(space) - 1), 1)])  # the last axis is the fastest
    assert torch.equal(as_map(tokens, space), x)


def test_each_position_of_the_grid_has_its_own_code_and_between_them_it_is_interpolated():
    positions = Positions((1, 2), 1)
    positions.learned.data = torch.tensor([[[[0.0, 4.0]]]])
    assert positions((1, 2)).flatten().tolist() == [0, 4]
    assert positions((1, 4)).flatten().tolist() == [0, 1, 3, 4]


def test_attention_hears_every_other_token_and_none_of_another_sample():
    torch.manual_seed(0)
    block, x = AttentionBlock(8, 2, 16), torch.randn(2, 5, 8)
    other = x.clone()
    other[0, 4] += torch.randn(8)
    changed = (block(x) - block(other)).abs().amax(dim=2) > 1e-6
    assert changed[0].all()
    assert not changed[1].any()
