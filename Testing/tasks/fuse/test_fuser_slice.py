"""One slice under the sliders: any plane, the same again, cached or not, and one sentence for what cannot be."""

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.core.presets import PRESETS
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems.clin_fusediff import FEATHER_PX
from DiffuFuseMedLib.tasks.fuse import PLANES, Fuser, FusionSettings
from DiffuFuseMedLib.tasks.fuse.opened_case import KEPT_SLICES, border_distance_mm, pair_of
from scipy.ndimage import distance_transform_cdt

SHAPE = (12, 36, 32)
SIZES = {"axial": (36, 32), "coronal": (12, 32), "sagittal": (12, 36)}


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("end", [0, -1])
def test_every_plane_has_pictures_from_its_first_to_its_last_slice(a_fuser, opened, plane, end):
    picture = a_fuser.slice(opened(), plane, range(SHAPE[PLANES[plane]])[end], FusionSettings())
    assert picture.image.shape == picture.uncertainty.shape == SIZES[plane]
    assert picture.image.dtype == picture.uncertainty.dtype == np.float32
    assert 0 <= picture.image.min() < picture.image.max() <= 1
    assert 0 <= picture.uncertainty.min() <= picture.uncertainty.max() <= 1


@pytest.mark.parametrize("steps", [1, 3])
def test_the_same_slice_and_seed_is_the_same_picture(a_fuser, opened, steps):
    settings = FusionSettings(steps=steps, samples=2)
    one, again = (a_fuser.slice(opened(), "coronal", 17, settings) for _ in range(2))
    assert np.array_equal(one.image, again.image) and np.array_equal(one.uncertainty, again.uncertainty)
    other = a_fuser.slice(opened(), "coronal", 17, replace(settings, seed=1))
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("changed", [{"alpha": 0.1}, {"gamma": 1.0}, {"tau_mm": 5.0}, {"lambdas": (2.0, 0.0, 0.0)}])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_slice_from_the_cache_is_the_slice_made_anew(a_fuser, opened, steps, changed):
    case, settings = opened(), FusionSettings(steps=steps, samples=2)
    a_fuser.slice(case, "axial", 5, settings)
    cached = a_fuser.slice(case, "axial", 5, replace(settings, **changed))
    anew = a_fuser.slice(opened(), "axial", 5, replace(settings, **changed))
    assert np.array_equal(cached.image, anew.image) and np.array_equal(cached.uncertainty, anew.uncertainty)


def test_a_moved_slider_needs_no_network(a_fuser, opened, monkeypatch):
    case = opened()
    before = a_fuser.slice(case, "axial", 5, FusionSettings(alpha=0.1))
    monkeypatch.setattr(a_fuser, "_members", lambda *_: pytest.fail("the network ran again"))
    after = a_fuser.slice(case, "axial", 5, FusionSettings(alpha=0.9))
    assert np.abs(before.image - after.image).max() > 0.01


@pytest.fixture
def calls(a_fuser, monkeypatch):
    """Grows by one entry whenever the student's network runs."""
    ran, real = [], a_fuser.network.unet.forward
    monkeypatch.setattr(a_fuser.network.unet, "forward", lambda *x: ran.append(1) or real(*x))
    return ran


@pytest.mark.parametrize("steps", [1, 2])
def test_without_uncertainty_the_picture_is_the_same_from_one_member(a_fuser, opened, calls, steps):
    settings = FusionSettings(samples=3, steps=steps)
    alone = a_fuser.slice(opened(), "axial", 5, settings, uncertainty=False)
    assert len(calls) == steps
    whole = a_fuser.slice(opened(), "axial", 5, settings)
    assert len(calls) == steps + 3 * steps
    assert alone.uncertainty is None
    assert np.array_equal(alone.image, whole.image)


def test_uncertainty_asked_for_later_uses_what_was_computed(a_fuser, opened, calls):
    case, settings = opened(), FusionSettings(samples=4)
    alone = a_fuser.slice(case, "axial", 5, settings, uncertainty=False)
    later = a_fuser.slice(case, "axial", 5, settings)
    assert len(calls) == 4
    again = a_fuser.slice(case, "axial", 5, settings, uncertainty=False)
    two = a_fuser.slice(case, "axial", 5, replace(settings, samples=2))
    assert len(calls) == 4
    anew, two_anew = (a_fuser.slice(opened(), "axial", 5, replace(settings, samples=n)) for n in (4, 2))
    assert np.array_equal(alone.image, later.image) and np.array_equal(again.image, later.image)
    assert np.array_equal(anew.image, later.image) and np.array_equal(anew.uncertainty, later.uncertainty)
    assert np.array_equal(two.uncertainty, two_anew.uncertainty)


def test_a_slice_whose_uncertainty_was_asked_for_is_the_last_to_be_forgotten(a_fuser, opened):
    case, settings = opened((3, 20, KEPT_SLICES + 1)), FusionSettings(samples=2)
    for index in range(KEPT_SLICES):
        a_fuser.slice(case, "sagittal", index, settings, uncertainty=False)
    a_fuser.slice(case, "sagittal", 0, settings)
    a_fuser.slice(case, "sagittal", KEPT_SLICES, settings, uncertainty=False)
    assert {key[1] for key in case.components} == set(range(KEPT_SLICES + 1)) - {1}


def test_the_cache_keeps_a_few_slices_only(a_fuser, opened):
    case = opened((3, 20, KEPT_SLICES + 3))
    for index in range(KEPT_SLICES + 3):
        a_fuser.slice(case, "sagittal", index, FusionSettings(samples=1))
    assert len(case.components) == KEPT_SLICES


def test_more_members_leave_the_picture_and_change_its_doubt(a_fuser, opened):
    one, four = (a_fuser.slice(opened(), "axial", 5, FusionSettings(samples=n)) for n in (1, 4))
    assert np.array_equal(one.image, four.image)
    assert one.uncertainty.max() == one.uncertainty.min() < four.uncertainty.max()


def test_the_calibration_of_the_student_is_what_makes_the_doubt(fusion_models, opened):
    model = zoo.load("clin-fusediff-student", folder=fusion_models)
    sure = replace(model, record=replace(model.record, calibration={"scale": 2.0, "offset": -20.0}))
    case, settings = opened(), FusionSettings()
    assert Fuser(sure).slice(case, "axial", 5, settings).uncertainty.max() < 1e-3


def test_what_the_mri_says_outside_its_field_of_view_does_not_matter(a_fuser, a_case, rois_of):
    case, settings = a_case(SHAPE), FusionSettings(samples=1)
    lying = case.volumes["MR_T1"].array.copy()
    lying[~case.valid["MR_T1"]] = 1e6
    other = replace(case, volumes={**case.volumes, "MR_T1": Volume(lying, case.grid, "MR_T1")})
    pictures = [a_fuser.slice(a_fuser.open(c, rois_of(SHAPE), settings), "axial", 5, settings) for c in (case, other)]
    assert (~case.valid["MR_T1"]).any()
    assert np.array_equal(pictures[0].image, pictures[1].image)


@pytest.mark.parametrize(("slider", "roi"), [("alpha", "soft"), ("beta", "bone"), ("gamma", "lesion")])
def test_no_pixel_beyond_the_feather_of_its_roi_changes(a_fuser, opened, slider, roi):
    case = opened()
    images = [a_fuser.slice(case, "axial", 5, FusionSettings(samples=1, **{slider: at})).image for at in (0.0, 1.0)]
    far = distance_transform_cdt(~getattr(case.rois, roi)[5], "chessboard") > FEATHER_PX
    assert not np.array_equal(*images)
    assert np.array_equal(images[0][far], images[1][far])
    assert far.any() or roi == "soft"


def test_a_pair_holds_the_slices_and_their_neighbors(opened):
    case = opened()
    pair = pair_of(case, "coronal", [0, 20, 35])
    assert pair.mri.shape == (3, 3, 12, 32) and pair.masks.shape == (3, 4, 12, 32)
    for row, indices in enumerate([(0, 0, 1), (19, 20, 21), (34, 35, 35)]):
        for n, index in enumerate(indices):
            assert np.array_equal(pair.mri[row, n], case.mri[:, index])
            assert np.array_equal(pair.ct[row, n], case.ct[:, index])
        assert np.array_equal(pair.masks[row], case.masks[:, :, indices[1]])


def test_the_distance_to_the_border_is_in_mm_along_each_axis():
    lesion = np.zeros((7, 9), bool)
    lesion[3, 4] = True
    distance = border_distance_mm(lesion, (3.0, 0.5))[0, 0]
    assert distance[3, 6].item() == 1.0 and distance[5, 4].item() == 6.0
    assert border_distance_mm(np.zeros((7, 9), bool), (1.0, 1.0)).min() > 50


@pytest.mark.parametrize(("plane", "index"), [("oblique", 3), ("axial", -1), ("axial", 12), ("sagittal", 32)])
def test_a_slice_that_is_not_there_is_refused(a_fuser, opened, plane, index):
    with pytest.raises(InputError, match=r"^Given .*, wanted one .*: choose .*\.$"):
        a_fuser.slice(opened(), plane, index, FusionSettings())


BAD = [
    *({"steps": n} for n in (0, 5)),
    *({"samples": n} for n in (0, 33)),
    *({name: value} for name in ("alpha", "beta", "gamma") for value in (-0.01, 1.01, float("nan"))),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_settings_out_of_range_are_refused_everywhere(a_fuser, opened, rois_of, bad):
    settings = FusionSettings(**bad)
    gray = np.zeros((20, 20), np.float32)
    for ask in (
        lambda: a_fuser.slice(opened(), "axial", 3, settings),
        lambda: a_fuser.volume(opened(), settings),
        lambda: a_fuser.picture(gray, gray, rois_of((20, 20)), settings),
    ):
        with pytest.raises(InputError, match=next(iter(bad))):
            ask()


@pytest.mark.parametrize("left", [("CT", "PET"), ("PET", "MR_T1"), ()])
def test_a_case_without_ct_or_mr_is_refused(a_fuser, a_case, rois_of, left):
    with pytest.raises(InputError, match="a CT and an MR to fuse"):
        a_fuser.open(a_case().only(left), rois_of(SHAPE), FusionSettings())


def test_rois_of_another_shape_are_refused(a_fuser, a_case, rois_of):
    with pytest.raises(InputError, match=r"ROIs of \(11, 36, 32\)"):
        a_fuser.open(a_case(), rois_of((11, 36, 32)), FusionSettings())


def test_the_window_acts_when_the_case_is_opened(a_fuser, a_case, rois_of):
    narrow, wide = (
        a_fuser.open(a_case(), rois_of(SHAPE), FusionSettings(ct_window_hu=w)).ct for w in ((0, 80), (-1000, 1000))
    )
    assert narrow.std() > 4 * wide.std()


def test_a_preset_becomes_settings():
    preset = PRESETS["bone-tumor"]
    settings = FusionSettings.from_preset(preset)
    assert (settings.alpha, settings.beta, settings.gamma) == (preset.alpha, preset.beta, preset.gamma)
    assert (settings.lambdas, settings.tau_mm, settings.ct_window_hu) == (
        preset.lambdas,
        preset.tau_mm,
        preset.ct_window_hu,
    )


def test_both_models_are_found_where_models_are(fusion_models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
    shipped = Fuser.shipped()
    assert (shipped.student.record.id, shipped.teacher.record.id) == ("clin-fusediff-student", "clin-fusediff-teacher")


def test_other_rois_keep_the_pictures_and_the_slices_whose_masks_are_the_same(a_fuser, opened, rois_of):
    case = opened()
    for index in (3, 8):
        a_fuser.slice(case, "axial", index, FusionSettings())
    before = rois_of(case.grid.shape)
    soft = before.soft.copy()
    soft[8] = False
    other = case.with_rois(replace(before, soft=soft))
    assert other.ct is case.ct
    assert other.mri is case.mri
    assert [key[:2] for key in other.components] == [("axial", 3)]
    assert len(case.components) == 2


def test_another_lesion_needs_no_network_and_is_the_picture_made_anew(a_fuser, opened, rois_of, calls):
    case, rois = opened(), rois_of(SHAPE)
    a_fuser.slice(case, "axial", 5, FusionSettings(samples=1))
    moved = replace(rois, lesion=np.roll(rois.lesion, 2, axis=1))
    ran, kept = len(calls), a_fuser.slice(case.with_rois(moved), "axial", 5, FusionSettings(samples=1)).image
    assert len(calls) == ran
    anew = replace(case, components=OrderedDict(), accents={}).with_rois(moved)
    assert np.array_equal(kept, a_fuser.slice(anew, "axial", 5, FusionSettings(samples=1)).image)
    assert not np.array_equal(kept, a_fuser.slice(case, "axial", 5, FusionSettings(samples=1)).image)


@pytest.mark.parametrize("guided_or_steps", [{"steps": 1}, {"steps": 3}])
def test_without_gamma_the_picture_is_exactly_the_one_without_a_lesion(a_fuser, opened, rois_of, guided_or_steps):
    case, none = opened(), np.zeros(SHAPE, bool)
    settings = FusionSettings(gamma=0.0, **guided_or_steps)
    bare = case.with_rois(replace(rois_of(SHAPE), lesion=none))
    for plane, index in (("axial", 5), ("coronal", 14), ("sagittal", 20)):
        with_lesion, without = (a_fuser.slice(c, plane, index, settings) for c in (case, bare))
        assert np.array_equal(with_lesion.image, without.image)
        assert np.array_equal(with_lesion.uncertainty, without.uncertainty)
        at_one = a_fuser.slice(bare, plane, index, replace(settings, gamma=1.0))
        assert np.array_equal(at_one.image, without.image)


def test_the_ensemble_stops_between_members_and_keeps_what_it_has(a_fuser, opened):
    case, asked = opened(), []
    with pytest.raises(CancelledError):
        a_fuser.slice(case, "axial", 3, FusionSettings(samples=6), cancel=lambda: asked.append(1) or len(asked) == 3)
    (members,) = case.components.values()
    assert len(members) == 3
    whole = a_fuser.slice(case, "axial", 3, FusionSettings(samples=6))
    np.testing.assert_array_equal(
        whole.uncertainty, a_fuser.slice(opened(), "axial", 3, FusionSettings(samples=6)).uncertainty
    )


def test_the_picture_alone_is_never_stopped(a_fuser, opened):
    picture = a_fuser.slice(opened(), "axial", 3, FusionSettings(), uncertainty=False, cancel=lambda: True)
    assert picture.image.any()
