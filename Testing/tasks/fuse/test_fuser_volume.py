"""The whole volume: three planes' mean, doubt from the ensemble, progress, cancel, the guided teacher."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.tasks.fuse import Fuser, FusionSettings
from DiffuFuseMedLib.tasks.fuse import fuser as module

ONE = FusionSettings(samples=1)
GUIDED = replace(ONE, guided=True)
SMALL = (3, 20, 18)


@pytest.fixture(autouse=True)
def few_guided_steps(monkeypatch):
    monkeypatch.setattr(module, "GUIDED_STEPS", 3)


@pytest.mark.parametrize("shape", [(17, 20, 18), SMALL, (3, 10, 40), (5, 9, 9)])
def test_a_volume_of_any_shape_has_a_picture_and_a_doubt_everywhere(a_fuser, opened, shape):
    fused = a_fuser.volume(opened(shape), FusionSettings(samples=2))
    assert fused.image.shape == fused.uncertainty.shape == shape
    assert fused.image.dtype == fused.uncertainty.dtype == np.float32
    assert 0 <= fused.image.min() < fused.image.max() <= 1
    assert 0 <= fused.uncertainty.min() < fused.uncertainty.max() <= 1
    assert set(fused.flicker) == {"axial", "coronal", "sagittal"}


def test_a_voxel_is_the_mean_of_its_three_slices(a_fuser, opened):
    case = opened((17, 20, 18))
    volume = a_fuser.volume(case, ONE).image
    slices = [
        a_fuser.slice(case, plane, index, ONE).image
        for plane, index in (("axial", 4), ("coronal", 7), ("sagittal", 11))
    ]
    expected = np.mean([slices[0][7, 11], slices[1][4, 11], slices[2][4, 7]])
    assert volume[4, 7, 11] == pytest.approx(expected, abs=5e-3)  # bfloat16 rounds otherwise in another batch


def test_a_thin_volume_is_its_axial_slices(a_fuser, opened):
    case = opened(SMALL)
    volume = a_fuser.volume(case, ONE).image
    for k in range(3):
        assert np.allclose(volume[k], a_fuser.slice(case, "axial", k, ONE).image, atol=5e-3)


def test_batches_do_not_show(a_fuser, opened, monkeypatch):
    whole = a_fuser.volume(opened(), ONE).image
    monkeypatch.setattr(module, "BATCH_PIXELS", 36 * 32 * 2)
    assert np.allclose(a_fuser.volume(opened(), ONE).image, whole, atol=5e-3)


def test_two_runs_are_one_volume(a_fuser, opened):
    settings = FusionSettings(samples=2, steps=2)
    one, again = (a_fuser.volume(opened(), settings) for _ in range(2))
    assert np.array_equal(one.image, again.image) and np.array_equal(one.uncertainty, again.uncertainty)


@pytest.mark.parametrize("settings", [FusionSettings(samples=3), replace(GUIDED, samples=2)], ids=["student", "guided"])
def test_progress_rises_to_1(a_fuser, opened, settings):
    told = []
    a_fuser.volume(opened((6, 20, 18)), settings, lambda share, words: told.append((share, words)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and len(set(shares)) > 2
    assert 0 <= shares[0] < 0.5 and shares[-1] == pytest.approx(1)
    assert all(words for _, words in told)


@pytest.mark.parametrize("settings", [FusionSettings(samples=3), GUIDED], ids=["student", "guided"])
@pytest.mark.parametrize("after", [1, 2, 4])
def test_cancel_stops_the_volume(a_fuser, opened, settings, after):
    calls = []
    with pytest.raises(CancelledError):
        a_fuser.volume(opened((17, 20, 18)), settings, cancel=lambda: calls.append(1) or len(calls) == after)
    assert len(calls) == after


def test_the_provenance_says_what_made_the_volume(a_fuser, opened):
    for settings in (ONE, replace(GUIDED, seed=3)):
        told = a_fuser.volume(opened(SMALL), settings).provenance
        assert ("teacher" in told) == settings.guided
        for role in ("student", "teacher") if settings.guided else ("student",):
            record = getattr(a_fuser, role).record
            assert told[role] == {"id": record.id, "sha256": record.sha256}
        assert {name: told[name] for name in asdict(settings)} == asdict(settings)
        assert told["calibrated"] is False


def test_the_teacher_fuses_a_slice_a_picture_and_a_volume(a_fuser, opened, rois_of):
    case = opened(SMALL)
    volume = a_fuser.volume(case, GUIDED)
    assert volume.image.shape == SMALL and 0 <= volume.image.min() < volume.image.max() <= 1
    one = a_fuser.slice(case, "axial", 1, replace(GUIDED, samples=2))
    assert one.image.shape == (20, 18) and one.uncertainty.max() > one.uncertainty.min()
    assert np.allclose(one.image, volume.image[1], atol=0.05)  # the same noise, whatever the batch
    thin = a_fuser.slice(case, "coronal", 4, GUIDED)
    assert thin.image.shape == (3, 18)
    gray = np.random.default_rng(0).random((16, 16), np.float32)
    assert a_fuser.picture(gray, gray, rois_of((16, 16)), GUIDED).image.shape == (16, 16)


def test_a_guided_slice_without_uncertainty_is_the_same_picture(a_fuser, opened, monkeypatch):
    case, settings = opened(SMALL), replace(GUIDED, samples=2)
    whole, drawn, real = a_fuser.slice(case, "axial", 1, settings), [], a_fuser._guided
    monkeypatch.setattr(a_fuser, "_guided", lambda *x: drawn.append(1) or real(*x))
    alone = a_fuser.slice(case, "axial", 1, settings, uncertainty=False)
    assert (len(drawn), alone.uncertainty) == (1, None)
    assert np.array_equal(alone.image, whole.image)


def test_the_guided_teacher_follows_its_sliders(a_fuser, opened):
    case = opened(SMALL)
    off, on = (a_fuser.slice(case, "axial", 1, replace(GUIDED, alpha=a, beta=a, gamma=0.0)).image for a in (0.0, 1.0))
    assert np.abs(off - on).mean() > 1e-3


def test_without_a_teacher_there_is_no_guided_fusion(a_fuser, opened):
    alone = Fuser(a_fuser.student)
    for ask in (lambda: alone.slice(opened(SMALL), "axial", 0, GUIDED), lambda: alone.volume(opened(SMALL), GUIDED)):
        with pytest.raises(InputError, match="without its teacher"):
            ask()
