"""Masks of synthetic tumors: in soft tissue, of the size that was drawn, by a seed."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance
from DiffuFuseMedLib.systems.diff4mmlits import tumor_mask
from DiffuFuseMedLib.systems.diff4mmlits.tumor_mask import APART_MM, draw_mask, room_of
from DiffuFuseMedLib.systems.diff4mmlits.tumor_statistics import Drawn
from scipy import ndimage

GRID = Grid((70, 60, 24), (2.0, 2.0, 4.0))
LOOK = Appearance(8.0, 4.0, 1.0, 1.0, 40.0)


class Same:
    """Statistics that always draw one tumor."""

    def __init__(self, axes=(20.0, 14.0, 12.0), depth=30.0):
        self.drawn = Drawn(axes, depth, LOOK)

    def draw(self, rng):
        return self.drawn


@pytest.fixture
def few_tries(monkeypatch):
    """For what would be refused after many, too: the last are as small as the last of many are."""
    monkeypatch.setattr(tumor_mask, "TRIES", 6)
    monkeypatch.setattr(tumor_mask, "SMALLER", 0.45)


@pytest.fixture(scope="module")
def body():
    _, j, i = np.indices(GRID.shape)
    inside = np.hypot((j - 30) * 2, (i - 35) * 2) < 56
    bone = np.hypot((j - 30) * 2, (i - 35) * 2) < 8
    return inside, inside & ~bone


def draw(body, seed=0, statistics=None, drawn=None, **told):
    inside, soft = body
    return draw_mask(room_of(GRID, soft, inside, drawn), statistics or Same(), np.random.default_rng(seed), **told)


def test_a_tumor_lies_in_soft_tissue_and_is_one_piece_of_the_drawn_size(body):
    for seed in range(6):
        mask = draw(body, seed).mask
        assert not (mask & ~body[1]).any() and ndimage.label(mask)[1] == 1
        volume = mask.sum() * GRID.voxel_mm3
        assert volume == pytest.approx(4 / 3 * np.pi * 20 * 14 * 12, rel=0.3)


def test_the_seed_decides_and_no_two_are_alike(body):
    assert np.array_equal(draw(body, 3).mask, draw(body, 3).mask)
    assert not np.array_equal(draw(body, 3).mask, draw(body, 4).mask)


def test_it_is_deformed(body):
    """An ellipsoid fills its own second moments; a deformed one does not quite."""
    off = []
    for seed in range(4):
        mask = draw(body, seed).mask
        points = np.argwhere(mask) * np.array(GRID.spacing_kji_mm)
        centered = points - points.mean(axis=0)
        shape = np.linalg.inv(5 * np.cov(centered.T))
        everywhere = np.stack(np.indices(GRID.shape), axis=-1) * np.array(GRID.spacing_kji_mm) - points.mean(axis=0)
        ellipsoid = np.einsum("...a,ab,...b", everywhere, shape, everywhere) <= 1
        off.append((ellipsoid ^ mask).sum() / mask.sum())
    assert min(off) > 0.06 and max(off) < 0.6


def test_it_is_about_as_deep_as_was_drawn(body):
    inside, soft = body
    room = room_of(GRID, soft, inside)
    depths = [
        room.depth_mm[draw(body, seed, Same((10.0, 9.0, 8.0), depth)).center_kji]
        for depth in (16, 40)
        for seed in range(5)
    ]
    assert np.mean(depths[:5]) == pytest.approx(16, abs=8) and np.mean(depths[5:]) == pytest.approx(40, abs=12)


def test_it_keeps_off_what_is_drawn(body):
    drawn = np.zeros(GRID.shape, bool)
    drawn[10:14, 15:25, 30:40] = True
    near = ndimage.distance_transform_edt(~drawn, sampling=GRID.spacing_kji_mm) <= APART_MM - 4
    for seed in range(4):
        assert not (draw(body, seed, Same((12.0, 10.0, 8.0)), drawn).mask & near).any()


def test_what_is_too_large_gets_smaller_but_not_smaller_than_any_patients(body):
    made = draw(body, statistics=Same((90.0, 70.0, 60.0)), smallest_mm=18.0)
    assert 18.0 <= made.drawn.semi_axes_mm[0] < 85 and made.mask.any()


def test_what_is_too_large_at_the_smallest_is_refused(body, few_tries):
    with pytest.raises(InputError, match="fits"):
        draw(body, statistics=Same((200.0, 100.0, 100.0)), smallest_mm=120.0)


def test_what_fits_nowhere_is_refused_and_a_stop_is_heard(body, few_tries):
    with pytest.raises(InputError, match="fits"):
        draw(body, statistics=Same((200.0, 100.0, 100.0)))
    with pytest.raises(InputError, match="fits"):
        draw((body[0], np.zeros(GRID.shape, bool)))

    def stop():
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        draw_mask(room_of(GRID, body[1], body[0]), Same(), np.random.default_rng(0), stop)


SPOT = (12, 20, 35)  # k, j, i, in muscle


def test_what_a_thin_plate_cuts_off_does_not_belong_to_it(body):
    inside, soft = body
    plate = soft.copy()
    plate[:, :, SPOT[2] + 4] = False
    for seed in range(3):
        made = draw((inside, plate), seed, Same((11.0, 11.0, 11.0)), center_kji=SPOT)
        assert ndimage.label(made.mask)[1] == 1 and not made.mask[:, :, SPOT[2] + 4 :].any()


def test_it_is_turned_at_random(body):
    along = []
    for seed in range(5):
        made = draw(body, seed, Same((20.0, 7.0, 7.0)), center_kji=SPOT)
        points = np.argwhere(made.mask) * np.array(GRID.spacing_kji_mm)
        along.append(np.abs(np.linalg.eigh(np.cov(points.T))[1][:, -1]))
    assert np.ptp(along, axis=0).min() > 0.3, "no axis of the image is that of all tumors"


def test_deeper_than_the_body_is_its_deepest_place(body):
    inside, soft = body
    room = room_of(GRID, soft, inside)
    at = draw(body, statistics=Same((10.0, 9.0, 8.0), depth=400.0)).center_kji
    assert room.depth_mm[at] > room.depth_mm[soft].max() - 25


def test_depth_is_below_the_skin_of_the_slice_not_below_the_end_of_the_body(body):
    inside, soft = body
    ended = inside.copy()
    ended[12:] = False
    depth = room_of(GRID, soft & ended, ended).depth_mm
    np.testing.assert_array_equal(depth[11], depth[2])
    assert depth[11].max() > 40 and not depth[12:].any()


def test_it_is_made_smaller_only_after_many_sizes_did_not_fit(body):
    class Third(Same):
        def draw(self, rng):
            self.asked = getattr(self, "asked", 0) + 1
            return self.drawn if self.asked == 3 else Drawn((300.0, 300.0, 300.0), 30.0, LOOK)

    assert draw(body, statistics=Third((12.0, 10.0, 8.0)), smallest_mm=5.0).drawn.semi_axes_mm == (12.0, 10.0, 8.0)


def test_it_lies_where_it_was_asked_for_whatever_depth_was_drawn(body):
    for seed in range(3):
        made = draw(body, seed, Same((12.0, 10.0, 8.0), depth=0.0), center_kji=SPOT)
        middle = np.argwhere(made.mask).mean(axis=0) * np.array(GRID.spacing_kji_mm)
        assert made.center_kji == SPOT and made.mask[SPOT]
        assert np.abs(middle - np.array(SPOT) * np.array(GRID.spacing_kji_mm)).max() < 5


def test_a_place_without_room_is_refused_with_its_reason(body, few_tries):
    drawn = np.zeros(GRID.shape, bool)
    drawn[12, 20, 35] = True
    places = {(12, 30, 35): "no soft tissue", (12, 0, 0): "no soft tissue", (30, 0, 0): "outside of the images"}
    for place, why in {**places, (-1, 20, 35): "outside of the images"}.items():
        with pytest.raises(InputError, match=why):
            draw(body, center_kji=place)
    with pytest.raises(InputError, match="within 15 mm of a lesion"):
        draw(body, drawn=drawn, center_kji=(12, 20, 38))
    with pytest.raises(InputError, match="a tumor of this size reaches into bone"):
        draw(body, statistics=Same((90.0, 70.0, 60.0)), center_kji=SPOT)
