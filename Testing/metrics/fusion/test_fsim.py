from importlib import import_module

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import fsim, fsim_map, phase_congruency, roi_fsim

fsim_module = import_module("DiffuFuseMedLib.metrics.fusion.fsim")  # in the package that name is the function


@pytest.fixture
def an_edge():
    """64 x 96, dark left and bright right of column 40."""
    picture = np.full((64, 96), 40.0)
    picture[:, 40:] = 200
    return picture


@pytest.fixture
def noise():
    """64 x 96, a standard deviation of 1: without any, the filters' tails agree in phase far from the edge too."""
    return np.random.default_rng(0).normal(0, 1, (64, 96))


def test_phase_agrees_at_an_edge_and_not_beside_it(an_edge, noise):
    congruency = phase_congruency(an_edge + noise)
    assert congruency[:, 39:41].min() > 0.6
    assert congruency[:, 24:34].mean() < 0.2
    assert congruency[:, 46:56].mean() < 0.2
    assert congruency.min() >= 0
    assert congruency.max() <= 1


def test_phase_congruency_does_not_depend_on_contrast(an_edge):
    faint = 100 + (an_edge - 100) / 8
    assert phase_congruency(faint)[32, 39:41] == pytest.approx(phase_congruency(an_edge)[32, 39:41], abs=0.01)


def test_phase_congruency_turns_with_the_picture(textures):
    square = textures[0]
    # The grid of frequencies of an even size reaches one further to the negative side, hence not to the last digit.
    assert phase_congruency(np.rot90(square)) == pytest.approx(np.rot90(phase_congruency(square)), abs=0.02)


def test_noise_alone_has_nearly_no_features():
    noise = np.random.default_rng(0).normal(128, 20, (96, 96)).clip(0, 255)
    assert phase_congruency(noise).mean() < 0.2


def test_fsim_is_the_mean_of_its_map_weighed_by_its_features(textures):
    f, a, _ = textures
    similarity, weight = fsim_map(f, a)
    assert fsim(f, a) == pytest.approx(np.average(similarity, weights=weight))
    assert weight == pytest.approx(np.maximum(phase_congruency(f), phase_congruency(a)))
    assert fsim(a, a) == pytest.approx(1)
    assert fsim(f, a) < 0.95


def test_gradients_compare_as_in_equation_five(an_edge):
    # Half the contrast: same phases; Scharr's step of 160 gives a gradient of 160 at the edge, half of it 80.
    similarity, _ = fsim_map(100 + (an_edge - 100) / 2, an_edge)
    wanted = (2 * 160 * 80 + 160) / (160**2 + 80**2 + 160)
    assert similarity[32, 39:41] == pytest.approx(wanted, abs=0.01)


def test_inside_a_region_only_its_pixels_count(textures):
    f, a, _ = textures
    mask = np.zeros((64, 64), bool)
    mask[5:20, 30:50] = True
    similarity, weight = fsim_map(f, a)
    assert roi_fsim(f, a, mask) == pytest.approx(np.average(similarity[mask], weights=weight[mask]))
    assert np.isnan(roi_fsim(f, a, ~np.ones((64, 64), bool)))


def test_two_blank_pictures_have_no_features_to_compare():
    assert np.isnan(fsim(np.zeros((32, 32)), np.zeros((32, 32))))


def test_large_pictures_are_averaged_in_blocks_first(textures):
    f, a = (np.tile(x, (6, 8)) for x in textures[:2])  # 384 x 512: the shorter side gives blocks of 2 x 2
    halves = [x.reshape(192, 2, 256, 2).mean((1, 3)) for x in (f, a)]
    similarity, weight = fsim_map(f, a)
    small, small_weight = fsim_map(*halves)
    assert similarity == pytest.approx(small.repeat(2, 0).repeat(2, 1))
    assert fsim(f, a) == pytest.approx(np.average(small, weights=small_weight))
    assert weight.shape == f.shape


def test_pictures_just_below_are_not(textures):
    f, a = (np.tile(x, (6, 8))[:383] for x in textures[:2])
    assert not np.array_equal(*(fsim_map(f, a)[0][0::2][:191], fsim_map(f, a)[0][1::2][:191]))


def test_sizes_that_no_block_divides_keep_their_shape(textures):
    f, a = (np.tile(x, (7, 7))[:385, :391] for x in textures[:2])
    assert [x.shape for x in fsim_map(f, a)] == [(385, 391)] * 2


def test_refuses_a_mask_of_another_shape(textures):
    with pytest.raises(InputError, match="bool mask"):
        roi_fsim(*textures[:2], np.ones((64, 63), bool))


def test_the_features_of_a_source_are_found_once_for_many_fusions(monkeypatch):
    found = []
    whole = fsim_module.phase_congruency
    monkeypatch.setattr(fsim_module, "phase_congruency", lambda x: found.append(x.sum()) or whole(x))
    source, *others = np.random.default_rng(5).uniform(0, 255, (4, 24, 24))
    kept = [fsim(f, source) for f in others]
    assert len(found) == 4  # three fusions and the source
    fsim_module._kept_features.cache_clear()
    assert [fsim(f, source) for f in others] == kept
