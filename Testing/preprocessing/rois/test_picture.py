"""Skull and brain of one pair of pictures: a drawn head with every trap, and the Harvard slices that were looked at."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.preprocessing.rois import MODEL, SCORING, picture_rois
from PIL import Image

HARVARD = Path(__file__).resolve().parents[4] / "shared" / "data" / "harvard" / "CT-MRI"
BRAIN, BONE, FLUID = 0.35, 1.0, 0.2


def disc(center, radius, shape=(256, 256)):
    j, i = np.indices(shape)
    return (j - center[0]) ** 2 + (i - center[1]) ** 2 <= radius**2


EYE = disc((36, 100), 13)


@pytest.fixture
def a_head():
    """(ct, mri, brain): scalp, skull with a gap of 12 px, brain with calcification and bleeding, head holder;

    in front an orbit of thin bone, open to the front by a fifth, with fat and an eye.
    """
    skull, brain = disc((140, 128), 82) & ~disc((140, 128), 74), disc((140, 128), 74)
    scalp, holder = disc((140, 128), 92), disc((140, 128), 118) & ~disc((140, 128), 115)
    ct, mri = np.zeros((256, 256), np.float32), np.zeros((256, 256), np.float32)
    ct[scalp], mri[scalp] = 0.3, 0.6
    ct[skull], mri[skull] = BONE, 0.02
    ct[brain], mri[brain] = BRAIN, 0.5
    gap = skull & (np.abs(np.indices(ct.shape)[1] - 128) < 6) & (np.indices(ct.shape)[0] > 140)
    ct[gap] = BRAIN
    orbit = disc((36, 100), 24)
    ct[orbit], mri[orbit] = 0, 0.4
    ct[orbit & ~disc((36, 100), 21) & (np.indices(ct.shape)[0] > 22)] = BONE
    ct[EYE], mri[EYE] = BRAIN, 0.9
    ct[disc((150, 110), 4)] = BONE  # calcification
    ct[disc((120, 150), 12)], mri[disc((120, 150), 12)] = 0.6, 0.05  # bleeding, black in the MRI
    ct[holder & (np.indices(ct.shape)[0] > 200)] = BONE
    rng = np.random.default_rng(0)
    return np.clip(ct + 0.02 * rng.standard_normal(ct.shape) * (ct > 0), 0, 1).astype(np.float32), mri, brain


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_the_brain_fills_a_skull_with_a_gap(a_head):
    ct, mri, brain = a_head
    assert dice(picture_rois(ct, mri).soft, brain) > 0.96


def test_calcification_and_bleeding_belong_to_the_brain(a_head):
    ct, mri, _ = a_head
    rois = picture_rois(ct, mri)
    assert rois.soft[150, 110] and rois.soft[120, 150]
    assert not rois.bone[disc((140, 128), 70)].any()


def test_the_head_holder_is_no_bone(a_head):
    ct, mri, _ = a_head
    rois = picture_rois(ct, mri)
    assert ct[234:, 60:200].max() > 0.9  # it is there
    assert not rois.bone[234:].any() and not rois.inside[236:].any()


@pytest.mark.parametrize("with_mri", [False, True])
def test_an_eye_in_its_orbit_and_the_scalp_are_no_brain(a_head, with_mri):
    ct, mri, _ = a_head
    rois = picture_rois(ct, mri if with_mri else None)
    assert not rois.soft[~disc((140, 128), 83)].any()
    assert rois.inside[EYE].all() or not with_mri


def test_what_sees_bone_on_three_sides_only_is_no_brain():
    """A cup of bone with muscle in it: two thirds of a ring."""
    j, _ = np.indices((256, 256))
    ct = np.where(disc((128, 128), 100), 0.3, 0.0).astype(np.float32)
    ct[disc((128, 128), 60) & ~disc((128, 128), 52) & (j > 102)] = BONE
    rois = picture_rois(ct, None)
    assert rois.bone[184, 128] and not rois.soft.any()


def test_the_mri_is_not_needed(a_head):
    ct, _, brain = a_head
    assert dice(picture_rois(ct, None).soft, brain) > 0.96


def test_the_scoring_brain_is_smaller_and_nearly_the_same(a_head):
    ct, mri, _ = a_head
    model, scoring = picture_rois(ct, mri, MODEL).soft, picture_rois(ct, mri, SCORING).soft
    assert scoring.sum() < model.sum() and dice(model, scoring) > 0.95


def test_a_picture_of_bone_alone_has_no_brain():
    ct = disc((128, 128), 60).astype(np.float32)
    rois = picture_rois(ct, None)
    assert not rois.soft.any() and dice(rois.bone, ct > 0) > 0.95


def test_a_black_picture_has_no_rois():
    rois = picture_rois(np.zeros((64, 64)), np.zeros((64, 64)))
    assert not (rois.soft | rois.bone | rois.inside).any()


@pytest.mark.parametrize(
    ("ct", "mri", "said"),
    [
        (np.zeros((4, 8, 8)), None, "shape"),
        (np.zeros((8, 8)), np.zeros((8, 9)), "pictures of"),
        (np.full((8, 8), 255.0), None, "outside 0..1"),
        (np.zeros((8, 8)), np.full((8, 8), np.nan), "outside 0..1"),
    ],
)
def test_refuses_what_is_no_pair_of_gray_pictures(ct, mri, said):
    with pytest.raises(InputError, match=said):
        picture_rois(ct, mri)


@pytest.fixture
def a_harvard_slice():
    if not HARVARD.is_dir():
        pytest.skip("the Harvard pictures are not on this machine: they may not be shipped")

    def read(name):
        return [np.asarray(Image.open(HARVARD / m / f"{name}.png"), np.float32) / 255 for m in ("CT", "MRI")]

    return read


# Points (j, i) that were looked at: inside the brain, and in an eye, orbit, muscle, petrous bone or sinus.
LOOKED_AT = {
    "16009": ([(150, 120), (110, 75), (110, 165)], [(55, 90), (55, 150), (80, 90), (80, 150), (75, 120)]),
    "16012": ([(150, 120), (90, 120)], [(60, 155), (60, 85)]),
    "34008": ([(170, 140), (108, 80), (100, 165)], [(133, 85), (90, 110), (70, 80)]),
    "33013": ([(170, 165), (120, 100), (180, 90)], [(15, 128)]),
    "37011": ([(150, 120)], [(50, 152), (52, 86)]),
    "34004": ([(175, 130)], [(98, 101), (60, 120)]),
    "20007": ([(170, 130)], [(60, 120)]),
}


@pytest.mark.parametrize("name", LOOKED_AT)
@pytest.mark.parametrize("thresholds", [MODEL, SCORING], ids=lambda t: t.name)
def test_skull_base_slices_keep_the_brain_and_leave_the_orbits(a_harvard_slice, name, thresholds):
    rois = picture_rois(*a_harvard_slice(name), thresholds)
    inside, outside = LOOKED_AT[name]
    assert [p for p in inside if not rois.soft[p]] == []
    assert [p for p in outside if rois.soft[p]] == []


def test_the_mri_finds_a_temporal_lobe_that_beam_hardening_made_as_bright_as_bone(a_harvard_slice):
    ct, mri = a_harvard_slice("20007")
    assert picture_rois(ct, mri).soft[119, 77] and not picture_rois(ct, None).soft[119, 77]
