"""Algorithm 1 with eq. (1), (2) and (4) on a tiny untrained teacher: guidance, modulation, cancel and progress."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.losses import roi
from DiffuFuseMedLib.systems.clin_fusediff import Guidance, Pair, Teacher, TeacherConfig, shifted
from DiffuFuseMedLib.systems.clin_fusediff.teacher import LARGEST_STEP

CONFIG = TeacherConfig(channels=(8, 8, 8), encoder_channels=4, condition=8, steps=50, head_features=(8,) * 6)
SIZE = 32
FEW = Guidance(steps=6, eta=4.0, eta_u=0.0, modulated=False)


@pytest.fixture(scope="module")
def teacher():
    torch.manual_seed(0)
    return Teacher(CONFIG).eval()


@pytest.fixture
def pair():
    """Two slices: stripes in the MRI, a bright block in the CT, everything valid, all soft but for a strip of bone."""
    stripes = ((torch.arange(SIZE) // 4) % 2).float().expand(2, 3, SIZE, SIZE) * 0.6 + 0.2
    ct = torch.full((2, 3, SIZE, SIZE), 0.3)
    ct[..., 10:20, 2:6] = 0.9
    masks = torch.zeros(2, 4, SIZE, SIZE)
    masks[:, 3], masks[:, 0, :, 8:], masks[:, 1, :, :8], masks[:, 2, 12:20, 16:24] = 1, 1, 1, 1
    return Pair(stripes.clone(), ct, masks, torch.zeros(2))


@pytest.fixture
def guided(teacher, pair):
    """A function of guidance and sliders: the picture of seed 0 and its eq. (2) by sample."""

    def make(guidance=FEW, pair=pair, alpha=1.0, beta=1.0, gamma=0.0):
        count = len(pair.tracer)
        sliders = some_sliders(count, alpha, beta, gamma)
        distance = torch.full((count, 1, SIZE, SIZE), 5.0)
        fused = teacher.guided(pair, distance, sliders, guidance, torch.Generator().manual_seed(0))
        bracket = roi.lesion_loss(teacher.lesion(fused), pair.mask("lesion"), distance, sliders).detach()
        loss = roi.roi_loss(fused, pair.slice_mri, pair.slice_ct, pair.masks_by_name(), bracket, sliders)
        return fused, loss

    return make


def some_sliders(count, alpha=1.0, beta=1.0, gamma=0.0):
    full = lambda value: torch.full((count,), value)  # noqa: E731
    return roi.Sliders(full(alpha), full(beta), full(gamma), torch.ones(count, 3), full(2.0))


def one_step(teacher, pair, guidance, gamma=0.0):
    """x0, what (1) subtracts, and 1 - conf of (4), at a late x_t."""
    torch.manual_seed(1)
    noisy, t = torch.randn(2, 1, SIZE, SIZE), torch.tensor([20, 20])
    c, other = teacher.encode(pair), teacher.encode(replace(pair, mri=shifted(pair.mri, torch.tensor([2.0, -3.0]))))
    distance = torch.full((2, 1, SIZE, SIZE), 5.0)
    x0, _, pull = teacher._step(noisy, t, pair, (c, other), distance, some_sliders(2, gamma=gamma), guidance)
    moved, _ = teacher.denoise(noisy, t, other, pair.tracer)
    return x0, pull, ((x0 - moved).abs() / 2).detach()


def test_a_picture_of_every_pair_in_gray_0_to_1(guided, pair):
    fused, _ = guided()
    assert fused.shape == (2, 1, SIZE, SIZE)
    assert fused.min() >= 0 and fused.max() <= 1
    assert not fused.requires_grad


def test_guidance_lowers_the_roi_loss(guided):
    free, bound = (guided(replace(FEW, eta=eta))[1] for eta in (0.0, 4.0))
    assert (bound < free - 0.05).all()


def test_guidance_follows_the_slider_that_is_up(guided, pair):
    masks = pair.masks_by_name()
    soft_only, bone_only = (guided(alpha=a, beta=1 - a)[0] for a in (1.0, 0.0))
    soft = [roi.roi_ssim_loss(f, pair.slice_mri, masks["soft"]).mean() for f in (soft_only, bone_only)]
    bone = [roi.roi_ssim_loss(f, pair.slice_ct, masks["bone"]).mean() for f in (soft_only, bone_only)]
    assert soft[0] < soft[1] - 0.02
    assert bone[1] < bone[0] - 0.02


def test_guidance_lowers_the_lesion_bracket_through_the_frozen_head(guided):
    free, bound = (guided(replace(FEW, eta=eta), alpha=0.0, beta=0.0, gamma=1.0)[1] for eta in (0.0, 8.0))
    assert (bound < free - 1e-4).all()


def test_what_is_subtracted_is_the_gradient_times_eta(teacher, pair):
    weak = replace(FEW, eta=1e-4)
    _, one, _ = one_step(teacher, pair, weak)
    _, twice, _ = one_step(teacher, pair, replace(weak, eta=2e-4))
    assert one.abs().max() > 0 and one.abs().max() < LARGEST_STEP
    assert torch.allclose(twice, 2 * one, rtol=1e-3, atol=1e-10)


def test_the_modulation_is_that_of_eq_4(teacher, pair):
    guidance = replace(FEW, eta=1e-4, kappa=6.0)
    _, plain, uncertainty = one_step(teacher, pair, guidance)
    _, modulated, _ = one_step(teacher, pair, replace(guidance, modulated=True))
    expected = torch.sigmoid(6.0 * uncertainty)
    assert torch.allclose(modulated, plain * expected, rtol=1e-4, atol=1e-10)
    assert expected.min() >= 0.5 and expected.max() < torch.sigmoid(torch.tensor(6.0))
    assert expected.max() > 0.505  # the moved MRI does make the network doubt somewhere


def test_the_doubt_itself_is_descended_by_eta_u(teacher, pair):
    assert one_step(teacher, pair, replace(FEW, eta=0.0, eta_u=0.0))[1].abs().max() == 0
    assert one_step(teacher, pair, replace(FEW, eta=0.0, eta_u=0.2))[1].abs().max() > 0


def test_no_step_is_larger_than_the_largest(teacher, pair):
    assert one_step(teacher, pair, replace(FEW, eta=1e6))[1].abs().max().item() == pytest.approx(LARGEST_STEP)


def test_pictures_without_any_roi_are_made_too(guided, pair):
    bare = replace(pair, masks=torch.zeros_like(pair.masks))
    fused, loss = guided(pair=bare, gamma=1.0)
    assert torch.isfinite(fused).all() and loss.abs().max() == 0


def test_one_seed_gives_one_picture_and_any_batch(guided, pair):
    whole, alone = guided()[0], guided(pair=pair.at(slice(1, None)))[0]
    assert torch.equal(whole, guided()[0])
    assert torch.allclose(whole[1:], alone, atol=1e-3)


def test_progress_rises_and_cancel_stops_it_at_once(guided):
    told = []
    guided(replace(FEW, progress=lambda share, words: told.append(share)))
    assert len(told) == FEW.steps
    assert told == sorted(told) and told[0] == 0 and told[-1] < 1
    calls = []
    with pytest.raises(InterruptedError):
        guided(replace(FEW, cancel=lambda: calls.append(1) or len(calls) == 3))
    assert len(calls) == 3


def test_one_guided_step_aims_closer_to_the_roi(teacher, pair):
    """guided_target: the picture that score distillation aims at has less of eq. (2) than the unguided x0."""
    torch.manual_seed(1)
    noisy, t = torch.randn(2, 1, SIZE, SIZE), torch.tensor([20, 20])
    targets = [
        teacher.guided_target(noisy, t, pair, torch.full_like(noisy, 5.0), some_sliders(2), replace(FEW, eta=eta))
        for eta in (0.0, 4.0)
    ]
    masks = pair.masks_by_name()
    free, bound = (
        roi.roi_loss(f, pair.slice_mri, pair.slice_ct, masks, torch.zeros(2), some_sliders(2)) for f in targets
    )
    assert (bound < free).all()


def test_a_guided_target_calls_the_network_once_and_is_that_of_two_equal_conditions(teacher, pair, monkeypatch):
    torch.manual_seed(1)
    noisy, t, distance = torch.randn(2, 1, SIZE, SIZE), torch.tensor([20, 20]), torch.full((2, 1, SIZE, SIZE), 5.0)
    sliders, guidance, c = some_sliders(2, gamma=0.5), Guidance(), teacher.encode(pair)
    x0, _, pull = teacher._step(noisy, t, pair, (c, c), distance, sliders, guidance)
    calls, real = [], teacher.unet.forward
    monkeypatch.setattr(teacher.unet, "forward", lambda *x: calls.append(1) or real(*x))
    target = teacher.guided_target(noisy, t, pair, distance, sliders, guidance)
    assert len(calls) == 1
    assert pull.abs().max() > 0
    assert torch.equal(target, ((x0 - pull).clamp(-1, 1) + 1) / 2)


def test_the_loss_is_that_of_v_and_knows_the_picture_again(teacher, pair):
    """A denoiser that gave v exactly would score 0: v of a target and noise drawn with the same seed."""
    target = pair.slice_mri
    noise_term, fused = teacher.loss(pair, target, torch.Generator().manual_seed(0))
    again, _ = teacher.loss(pair, target, torch.Generator().manual_seed(0))
    assert noise_term.item() == again.item() > 0
    assert fused.shape == target.shape and fused.min() >= 0 and fused.max() <= 1


def test_training_on_one_pair_makes_the_noise_term_fall(pair):
    torch.manual_seed(0)
    network = Teacher(CONFIG)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    first = None
    for _ in range(40):
        loss, _ = network.loss(pair, pair.slice_mri, torch.Generator().manual_seed(0))
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.6 * first


def test_gradients_reach_every_parameter(pair):
    torch.manual_seed(0)
    network = Teacher(CONFIG)
    noise_term, fused = network.loss(replace(pair, tracer=torch.ones(2)), pair.slice_mri)
    lesions = sum(network.lesion(fused, head).square().mean() for head in network.heads)
    (noise_term + lesions).backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    # instance norm takes away a bias before it
    assert [n for n in silent if not n.endswith("conv.bias")] == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_the_two_heads_are_two_networks(teacher, pair):
    guide, score = (teacher.lesion(pair.slice_mri, head) for head in ("guide", "score"))
    assert guide.shape == (2, 1, SIZE, SIZE) and 0 <= guide.min() <= guide.max() <= 1
    assert (guide - score).abs().max() > 1e-3


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 32), (17, 40), (3, 50)])
def test_a_head_reads_a_picture_of_any_size(teacher, height, width):
    assert teacher.lesion(torch.rand(1, 1, height, width)).shape == (1, 1, height, width)


def test_shifting_moves_a_picture_by_whole_pixels():
    x = torch.rand(1, 1, 9, 12)
    moved = shifted(x, torch.tensor([2.0, -3.0]))
    assert torch.allclose(moved[..., :7, 3:], x[..., 2:, :9], atol=1e-5)


def test_a_config_survives_json():
    assert TeacherConfig.from_dict({"channels": [8], "head_features": [8] * 6, "modalities": ["CT", "MR"]}) == (
        TeacherConfig(channels=(8,), head_features=(8,) * 6)
    )
