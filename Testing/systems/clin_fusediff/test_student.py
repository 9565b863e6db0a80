"""The sliders' promises on any masks and components, and the student that gives the components."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.losses.roi import Sliders
from DiffuFuseMedLib.systems.clin_fusediff import FEATHER_PX, LARGEST_ACCENT, Components, Pair, Student, StudentConfig
from DiffuFuseMedLib.systems.clin_fusediff.pair import border_band, feathered
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt

CONFIG = StudentConfig(channels=(8, 8, 8, 8), condition=8)
SHARE = st.floats(0, 1, width=32)
SEED = st.integers(0, 10**6)


def network(seed=0):
    torch.manual_seed(seed)
    return Student(CONFIG).eval()


def some_sliders(count=1, alpha=0.5, beta=0.5, gamma=0.5, lambdas=1.0, tau_mm=2.0):
    full = lambda value: torch.full((count,), value)  # noqa: E731
    return Sliders(full(alpha), full(beta), full(gamma), torch.full((count, 3), lambdas), full(tau_mm))


def a_pair(height=32, width=32, seed=0, count=1):
    """Noise; bone on the left, soft tissue to the right of it, a lesion in it, the MRI not valid on the right."""
    generator = torch.Generator().manual_seed(seed)
    mri, ct = (torch.rand(count, 3, height, width, generator=generator) for _ in range(2))
    masks = torch.zeros(count, 4, height, width)
    masks[:, 1, :, : width // 4] = 1
    masks[:, 0, :, width // 4 : -2] = 1
    masks[:, 2, height // 3 : height // 2, width // 3 : width // 2] = 1
    masks[:, 3, :, : -width // 6] = 1
    return Pair(mri * masks[:, 3:4], ct, masks, torch.zeros(count))


def random_components(seed, size=(30, 34)):
    """Any pictures and accent, and masks feathered as the student does it; with the masks before the feather."""
    generator = torch.Generator().manual_seed(seed)
    pictures = [torch.rand(1, 1, *size, generator=generator) for _ in range(3)]
    accent = LARGEST_ACCENT * (2 * torch.rand(1, 1, *size, generator=generator) - 1)
    boxes = {name: torch.zeros(1, 1, *size) for name in ("soft", "bone", "lesion")}
    for mask in boxes.values():
        top, left, height, width = (int(x) for x in torch.randint(1, 24, (4,), generator=generator))
        mask[..., top : top + height, left : left + width] = float(torch.rand(1, generator=generator) > 0.1)
    bone = feathered(boxes["bone"])
    soft = feathered(boxes["soft"]) * (1 - bone)
    return Components(*pictures, accent, soft, bone, border_band(boxes["lesion"])), boxes


def beyond(mask):
    """Where no pixel of the mask is within FEATHER_PX, bool (1, 1, H, W)."""
    if not mask.any():
        return torch.ones(mask.shape, dtype=torch.bool)
    return torch.from_numpy(distance_transform_cdt(mask[0, 0].numpy() < 0.5, "chessboard") > FEATHER_PX)[None, None]


@settings(max_examples=80, deadline=None)
@given(seed=SEED, slider=st.integers(0, 2), before=SHARE, after=SHARE, others=st.tuples(SHARE, SHARE, SHARE))
def test_a_slider_changes_nothing_far_from_its_own_region(seed, slider, before, after, others):
    parts, boxes = random_components(seed)
    at = [list(others), list(others)]
    at[0][slider], at[1][slider] = before, after
    change = (parts.picture(*at[1]) - parts.picture(*at[0])).abs()
    far = beyond(boxes[("soft", "bone", "lesion")[slider]])
    assert (change[far] == 0).all()
    if slider == 2:
        assert (change[beyond(1 - boxes["lesion"])] == 0).all()  # the band follows the border on its inside, too
        assert change.max() <= LARGEST_ACCENT * abs(after - before) + 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=SEED, slider=st.integers(0, 2), others=st.tuples(SHARE, SHARE, SHARE))
def test_every_pixel_follows_a_slider_in_one_direction_and_without_a_jump(seed, slider, others):
    parts, _ = random_components(seed)
    pictures = []
    for n in range(11):
        at = list(others)
        at[slider] = n / 10
        pictures.append(parts.picture(*at))
    steps = torch.stack(pictures).diff(dim=0)
    assert ((steps >= -1e-6).all(0) | (steps <= 1e-6).all(0)).all()
    assert steps.abs().max() <= 0.1 + 1e-6  # a tenth of the way between two pictures in 0..1


@settings(max_examples=40, deadline=None)
@given(seed=SEED, slider=st.integers(0, 2), at=SHARE, others=st.tuples(SHARE, SHARE, SHARE))
def test_the_picture_is_linear_in_each_slider_up_to_the_clamp(seed, slider, at, others):
    parts, _ = random_components(seed)
    ends = [list(others), list(others), list(others)]
    for n, value in enumerate((0.0, 1.0, at)):
        ends[n][slider] = value
    low, high, between = (parts.picture(*e) for e in ends)
    open_ends = (low > 0) & (low < 1) & (high > 0) & (high < 1)
    assert torch.allclose(between[open_ends], (low + at * (high - low))[open_ends], atol=1e-5)
    assert between.min() >= 0 and between.max() <= 1


def test_at_1_the_picture_inside_an_roi_is_that_rois_own():
    pair = a_pair()
    parts = network().components(pair, torch.zeros(1, 1, 32, 32), torch.tensor([250]), some_sliders())
    view = parts.picture(1.0, 1.0, 0.0)
    for mask, own in ((parts.soft_mask, parts.soft), (parts.bone_mask, parts.bone)):
        whole = mask > 1 - 1e-6
        assert whole.sum() > 100 and torch.allclose(view[whole], own[whole], atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 33), (31, 20), (5, 40)])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_slice_of_any_size_gives_components_of_its_size(height, width, steps):
    parts = network().sample(a_pair(height, width, count=2), some_sliders(2), steps, torch.Generator().manual_seed(0))
    for name in parts.__dataclass_fields__:
        assert getattr(parts, name).shape == (2, 1, height, width)
        assert torch.isfinite(getattr(parts, name)).all()
    for name in ("neutral", "soft", "bone", "soft_mask", "bone_mask", "border"):
        assert getattr(parts, name).min() >= 0 and getattr(parts, name).max() <= 1 + 1e-6
    assert parts.accent.abs().max() <= LARGEST_ACCENT


@pytest.mark.parametrize("steps", [1, 4])
def test_one_seed_gives_one_picture_and_another_seed_another(steps):
    student, pair = network(), a_pair()
    draw = lambda seed: student.sample(pair, some_sliders(), steps, torch.Generator().manual_seed(seed))  # noqa: E731
    one, again, other = (draw(seed).picture(0.5, 0.5, 0.5) for seed in (4, 4, 5))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_slice_does_not_depend_on_the_batch_it_comes_in():
    student, pair = network(), a_pair(count=3)
    whole = student.sample(pair, some_sliders(3), 2, torch.Generator().manual_seed(0)).picture(0.3, 0.6, 0.9)
    last = Pair(*(getattr(pair, k)[2:] for k in ("mri", "ct", "masks", "tracer")))
    alone = student.sample(last, some_sliders(), 2, torch.Generator().manual_seed(0)).picture(0.3, 0.6, 0.9)
    assert torch.allclose(whole[2:], alone, atol=1e-5)


def test_the_later_steps_begin_from_the_sliders_own_picture():
    student, pair = network(), a_pair()
    parts = [
        student.sample(pair, some_sliders(alpha=a), steps, torch.Generator().manual_seed(0)).neutral
        for steps in (1, 2)
        for a in (0.0, 1.0)
    ]
    assert torch.equal(parts[0], parts[1])  # one step: the components know nothing of the sliders
    assert not torch.equal(parts[2], parts[3])


@pytest.mark.parametrize("told", ["lambdas", "tau_mm", "tracer"])
def test_the_network_is_told(told):
    student, pair = network(), a_pair()
    other_pair = replace(pair, tracer=torch.ones(1)) if told == "tracer" else pair
    other = some_sliders(**({} if told == "tracer" else {told: 0.1}))
    one, another = (
        student.sample(p, s, 1, torch.Generator().manual_seed(0)).neutral
        for p, s in ((pair, some_sliders()), (other_pair, other))
    )
    assert (one - another).abs().max() > 1e-5


def test_bone_wins_where_the_feathers_meet_and_alpha_stops_where_the_mri_does():
    pair = a_pair()
    parts = network().components(pair, torch.zeros(1, 1, 32, 32), torch.tensor([250]), some_sliders())
    assert (parts.soft_mask[pair.mask("bone") > 0].abs() < 1e-6).all()
    assert (parts.soft_mask[pair.mask("valid") == 0] == 0).all()
    assert (parts.soft_mask + parts.bone_mask).max() <= 1 + 1e-6


def test_where_the_mri_is_not_valid_only_the_ct_and_the_bounded_residual_show():
    pair = a_pair()
    parts = network().components(pair, torch.zeros(1, 1, 32, 32), torch.tensor([250]), some_sliders())
    missing = pair.mask("valid") == 0
    for picture in (parts.neutral, parts.soft, parts.bone):
        assert (picture <= 1.2 * pair.slice_ct + 0.1 + 1e-6)[missing].all()


def test_every_structure_is_one_of_a_source():
    """Where both sources are black, all that is left is the residual of a tenth."""
    pair = a_pair()
    black = replace(pair, mri=0 * pair.mri, ct=0 * pair.ct)
    parts = network().sample(black, some_sliders(), 1, torch.Generator().manual_seed(0))
    assert max(x.max() for x in (parts.neutral, parts.soft, parts.bone)) <= 0.1 + 1e-6


def test_gradients_reach_every_parameter():
    student = network().train()
    parts = student.components(a_pair(), torch.randn(1, 1, 32, 32), torch.tensor([250]), some_sliders())
    (parts.picture(0.5, 0.5, 0.5).square().mean() + parts.neutral.mean()).backward()
    silent = [n for n, p in student.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert silent == []
    assert all(torch.isfinite(p.grad).all() for p in student.parameters())


def test_a_config_survives_json():
    assert StudentConfig.from_dict({"channels": [8, 16], "condition": 4, "modalities": ["CT", "MR"]}) == StudentConfig(
        channels=(8, 16), condition=4
    )


def test_the_memory_prediction_grows_with_the_picture():
    student = network()
    assert student.memory_bytes(2000) > student.memory_bytes(1000) > 4 * sum(p.numel() for p in student.parameters())
