"""The inpainter: blind in the hole, exact outside it, at home with any modality."""

from dataclasses import asdict

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import InpainterConfig
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_recipe import STS


@pytest.fixture
def window():
    """Images of three modalities and a hole."""
    torch.manual_seed(1)
    images = {m: torch.cat([torch.randn(2, 1, 32, 40), torch.ones(2, 1, 32, 40)], 1) for m in ("CT", "PET", "MR_T1")}
    hole = torch.zeros(2, 1, 32, 40)
    hole[..., 10:20, 12:30] = 1
    return images, hole


def test_what_is_known_stays_and_what_is_not_is_filled(inpainter, window):
    images, hole = window
    made = inpainter.eval().inpaint(images, hole)
    assert set(made) == set(images)
    for m, x in made.items():
        assert x.shape == (2, 1, 32, 40)
        assert torch.equal(x[hole == 0], images[m][:, :1][hole == 0])
        assert (x != images[m][:, :1])[hole > 0].all()


def test_nothing_of_the_hole_is_seen(inpainter, window):
    images, hole = window
    other = {m: torch.where(hole > 0, 9.0, x) for m, x in images.items()}
    first, second = (inpainter.eval().fill(x, hole) for x in (images, other))
    assert torch.equal(first, second)


def test_the_hole_itself_is_told(inpainter, window):
    images, hole = window
    empty = {m: x * (1 - hole) for m, x in images.items()}
    assert not torch.equal(inpainter.eval().fill(empty, hole), inpainter.eval().fill(empty, torch.zeros_like(hole)))


def test_a_modality_helps_another_and_an_absent_one_is_not_made_up(inpainter, window):
    images, hole = window
    whole, ct = (inpainter.eval().inpaint(x, hole) for x in (images, {"CT": images["CT"]}))
    assert set(ct) == {"CT"} and not torch.equal(whole["CT"], ct["CT"])


def test_the_channels_are_those_of_the_modalities_in_their_order(inpainter, window):
    images, hole = window
    filled = inpainter.eval().fill(images, hole)
    made = inpainter.inpaint(dict(reversed(images.items())), hole)
    for index, m in enumerate(("CT", "PET", "MR_T1")):
        assert torch.equal(made[m][:, 0][hole[:, 0] > 0], filled[:, index][hole[:, 0] > 0])


def test_settings_come_back_from_json_and_strange_ones_are_refused():
    config = InpainterConfig(channels=(4, 8), blocks=2)
    assert InpainterConfig.from_dict({**asdict(config), "channels": [4, 8]}) == config
    with pytest.raises(InputError):
        InpainterConfig.from_dict({"global_share": 1.5})


def test_the_recipes_weights_fit_their_share_of_the_limit():
    from DiffuFuseMedLib.systems import build

    network = build(STS.system, STS.config)
    assert 2 * sum(p.numel() for p in network.parameters()) < 2.5e6
    assert "STS_010" in STS.data.held_out and 0 not in STS.data.folds
    assert network.stride == (4, 4) and all(STS.config.window_px % s == 0 for s in network.stride)
    assert network.memory_bytes(96 * 96, 3) > 2 * 4 * 96 * 96 * STS.config.channels[0]
