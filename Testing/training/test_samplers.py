"""Samplers: windows of cases, and a share of synthetic ones among them."""

import pytest
import torch
from DiffuFuseMedLib.training.samplers import mixed, windows_of


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw_number(generator):
    return ("real", float(torch.rand((), generator=generator)))


def draw_synthetic(generator):
    return ("synthetic", float(torch.rand((), generator=generator)))


@pytest.mark.parametrize("share", [0.25, 0.7, 1.0])
def test_a_share_of_the_batches_is_synthetic(share):
    sampler, generator = mixed(draw_number, draw_synthetic, share), seeded(0)
    kinds = [sampler(generator)[0] for _ in range(600)]
    assert kinds.count("synthetic") / 600 == pytest.approx(share, abs=0.05)


def test_without_synthetic_cases_the_real_ones_are_drawn_as_ever():
    plain, generator = mixed(draw_number, draw_synthetic, 0.0), seeded(0)
    assert [plain(generator) for _ in range(3)] == [draw_number(g) for g in [seeded(0)] for _ in range(3)]


def test_windows_are_drawn_by_the_generator_alone(a_scan, plain):
    sampler = windows_of([a_scan], 2, plain(shape=(8, 8, 8)))
    first, again, other = (sampler(seeded(s)) for s in (0, 0, 1))
    assert torch.equal(first.target, again.target)
    assert not torch.equal(first.target, other.target)


def test_synthetic_cases_train_beside_real_ones(a_stage, go, a_scan, plain):
    settings = plain(shape=(8, 8, 8))
    real, synthetic = (windows_of([case], 1, settings) for case in (a_scan, a_scan))
    drawn = []

    def counted(generator):
        drawn.append("synthetic")
        return synthetic(generator)

    stage = a_stage(steps=12)
    object.__setattr__(stage, "sampler", mixed(real, counted, 0.5))
    assert go(stage).steps == 12
    assert 0 < len(drawn) < 12
