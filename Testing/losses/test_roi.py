"""Eq. (2) and its companions by hand on tiny pictures, against the numpy metrics on a real slice, and always finite."""

from pathlib import Path

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.losses import roi
from DiffuFuseMedLib.metrics import fusion as metrics
from DiffuFuseMedLib.preprocessing.gray import ct_gray, mr_gray
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import automatic_rois
from scipy.ndimage import distance_transform_edt

ROOT = Path(__file__).resolve().parents[2]
SLICE = 30


@pytest.fixture(scope="module")
def real():
    """ct, mri, average (1, 1, H, W) in 0..1 and soft of one axial slice of STS_010."""
    case = load_case(ROOT / "Resources" / "SampleData" / "STS_010").cropped((SLICE - 1, 0, 0), (SLICE + 2, 164, 185))
    ct = ct_gray(case.volumes["CT"], case.valid["CT"], (-160, 840))
    mri = mr_gray(case.volumes["MR_T1"], case.valid["MR_T1"])
    soft = (automatic_rois(case).soft & case.valid["MR_T1"]).astype(np.float32)
    pictures = {"ct": ct, "mri": mri, "average": (ct + mri) / 2, "soft": soft}
    return {name: torch.from_numpy(x[1])[None, None] for name, x in pictures.items()}


@pytest.fixture
def sliders():
    """A function of lambdas and tau: one sample's sliders, all at 1."""

    def make(lambdas=(1.0, 1.0, 1.0), tau_mm=2.0):
        one = torch.ones(1)
        return roi.Sliders(one, one, one, torch.tensor([lambdas]), torch.tensor([tau_mm]))

    return make


@pytest.fixture
def square():
    """A function (start, stop): a square mask (1, 1, 32, 32), rows and columns start to stop."""

    def make(start, stop):
        mask = torch.zeros(1, 1, 32, 32)
        mask[..., start:stop, start:stop] = 1
        return mask

    return make


def distance_to(mask):
    """(1, 1, H, W): pixels of 1 mm to the mask's border."""
    inside = mask[0, 0].numpy() > 0.5
    both = [distance_transform_edt(x) for x in (inside, ~inside)]
    return torch.from_numpy(np.maximum(*both).astype(np.float32))[None, None]


def gray(x):
    """(H, W) in 0..255, as the metrics want it."""
    return 255.0 * x[0, 0].numpy().astype(np.float64)


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("index", [slice(1, 3), torch.tensor([False, True, True])], ids=["slice", "mask"])
def test_some_sliders_of_a_batch_are_sliders(index):
    three = roi.Sliders(*torch.arange(9.0).view(3, 3), torch.arange(9.0).view(3, 3), torch.arange(3.0))
    two = three.at(index)
    assert (two.alpha.tolist(), two.beta.tolist(), two.gamma.tolist()) == ([1, 2], [4, 5], [7, 8])
    assert (two.lambdas.tolist(), two.tau_mm.tolist()) == ([[3, 4, 5], [6, 7, 8]], [1, 2])
    assert [view.shape for view in two.views()] == [(2, 1, 1, 1)] * 3
    assert [view[1].item() for view in two.views()] == [2, 5, 8]


def test_ssim_of_two_flat_pictures_is_that_of_their_brightness():
    a, b = torch.full((1, 1, 9, 9), 0.2), torch.full((1, 1, 9, 9), 0.6)
    expected = (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
    assert torch.allclose(roi.ssim_map(a, b), torch.tensor(expected), atol=5e-4)


def test_the_ssim_map_is_that_of_the_evaluation_on_a_real_slice(real):
    """They differ by 49 / 48 in the variances and in how the edge is mirrored."""
    for fused, source in (("average", "mri"), ("ct", "mri"), ("average", "ct")):
        mine = roi.ssim_map(real[fused], real[source])[0, 0].numpy()
        theirs = metrics.ssim_map(gray(real[fused]), gray(real[source]))
        assert np.abs(mine - theirs)[4:-4, 4:-4].max() < 0.02
        assert abs(mine.mean() - theirs.mean()) < 2e-3


def test_a_box_mean_mirrors_the_edge():
    x = torch.arange(9.0).expand(1, 1, 9, 9)
    assert roi.box(x, 3)[0, 0, 4].tolist() == pytest.approx([2 / 3, *range(1, 8), 8 - 2 / 3])


def test_inside_is_the_mean_over_the_mask_and_0_for_none():
    values = torch.arange(4.0).view(1, 1, 2, 2).repeat(2, 1, 1, 1)
    mask = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]).view(2, 1, 2, 2)
    assert roi.inside(values, mask).tolist() == [1.5, 0.0]


def test_the_roi_loss_is_nothing_for_identical_pictures(real, sliders):
    mri = real["mri"]
    masks = {"soft": real["soft"], "bone": 1 - real["soft"]}
    assert roi.roi_loss(mri, mri, mri, masks, torch.zeros(1), sliders()).item() == pytest.approx(0, abs=1e-5)


def test_the_roi_loss_weighs_its_terms_by_the_sliders(real):
    masks = {"soft": real["soft"], "bone": 1 - real["soft"]}
    soft = roi.roi_ssim_loss(real["ct"], real["mri"], masks["soft"])
    bone = roi.roi_ssim_loss(real["average"], real["ct"], masks["bone"])
    a, b, c = (torch.tensor([x]) for x in (0.25, 0.5, 2.0))
    told = roi.Sliders(a, b, c, torch.ones(1, 3), torch.ones(1))
    given = roi.roi_loss(real["ct"], real["mri"], real["ct"], masks, torch.tensor([0.3]), told)
    assert soft.item() > 0.1
    assert given.item() == pytest.approx(0.25 * soft.item() + 0 + 2 * 0.3, rel=1e-4)
    given = roi.roi_loss(real["average"], real["mri"], real["ct"], masks, torch.zeros(1), told)
    soft = roi.roi_ssim_loss(real["average"], real["mri"], masks["soft"])
    assert given.item() == pytest.approx(0.25 * soft.item() + 0.5 * bone.item(), rel=1e-4)


def test_dice_loss_by_hand():
    probability = torch.tensor([1.0, 0.5, 0.0, 0.0]).view(1, 1, 2, 2)
    lesion = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    assert roi.dice_loss(probability, lesion).item() == pytest.approx(1 - (2 * 1.5 + 1) / (1.5 + 2 + 1))


def test_the_soft_border_is_the_mask_less_its_erosion(square):
    border = roi.soft_border(square(10, 15))
    assert border.sum().item() == 25 - 9
    assert border[0, 0, 12, 12].item() == 0


def test_hd95_loss_by_hand(square):
    lesion = square(10, 12)
    probability = lesion.clone()
    probability[0, 0, 0, 0] = 0.5
    distance = torch.zeros_like(lesion)
    distance[0, 0, 0, 0] = 10.0
    assert roi.hd95_loss(probability, lesion, distance).item() == pytest.approx(0.5**2 * 0.5**2 / 4)


def test_hd95_loss_grows_with_the_distance_of_the_false_positive(square):
    lesion = square(4, 8)
    losses = []
    for at in (9, 12, 16, 20):
        probability = lesion.clone()
        probability[0, 0, 6, at] = 1
        losses.append(roi.hd95_loss(probability, lesion, distance_to(lesion)).item())
    assert losses == sorted(losses) and losses[0] < losses[-1] / 4


def test_the_lesion_loss_falls_as_the_border_moves_to_the_reference(square, sliders):
    lesion = square(10, 20)
    grown = [roi.lesion_loss(square(10 - d, 20 + d), lesion, distance_to(lesion), sliders()).item() for d in range(8)]
    shrunk = [roi.lesion_loss(square(10 + d, 20 - d), lesion, distance_to(lesion), sliders()).item() for d in range(5)]
    for losses in (grown, shrunk):
        assert losses == sorted(losses) and losses[0] < losses[1] - 0.02


def test_the_nsd_surrogate_forgives_what_lies_within_tau(square):
    lesion = square(10, 20)
    moved = square(7, 23)  # its border is 3 mm away, 3 sqrt(2) in the corners
    loss = lambda tau: roi.nsd_loss(moved, lesion, distance_to(lesion), torch.tensor([tau])).item()  # noqa: E731
    by_tau = [loss(t) for t in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert by_tau == sorted(by_tau, reverse=True)
    assert by_tau[0] - by_tau[-1] > 0.4  # the whole of its half


def test_each_lambda_weighs_its_own_term(square, sliders):
    lesion, probability = square(10, 20), 0.8 * square(8, 20)
    distance = distance_to(lesion)
    each = [roi.dice_loss(probability, lesion), roi.nsd_loss(probability, lesion, distance, torch.tensor([2.0]))]
    each.append(roi.hd95_loss(probability, lesion, distance))
    for n, expected in enumerate(each):
        only = tuple(2.0 * (n == k) for k in range(3))
        found = roi.lesion_loss(probability, lesion, distance, sliders(only)).item()
        assert found == pytest.approx(2 * expected.item(), rel=1e-5) and found > 0


def test_a_picture_without_a_lesion_costs_nothing(square, sliders):
    none = torch.zeros(1, 1, 32, 32)
    assert roi.lesion_loss(square(3, 9), none, torch.full_like(none, 99.0), sliders()).item() == 0


def test_sobel_gradients_of_a_ramp_are_its_slope():
    x = 0.1 * torch.arange(6.0).expand(1, 1, 6, 6)
    across, down = roi.gradients(x)[0]
    assert across[:, 1:-1].flatten().tolist() == pytest.approx([0.1] * 24)
    assert down.abs().max().item() == pytest.approx(0, abs=1e-7)


def test_the_edge_loss_ranks_pictures_as_qabf_does(real):
    blurred = roi.box(real["average"], 9)
    pictures = [real["mri"], real["ct"], real["average"], blurred, torch.maximum(real["mri"], real["ct"])]
    losses = [roi.edge_loss(f, real["mri"], real["ct"]).item() for f in pictures]
    scores = [metrics.qabf(gray(f), gray(real["mri"]), gray(real["ct"])) for f in pictures]
    assert np.argmax(losses) == np.argmin(scores) == 3
    assert np.corrcoef(losses, scores)[0, 1] < -0.8


def test_an_edge_kept_in_full_costs_next_to_nothing():
    """At equal strength and direction the sigmoids give 0.999 and, with the cosine held at 0.999, 0.977."""
    step = torch.zeros(1, 1, 16, 16)
    step[..., 8:] = 1
    kept, lost = (roi.edge_loss(f, step, step).item() for f in (step, torch.full_like(step, 0.5)))
    assert kept < 0.04 < 0.9 < lost


def test_correlation_is_pearsons_inside_the_mask():
    a, b = noise(1, 1, 8, 8), noise(1, 1, 8, 8, seed=1)
    mask = (noise(1, 1, 8, 8, seed=2) > 0.4).float()
    there = mask[0, 0].numpy() > 0
    expected = np.corrcoef(a[0, 0].numpy()[there], b[0, 0].numpy()[there])[0, 1]
    assert roi.correlation(a, b, mask).item() == pytest.approx(expected, abs=1e-4)


def test_differences_loss_is_two_less_scd(real):
    fused = 0.3 * real["ct"] + 0.6 * real["mri"]
    expected = 2 - metrics.scd(gray(fused), gray(real["mri"]), gray(real["ct"]))
    assert roi.differences_loss(fused, real["mri"], real["ct"]).item() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1])
def test_hidden_ct_loss_is_what_ct_in_soft_falls_short(real, share):
    texture = 0.05 * noise(*real["ct"].shape)
    fused = (1 - share) * real["mri"] + share * real["ct"] + texture
    fused = fused.clamp(0, 1)
    partial = metrics.ct_in_soft(gray(fused), gray(real["ct"]), gray(real["mri"]), real["soft"][0, 0].numpy() > 0)
    found = roi.hidden_ct_loss(fused, real["ct"], real["mri"], real["soft"], 0.9).item()
    assert found == pytest.approx(max(0.9 - partial, 0), abs=5e-3)


def test_a_blend_hides_nothing_and_a_copy_of_the_mri_everything(real):
    ct, mri, soft = real["ct"], real["mri"], real["soft"]
    assert roi.hidden_ct_loss(0.5 * ct + 0.5 * mri, ct, mri, soft).item() == pytest.approx(0, abs=1e-3)
    assert roi.hidden_ct_loss(mri, ct, mri, soft, 0.9).item() == pytest.approx(0.9, abs=0.05)


def test_a_soft_roi_of_a_few_pixels_is_not_judged(square):
    ct, mri = noise(1, 1, 32, 32), noise(1, 1, 32, 32, seed=1)
    assert roi.hidden_ct_loss(mri, ct, mri, square(5, 15)).item() == 0
    assert roi.hidden_ct_loss(mri, ct, mri, square(5, 25)).item() > 0.5


PICTURES = {
    "noise": noise(1, 1, 32, 32),
    "black": torch.zeros(1, 1, 32, 32),
    "white": torch.ones(1, 1, 32, 32),
    "gray": torch.full((1, 1, 32, 32), 0.3),
}


@pytest.mark.parametrize("source", PICTURES)
@pytest.mark.parametrize("fused", PICTURES)
@pytest.mark.parametrize("mask", ["none", "some", "all"])
def test_every_loss_and_its_gradient_is_finite(source, fused, mask, square, sliders):
    f, other = PICTURES[fused].clone().requires_grad_(), PICTURES["noise"] if source == "gray" else PICTURES[source]
    ct, mri = PICTURES[source], other
    where = {"none": torch.zeros(1, 1, 32, 32), "some": square(6, 26), "all": torch.ones(1, 1, 32, 32)}[mask]
    distance = distance_to(where) if mask == "some" else torch.full_like(where, 99.0)
    losses = [
        roi.roi_loss(
            f, mri, ct, {"soft": where, "bone": where}, roi.lesion_loss(f, where, distance, sliders()), sliders()
        ),
        roi.edge_loss(f, mri, ct),
        roi.differences_loss(f, mri, ct),
        roi.hidden_ct_loss(f, ct, mri, where),
    ]
    for loss in losses:
        assert torch.isfinite(loss).all()
        (gradient,) = torch.autograd.grad(loss.sum(), f)
        assert torch.isfinite(gradient).all()
