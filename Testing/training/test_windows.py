"""Random windows: reproducible, inside the scan, and the target goes wherever the image goes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.training.windows import (
    Place,
    Placement,
    WindowSettings,
    around,
    draw_batch,
    draw_box,
    draw_modalities,
    draw_placement,
    draw_voxel,
    draw_window,
    rotation_matrix,
    sample,
    voxels_of,
    without_aliasing,
)

SEEDS = range(40)
SPACING = (3.0, 2.0, 2.0)  # of a_scan


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def still(center_mm, mirror=(1.0, 1.0, 1.0), rotation=None, zoom=1.0):
    turn = np.eye(3) if rotation is None else rotation
    return Placement(np.array(center_mm, dtype=float), zoom, turn, np.array(mirror))


def middle(stacked, spacing):
    return np.array(stacked.shape[1:]) * np.array(spacing) / 2


def dice(a, b):
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.fixture
def numbers():
    """(1, 4, 6, 8): every voxel another value."""
    return torch.arange(4.0 * 6 * 8).view(1, 4, 6, 8)


@pytest.fixture
def isotropic():
    """A function of the shape: windows with voxels of 2 mm."""
    return lambda *shape: WindowSettings(shape=shape, spacing_kji_mm=(2.0, 2.0, 2.0))


@pytest.mark.parametrize(
    "settings", [WindowSettings(), WindowSettings(shape=(16, 16, 16))], ids=["as shipped", "small"]
)
def test_the_same_seed_draws_the_same_batch_and_another_seed_another(a_scan, settings):
    first, again, other = (draw_batch([a_scan], 2, settings, seeded(s)) for s in (1, 1, 2))
    assert list(first.images) == list(again.images)
    assert all(torch.equal(first.images[m], again.images[m]) for m in first.images)
    assert torch.equal(first.target, again.target)
    assert torch.equal(first.distance, again.distance)
    assert {m: q.tolist() for m, q in first.clean.items()} == {m: q.tolist() for m, q in again.clean.items()}
    assert not torch.equal(first.target, other.target)


def test_a_batch_has_the_shapes_that_the_systems_ask_for(a_scan):
    batch = draw_batch([a_scan], 3, WindowSettings(shape=(8, 16, 12), drop_one=0, drop_two=0), seeded(0))
    assert {m: tuple(x.shape) for m, x in batch.images.items()} == dict.fromkeys(("CT", "PET"), (3, 2, 8, 16, 12))
    assert batch.target.shape == batch.distance.shape == (3, 1, 8, 16, 12)
    assert {m: tuple(q.shape) for m, q in batch.clean.items()} == dict.fromkeys(("CT", "PET"), (3,))


def test_values_stay_in_their_ranges(a_scan):
    settings = WindowSettings(shape=(16, 16, 16))
    for seed in SEEDS:
        batch = draw_batch([a_scan], 1, settings, seeded(seed))
        for x in (batch.target, batch.distance, *[i[:, 1:] for i in batch.images.values()]):
            assert x.min() >= 0
            assert x.max() <= 1
        assert all(set(i[:, 1].unique().tolist()) <= {0.0, 1.0} for i in batch.images.values())


def test_distance_is_counted_in_reaches_and_saturates(a_scan, plain):
    near = draw_window(a_scan, ["CT"], plain(distance_reach_mm=10.0), seeded(0)).distance
    far = draw_window(a_scan, ["CT"], plain(distance_reach_mm=1000.0), seeded(0)).distance
    assert near.max() == 1
    assert far.max() < 0.1
    torch.testing.assert_close((far * 100).clamp(max=1), near)


def test_a_still_window_is_the_plain_crop(numbers, isotropic):
    window = sample(numbers, (2.0, 2.0, 2.0), still((4, 6, 8)), isotropic(2, 4, 4))
    torch.testing.assert_close(window, numbers[:, 1:3, 1:5, 2:6])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_window_is_the_crop_flipped(numbers, isotropic, axis):
    mirror = [-1.0 if a == axis else 1.0 for a in range(3)]
    window = sample(numbers, (2.0, 2.0, 2.0), still((4, 6, 8), mirror), isotropic(2, 4, 4))
    torch.testing.assert_close(window, numbers[:, 1:3, 1:5, 2:6].flip(axis + 1))


@pytest.mark.parametrize(("axis", "plane"), [(0, (2, 3)), (1, (1, 3)), (2, (1, 2))])
def test_a_quarter_turn_is_the_crop_turned_about_that_axis(isotropic, axis, plane):
    cube = torch.arange(64.0).view(1, 4, 4, 4)
    turn = rotation_matrix(np.radians([90 if a == axis else 0 for a in range(3)]))
    window = sample(cube, (2.0, 2.0, 2.0), still((4, 4, 4), rotation=turn), isotropic(4, 4, 4))
    torch.testing.assert_close(window, torch.rot90(cube, -1, plane), atol=1e-3, rtol=0)


def test_a_rotation_keeps_lengths_and_handedness():
    turn = rotation_matrix(np.radians([15.0, -8.0, 8.0]))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_a_quarter_turn_on_unequal_voxels_turns_millimeters_not_voxels():
    """A bar of 8 mm along j, on voxels of 4 x 1 mm (j, i): turned into i it is 8 mm again."""
    bar = torch.zeros(1, 3, 8, 32)
    bar[0, :, 3:5, 15:17] = 1  # 8 mm x 2 mm
    settings = WindowSettings(shape=(3, 17, 17), spacing_kji_mm=(2.0, 1.0, 1.0))
    turn = rotation_matrix(np.radians([90.0, 0, 0]))
    upright, lying = (
        sample(bar, (2.0, 4.0, 1.0), still((3, 16, 16), rotation=r), settings)[0, 1] for r in (None, turn)
    )
    torch.testing.assert_close(lying, upright.T, atol=1e-4, rtol=0)
    assert upright.sum(dim=0).max() == pytest.approx(8, abs=0.5)


def test_a_zoom_of_two_sees_twice_as_far(isotropic):
    ramp = torch.arange(32.0).view(1, 1, 1, 32).expand(1, 32, 32, 32)
    near, far = (sample(ramp, (2.0, 2.0, 2.0), still((32, 32, 32), zoom=z), isotropic(8, 8, 8)) for z in (1.0, 2.0))
    assert (near[0, 0, 0, 1] - near[0, 0, 0, 0]).item() == pytest.approx(1)
    assert (far[0, 0, 0, 1] - far[0, 0, 0, 0]).item() == pytest.approx(2)


def test_beyond_the_box_there_is_nothing(numbers, isotropic):
    window = sample(numbers + 1, (2.0, 2.0, 2.0), still((4, 6, 8)), isotropic(8, 12, 16))
    torch.testing.assert_close(window[:, 2:6, 3:9, 4:12], numbers + 1)
    assert window.sum().item() == pytest.approx((numbers + 1).sum().item())


@pytest.mark.parametrize("seed", range(8))
def test_image_and_target_turn_and_mirror_together(a_scan, plain, seed):
    """CT shows the lesion itself and PET twice that less a half: so they do after any turn, mirror and zoom."""
    settings = plain(rotation_degrees=(90.0, 45.0, 45.0), zoom=(0.8, 1.3))
    window = draw_window(a_scan, ["CT", "PET"], settings, seeded(seed))
    (ct, seen), (pet, _) = window.images["CT"], window.images["PET"]
    assert window.target.max() > 0.5
    whole = seen == 1
    assert 0.05 < whole.float().mean() <= 1
    torch.testing.assert_close(ct[whole], window.target[0][whole], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(pet[whole], 2 * window.target[0][whole] - 0.5, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_a_lesion_that_fits_survives_sampling(a_scan, plain, seed):
    """A window turned and moved shows all of the lesion: its volume stays."""
    settings = plain(rotation_degrees=(15.0, 8.0, 8.0), shape=(24, 32, 32))
    window = draw_window(a_scan, ["CT"], settings, seeded(seed))
    assert window.target.sum().item() == pytest.approx(a_scan.lesion.sum().item(), rel=0.03)


def test_a_still_window_shows_the_lesion_where_the_plain_crop_does(a_real_training_case):
    case = a_real_training_case
    shape = tuple(n - n % 2 for n in case.lesion.shape)
    lesion = case.lesion[tuple(slice(n) for n in shape)][None]
    settings = WindowSettings(shape=(24, 48, 48), spacing_kji_mm=case.spacing_kji_mm)
    window = sample(lesion, case.spacing_kji_mm, still(middle(lesion, case.spacing_kji_mm)), settings)[0] > 0.5
    start = [(n - w) // 2 for n, w in zip(shape, settings.shape, strict=True)]
    crop = lesion[0][tuple(slice(s, s + w) for s, w in zip(start, settings.shape, strict=True))] > 0.5
    assert crop.sum() > 1000
    assert dice(window, crop) == 1


@pytest.mark.parametrize("seed", range(6))
def test_windows_of_a_real_patient_show_lesion(a_real_training_case, seed):
    batch = draw_batch([a_real_training_case], 1, WindowSettings(), seeded(seed))
    assert (batch.target > 0.5).sum() > 50
    assert all(torch.isfinite(x).all() for x in batch.images.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_box_holds_the_lesion_and_never_exceeds_the_scan(a_scan, seed):
    start, stop = draw_box(a_scan, WindowSettings(), seeded(seed))
    first, last = a_scan.lesion_box()
    assert (start >= 0).all()
    assert (stop <= a_scan.lesion.shape).all()
    assert (start <= first).all()
    assert (stop >= last).all()


def test_a_lesion_is_found_at_no_preferred_place_of_its_box(a_scan):
    """Margins differ from side to side: a centered box would give the answer away."""
    boxes = [draw_box(a_scan, WindowSettings(margin_mm=(0.0, 12.0), whole_scan=0), seeded(s)) for s in SEEDS]
    first, last = a_scan.lesion_box()
    before, after = np.array([first - b[0] for b in boxes]), np.array([b[1] - last for b in boxes])
    assert (before != after).any(axis=1).mean() > 0.8
    assert len(np.unique(before, axis=0)) > 10


def test_a_share_of_windows_sees_the_whole_scan(a_scan):
    boxes = [draw_box(a_scan, WindowSettings(whole_scan=1.0), seeded(s)) for s in range(3)]
    assert all((start == 0).all() and (stop == a_scan.lesion.shape).all() for start, stop in boxes)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_box_lies_inside_the_window_and_a_window_inside_a_large_box(plain, seed):
    settings = plain()
    window_mm = np.array(settings.shape) * np.array(settings.spacing_kji_mm)
    for factor in (0.5, 2.0):
        extent = factor * window_mm
        placed = draw_placement(extent, settings, seeded(seed))
        reach = np.abs(placed.center_mm - extent / 2) + np.minimum(extent, window_mm) / 2
        assert (reach <= np.maximum(extent, window_mm) / 2 + 1e-9).all()


def test_an_overview_shrinks_a_large_box_to_the_window(plain):
    settings = plain(overview=1.0, overview_zoom=2.5)
    window_mm = np.array(settings.shape) * np.array(settings.spacing_kji_mm)
    zooms = [draw_placement(2.0 * window_mm, settings, seeded(s)).zoom for s in SEEDS]
    assert all(2.0 <= z <= 2.0 * 1.15 for z in zooms)
    assert draw_placement(10 * window_mm, settings, seeded(0)).zoom == 2.5


@pytest.mark.parametrize("names", [["CT"], ["CT", "PET"], ["CT", "PET", "MR_T1"]], ids=len)
def test_dropout_keeps_at_least_one_modality_in_their_order(names):
    for settings in (WindowSettings(drop_two=1.0), WindowSettings(drop_one=1.0, drop_two=0.0), WindowSettings()):
        kept = [draw_modalities(names, settings, seeded(s)) for s in SEEDS]
        assert min(map(len, kept)) >= 1
        assert all(k == [n for n in names if n in k] for k in kept)


@pytest.mark.parametrize(("drop_one", "drop_two", "left"), [(0.0, 0.0, 3), (1.0, 0.0, 2), (0.0, 1.0, 1)])
def test_dropout_leaves_out_as_many_as_told_and_each_in_turn(drop_one, drop_two, left):
    settings = WindowSettings(drop_one=drop_one, drop_two=drop_two)
    kept = [tuple(draw_modalities(["CT", "PET", "MR_T1"], settings, seeded(s))) for s in SEEDS]
    assert {len(k) for k in kept} == {left}
    assert len(set(kept)) == (1 if left == 3 else 3)


@pytest.mark.parametrize("seed", range(12))
def test_the_label_tells_the_corrupted_modality(a_scan, plain, seed):
    """Without other augmentation a clean modality is the plain sample, and only a corrupted one differs from it."""
    settings = plain(corrupt=0.5)
    window = draw_window(a_scan, ["CT", "PET"], settings, seeded(seed))
    ct, pet, target = window.images["CT"][0], window.images["PET"][0], window.target[0]
    seen = window.images["CT"][1].bool()
    as_it_was = {"CT": torch.allclose(ct[seen], target[seen], atol=1e-4)}
    as_it_was["PET"] = torch.allclose(pet[seen], 2 * target[seen] - 0.5, atol=1e-4)
    assert {m: float(same) for m, same in as_it_was.items()} == window.clean


@pytest.mark.parametrize(("share", "label"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_share_of_corruption_is_the_one_told(a_scan, plain, share, label):
    for seed in range(5):
        window = draw_window(a_scan, ["CT", "PET"], plain(corrupt=share), seeded(seed))
        assert window.clean == {"CT": label, "PET": label}


def test_gain_and_shift_change_what_is_valid_and_nothing_else(a_scan, plain):
    hidden = a_scan.images["PET"].clone()
    hidden[:, :, :, 12:] = 0
    case = replace(a_scan, images={**a_scan.images, "PET": hidden})
    image, valid = draw_window(case, ["PET"], plain(gain=0.2, shift=0.1, noise=0.1, corrupt=1.0), seeded(0)).images[
        "PET"
    ]
    assert 0 < valid.mean() < 1
    assert (image[valid == 0] == 0).all()
    assert image[valid == 1].abs().max() > 0


def test_an_overview_averages_what_it_shrinks(isotropic):
    """A checkerboard of single voxels, looked at through every third: without averaging it would be black or white."""
    i = torch.arange(24)
    board = ((i[:, None, None] + i[None, :, None] + i[None, None, :]) % 2).float()[None]
    seen = without_aliasing(board, np.array([3.0, 3.0, 3.0]))
    assert (seen[:, 2:-2, 2:-2, 2:-2] - 0.5).abs().max() < 0.05
    assert torch.equal(without_aliasing(board, np.array([1.5, 2.0, 1.0])), board)


def test_the_masks_of_several_annotators_turn_with_the_image(a_scan, plain):
    """The second of two drew nothing, and a case with one mask beside it is filled up with an empty one."""
    two = replace(a_scan, references=torch.stack([a_scan.lesion, torch.zeros_like(a_scan.lesion)]))
    settings = plain(rotation_degrees=(90.0, 45.0, 45.0))
    for seed in range(6):
        batch = draw_batch([two, a_scan], 3, settings, seeded(seed))
        if batch.references is None:
            continue
        assert batch.references.shape == (3, 2, 16, 16, 16)
        assert set(batch.raters.tolist()) <= {1, 2}
        assert torch.equal(batch.references[:, :1], batch.target)
        assert (batch.references[:, 1] == 0).all()
    assert draw_batch([a_scan], 2, settings, seeded(0)).references is None


def test_a_mask_more_changes_nothing_else_of_a_batch(a_scan):
    settings = WindowSettings(shape=(16, 16, 16))
    several = replace(a_scan, references=torch.stack([a_scan.lesion] * 4))
    one, other = (draw_batch([case], 2, settings, seeded(0)) for case in (a_scan, several))
    assert all(torch.equal(one.images[m], other.images[m]) for m in one.images)
    assert torch.equal(one.target, other.target) and torch.equal(one.distance, other.distance)


def test_a_window_of_one_slice_is_a_picture(a_scan, plain):
    """It lies in a random slice of the scan, and is not shrunk because the scan has more slices than one."""
    settings = plain(shape=(1, 16, 16), margin_mm=(30.0, 30.0), overview=1.0)
    batches = [draw_batch([a_scan], 2, settings, seeded(seed)) for seed in range(12)]
    assert batches[0].images["CT"].shape == (2, 2, 16, 16)
    assert batches[0].target.shape == batches[0].distance.shape == (2, 1, 16, 16)
    heights = [voxels_of(p, SPACING, settings)[0].mean() for b in batches for p in b.places]
    assert len(set(np.round(heights))) > 6
    narrow = [draw_placement(np.array([60.0, 30.0, 30.0]), settings, seeded(s)).zoom for s in range(8)]
    assert narrow == pytest.approx([1.0] * 8)


def test_a_picture_in_color_keeps_its_channels_together(a_scan, plain):
    """Red shows the lesion, green nothing, blue its double: after any augmentation red and blue still go together."""
    pixels = a_scan.lesion[9:10]
    color = torch.stack([pixels, 0 * pixels, 2 * pixels, torch.ones_like(pixels)])
    picture = replace(a_scan, images={"RGB": color}, lesion=pixels, distance_mm=a_scan.distance_mm[9:10])
    settings = plain(shape=(1, 16, 16), rotation_degrees=(90.0, 0.0, 0.0), gain=0.2)
    batch = draw_batch([picture], 1, settings, seeded(1))
    red, green, blue, seen = batch.images["RGB"].unbind(1)
    assert batch.images["RGB"].shape == (1, 4, 16, 16)
    assert red.max() > 0.3 and green.abs().max() == 0
    torch.testing.assert_close(blue, 2 * red)
    spoiled = draw_batch([picture], 1, replace(settings, corrupt=1.0), seeded(1))
    assert torch.equal(spoiled.images["RGB"][:, 3], seen)
    assert not torch.allclose(spoiled.images["RGB"][:, :3], batch.images["RGB"][:, :3])


@pytest.mark.parametrize("seed", range(4))
def test_a_place_tells_which_voxel_of_its_case_was_looked_up(a_scan, plain, seed):
    """The images hold their own index, so the window says where it was looked up."""
    index = torch.from_numpy(np.indices(a_scan.lesion.shape).astype(np.float32))
    valid = torch.ones(a_scan.lesion.shape)
    case = replace(a_scan, images={m: torch.stack([x, valid]) for m, x in zip("kji", index, strict=True)})
    margins = {"margin_mm": (6.0, 6.0)}  # 2, 3 and 3 voxels
    settings = plain(shape=(6, 8, 8), rotation_degrees=(40.0, 10.0, 10.0), zoom=(0.5, 0.6), **margins)
    batch = draw_batch([case], 1, settings, seeded(seed))
    where = voxels_of(batch.places[0], SPACING, settings)
    first, last = (x[:, None, None, None] for x in a_scan.lesion_box())
    margin = np.array([2, 3, 3])[:, None, None, None]
    inside = ((where >= first - margin) & (where <= last + margin - 1)).all(axis=0)
    assert inside.mean() > 0.3
    for axis, m in enumerate("kji"):
        np.testing.assert_allclose(batch.images[m][0, 0].numpy()[inside], where[axis][inside], atol=2e-3)


def test_a_voxel_is_drawn_as_often_as_it_weighs():
    weights = torch.zeros(2, 3, 4)
    weights[1, 2, 3], weights[0, 1, 2] = 3.0, 1.0
    generator = seeded(0)
    drawn = [tuple(int(n) for n in draw_voxel(weights, generator)) for _ in range(400)]
    assert set(drawn) == {(1, 2, 3), (0, 1, 2)}
    assert drawn.count((1, 2, 3)) / 400 == pytest.approx(0.75, abs=0.06)


def test_originals_are_of_every_modality_and_without_the_artefact(a_scan, plain):
    settings = plain(originals=True, corrupt=1.0, drop_one=1.0)
    batch = draw_batch([a_scan], 2, settings, seeded(0))
    (present,) = batch.images
    assert tuple(batch.originals) == ("CT", "PET")
    assert not torch.allclose(batch.images[present], batch.originals[present])
    clean = draw_batch([a_scan], 2, plain(originals=True, drop_one=1.0), seeded(0))
    assert torch.equal(clean.images[present], clean.originals[present])


def test_nobody_gets_originals_who_did_not_ask(a_scan, plain):
    assert draw_batch([a_scan], 1, plain(), seeded(0)).originals is None


def test_a_share_of_the_batches_is_clean_and_complete(a_scan, plain):
    worst = {"corrupt": 1.0, "drop_one": 1.0}
    batches = [draw_batch([a_scan], 1, plain(**worst, clean_complete=0.5), seeded(s)) for s in SEEDS]
    good = [b for b in batches if len(b.images) == 2 and all(bool(q.all()) for q in b.clean.values())]
    bad = [b for b in batches if len(b.images) == 1 and not any(bool(q.any()) for q in b.clean.values())]
    assert len(good) + len(bad) == len(batches)
    assert 10 < len(good) < 30


def test_simulated_readers_draw_around_the_reference(a_scan, plain):
    batches = [draw_batch([a_scan], 1, plain(simulated_readers=2), seeded(s)) for s in SEEDS]
    pairs = [(b.references[:, 0] > 0.5, b.references[:, 1] > 0.5) for b in batches]
    drawn = [b.target[:, 0] > 0.5 for b in batches]
    among = [dice(a, b) for a, b in pairs]
    assert 0.6 < np.mean(among) < 0.97
    assert len({round(d, 3) for d in among}) > 10
    assert np.mean([dice(a, t) for (a, _), t in zip(pairs, drawn, strict=True)]) > np.mean(among)
    assert all(b.raters.tolist() == [2] for b in batches)


def test_beyond_the_scan_no_simulated_reader_draws(a_scan, plain):
    settings = plain(simulated_readers=2, shape=(48, 48, 48), zoom=(1.0, 1.0))
    for seed in range(5):
        batch = draw_batch([a_scan], 1, settings, seeded(seed))
        outside = batch.images["CT"][:, 1] < 0.5
        assert outside.any()
        assert batch.references[outside[:, None].expand_as(batch.references)].max() == 0


def test_annotators_that_there_are_are_not_simulated(a_scan, plain):
    several = replace(a_scan, references=torch.stack([a_scan.lesion, a_scan.lesion, a_scan.lesion]))
    assert draw_batch([several], 1, plain(simulated_readers=2), seeded(0)).references.shape[1] == 3


def test_a_window_around_a_voxel_sees_what_it_would_see_of_the_whole_case(a_scan, plain):
    """Turned, zoomed and averaged over, in the middle and at a corner."""
    settings = plain(shape=(6, 8, 8), spacing_kji_mm=(7.0, 5.0, 5.0), rotation_degrees=(40.0, 30.0, 20.0))
    stacked, spacing = torch.cat([a_scan.images["CT"], a_scan.lesion[None]]), np.array(a_scan.spacing_kji_mm)
    for seed, voxel in enumerate([(10, 14, 11), (0, 0, 23)]):
        drawn = draw_placement(np.array([60.0, 56.0, 48.0]), settings, seeded(seed))
        start, stop, placement = around(a_scan, np.array(voxel), drawn, settings)
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        everywhere = replace(placement, center_mm=(np.array(voxel) + 0.5) * spacing)
        seen = sample(stacked[(slice(None), *box)], a_scan.spacing_kji_mm, placement, settings)
        wanted = sample(stacked, a_scan.spacing_kji_mm, everywhere, settings)
        torch.testing.assert_close(seen, wanted, rtol=0, atol=1e-4)
        assert wanted.abs().max() > 0.1


def test_a_guided_window_is_zoomed_and_turned_as_others_are(a_scan, plain):
    settings = plain(shape=(8, 8, 8), zoom=(0.5, 2.0), overview=0.5)
    weights = torch.zeros(a_scan.lesion.shape)
    weights[9, 14, 11] = 1.0
    for seed in range(5):
        guided, other = (draw_window(a_scan, ["CT"], settings, seeded(seed), w) for w in (weights, None))
        assert guided.placement.zoom == other.placement.zoom
        place = Place(0, guided.start, guided.placement)
        middle = voxels_of(place, a_scan.spacing_kji_mm, settings).reshape(3, -1).mean(axis=1)
        assert middle.tolist() == pytest.approx([9, 14, 11])
