"""Windows around tumors: what they show, and that a seed decides where."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems.diff4mmlits.tumor_windows import (
    MARGIN_VOXELS,
    WindowSettings,
    draw_windows,
    margin_weight,
    sampled,
    tumor_case,
)

SETTINGS = WindowSettings(size=16)


def draw(cases, settings=SETTINGS, seed=0, count=6):
    return draw_windows(cases, count, settings, torch.Generator().manual_seed(seed))


def test_a_case_tells_size_and_depth_of_its_tumor(a_body, some_tumors):
    case = some_tumors[0]
    height, radius = 4 * 4.0, 7 * 2.0  # a cylinder
    assert case.semi_axes_mm[0] == pytest.approx(radius * (5 / 4) ** 0.5, rel=0.06)
    assert case.semi_axes_mm[2] == pytest.approx(height * (5 / 12) ** 0.5, rel=0.06)
    assert case.depth_mm == pytest.approx((30 - ((30 - 40) ** 2 + (34 - 38) ** 2) ** 0.5) * 2, abs=4)
    with pytest.raises(InputError, match="without a drawn lesion"):
        tumor_case(a_body.unscored(), ("CT",), 4.0)
    with pytest.raises(InputError, match="without PET"):
        tumor_case(replace(a_body.only(["CT"])), ("CT", "PET"), 4.0)


def test_a_window_holds_its_tumor_and_the_seed_decides_which(some_tumors):
    batch = draw(some_tumors)
    assert batch.lesion.shape == (6, 1, 16, 16, 16) and (batch.lesion.amax(dim=(1, 2, 3, 4)) > 0.9).all()
    again, other = draw(some_tumors), draw(some_tumors, seed=1)
    assert all(torch.equal(batch.images[m], again.images[m]) for m in batch.images)
    assert not torch.equal(batch.lesion, other.lesion)


def test_tumor_and_uptake_stay_on_each_other_through_every_turn(some_tumors):
    batch = draw(some_tumors, replace(SETTINGS, drop=0.0))
    pet, lesion = batch.images["PET"][:, :1], batch.lesion > 0.95
    assert pet[lesion].min() > pet[(batch.lesion < 0.02) & (batch.images["PET"][:, 1:] > 0)].mean()


def test_a_dropped_modality_is_empty_and_one_is_always_left(some_tumors):
    batch = draw(some_tumors, replace(SETTINGS, drop=0.95), count=20)
    seen = torch.stack([x[:, 1].amax(dim=(1, 2, 3)) for x in batch.images.values()])
    assert (seen.sum(dim=0) >= 1).all() and (seen == 0).any()
    assert all((x[:, 0][x[:, 1] == 0] == 0).all() for x in batch.images.values())


def test_a_large_tumor_is_shrunk_into_its_window(some_tumors):
    large = replace(some_tumors[0], semi_axes_mm=(60.0, 30.0, 30.0))
    shown = [draw([case], replace(SETTINGS, zoom=(1.0, 1.0)), count=4).lesion.sum() for case in (some_tumors[0], large)]
    assert shown[1] < 0.6 * shown[0]


def test_the_margin_is_one_at_the_tumor_and_nothing_beyond():
    lesion = torch.zeros(2, 1, 16, 16, 16)
    lesion[0, :, 8, 8, 8] = 1
    weight = margin_weight(lesion)
    assert weight[0, 0, 8, 8, 8] == 1 and 0 < weight[0, 0, 8, 8, 10] < weight[0, 0, 8, 8, 9] < 1
    assert weight[0, 0, 8, 8, 8 + int(MARGIN_VOXELS) + 1] == 0 and not weight[1].any()
    assert weight[0, 0, 8, 8, 8 + int(MARGIN_VOXELS)] > 0, "its near half lies within"


def test_a_look_without_turn_is_the_case_itself():
    layers = torch.rand(2, 8, 8, 8)
    seen = sampled(layers, torch.tensor([3.5, 3.5, 3.5]), 1.0, torch.eye(3), 8)
    assert torch.allclose(seen, layers, atol=1e-5)
