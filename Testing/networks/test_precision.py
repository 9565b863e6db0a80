"""bfloat16 stays away from tiny grids, and only from them: whether its gradients are garbage depends on the numbers."""

import pytest
import torch
from DiffuFuseMedLib.networks import JointDenoiser, PyramidEncoder
from DiffuFuseMedLib.networks.precision import computes_in_bfloat16, exact, exact_if_tiny, mixed_precision


@pytest.mark.parametrize(("edge", "kind"), [(2, torch.float32), (3, torch.bfloat16)])
def test_a_convolution_on_two_positions_is_done_in_float32(edge, kind):
    layer, x = torch.nn.Conv3d(4, 4, 3, padding=1), torch.randn(1, 4, 5, edge, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16), exact_if_tiny(x):
        assert layer(x).dtype == kind
    assert exact(x.bfloat16()).dtype == kind


@pytest.mark.parametrize(("has_it", "kind"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_computes_in_bfloat16_only_where_it_has_instructions_for_it(monkeypatch, has_it, kind):
    """Emulated, a 3D convolution takes ninety times as long as in float32."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    with mixed_precision("cpu"):
        assert torch.nn.Conv2d(1, 1, 3)(torch.zeros(1, 1, 8, 8)).dtype == kind


def test_a_gpu_is_asked_what_it_has_without_emulation(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **told: asked.append(told) or True)
    assert computes_in_bfloat16("cuda:1")
    assert asked == [{"including_emulation": False}]


def test_without_autocast_nothing_changes():
    layer, x = torch.nn.Conv3d(4, 4, 3, padding=1), torch.randn(1, 4, 5, 5, 5)
    with exact_if_tiny(x):
        assert layer(x).dtype == torch.float32


def kinds_of(network, modules, call):
    """The types in which these modules answer when it is called under autocast."""
    seen = {}
    for name, module in modules.items():
        module.register_forward_hook(lambda _module, _given, made, name=name: seen.update({name: made.dtype}))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        call(network)
    return seen


def test_the_denoiser_is_exact_in_its_small_half_only():
    network = JointDenoiser(3, ("CT",), 4, 0, (8, 8))
    noisy, share = {"CT": torch.randn(2, 4, 3, 4, 4)}, {"CT": torch.full((2,), 0.5)}
    modules = {"first": network.blocks[0].convs[0], "deep": network.blocks[1].convs[0], "last": network.leave}
    found = kinds_of(network, modules, lambda made: made(noisy, share, None))
    assert found == {"first": torch.bfloat16, "deep": torch.float32, "last": torch.bfloat16}


def test_the_encoder_is_exact_in_its_last_small_level_only():
    network = PyramidEncoder(3, 2, (8, 8), (1, 1))
    modules = {"fine": network.blocks[0][0].conv1, "coarse": network.blocks[1][0].conv1}
    found = kinds_of(network, modules, lambda made: made(torch.randn(1, 2, 8, 8, 8)))
    assert found == {"fine": torch.bfloat16, "coarse": torch.float32}
