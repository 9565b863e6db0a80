"""A tumor in a case: where voxels change, that nothing else does, and what is told of it."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.core.synthetic import WARNING
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance
from DiffuFuseMedLib.tasks.synthesize.blend import window_around
from DiffuFuseMedLib.tasks.synthesize.synthesize import SynthesisSettings, Synthesizer, synthesize
from scipy import ndimage


@pytest.fixture(scope="module")
def ready(a_thigh, a_synthesizer):
    return Synthesizer(a_thigh, a_synthesizer)


@pytest.fixture(scope="module")
def tumor(ready):
    return ready.tumor(SynthesisSettings(seed=1))


def test_a_seed_below_0_is_refused():
    with pytest.raises(InputError, match="the seed -1, wanted 0 or more"):
        SynthesisSettings(-1)


def test_far_from_the_tumor_every_voxel_is_kept_to_the_last_bit(ready, tumor, a_thigh):
    margin_mm = tumor.provenance["window_spacing_mm"] * 3
    far = ndimage.distance_transform_edt(~tumor.mask, sampling=a_thigh.grid.spacing_kji_mm) >= margin_mm
    for m, volume in tumor.volumes.items():
        assert np.array_equal(volume.array[far], a_thigh.volumes[m].array[far])
        assert (volume.array != a_thigh.volumes[m].array)[tumor.mask].mean() > 0.9
        assert not (volume.array != a_thigh.volumes[m].array)[~tumor.changed].any()
    assert not (tumor.mask & ~ready.room.soft).any()


def test_one_seed_one_tumor_in_every_modality_alike(ready, tumor):
    again, other = ready.tumor(SynthesisSettings(seed=1)), ready.tumor(SynthesisSettings(seed=2))
    assert np.array_equal(again.mask, tumor.mask) and not np.array_equal(other.mask, tumor.mask)
    assert all(np.array_equal(again.volumes[m].array, tumor.volumes[m].array) for m in tumor.volumes)


def test_there_is_room_where_every_image_shows_something(a_thigh, a_synthesizer, ready):
    valid = a_thigh.valid["PET"].copy()
    valid[20:] = False
    room = Synthesizer(replace(a_thigh, valid={**a_thigh.valid, "PET": valid}), a_synthesizer).room
    assert not room.soft[20:].any()
    np.testing.assert_array_equal(room.soft[:20], ready.room.soft[:20])


def test_at_one_place_the_seed_decides_what_is_drawn(ready, tumor):
    other = ready.tumor(SynthesisSettings(seed=2), at=ready.place(1))
    assert np.array_equal(other.mask, tumor.mask)
    assert not np.allclose(other.volumes["CT"].array[tumor.mask], tumor.volumes["CT"].array[tumor.mask], atol=0.01)


def test_means_and_contrast_are_those_that_were_drawn(tumor):
    wanted, seen = Appearance(**tumor.wanted), Appearance(**tumor.measured)
    assert seen.suv_mean == pytest.approx(wanted.suv_mean, rel=0.03)
    assert seen.t1_contrast == pytest.approx(wanted.t1_contrast, rel=0.08)
    assert seen.ct_hu == pytest.approx(wanted.ct_hu, abs=5)


def test_without_anchors_the_network_has_the_last_word(ready, tumor):
    free = ready.tumor(SynthesisSettings(seed=1, anchored=False))
    assert np.array_equal(free.mask, tumor.mask) and free.measured != tumor.measured
    assert not free.provenance["anchored"]


def test_what_lies_below_the_tumor_leaves_no_trace_in_what_the_network_makes(ready, a_thigh, a_synthesizer, tumor):
    at = ready.place(1)
    hot = a_thigh.volumes["PET"].with_array(np.where(at.mask, np.float32(30), a_thigh.volumes["PET"].array))
    other = Synthesizer(replace(a_thigh, volumes={**a_thigh.volumes, "PET": hot}), a_synthesizer)
    made = other.tumor(SynthesisSettings(seed=1), at=at)
    inner = ndimage.binary_erosion(at.mask, iterations=2)
    assert inner.any()
    assert np.allclose(made.volumes["PET"].array[inner], tumor.volumes["PET"].array[inner], atol=0.6)
    assert np.array_equal(made.volumes["CT"].array, tumor.volumes["CT"].array)


def test_the_tumor_goes_over_into_the_case_without_a_step(tumor, a_thigh):
    """What is changed far out in the margin is a small part of what is changed at the tumor's border."""
    far = ndimage.distance_transform_edt(~tumor.mask, sampling=a_thigh.grid.spacing_kji_mm)
    near, out = (far > 0) & (far <= 4) & tumor.changed, (far > 8) & tumor.changed
    for m, volume in tumor.volumes.items():
        off = np.abs(volume.array - a_thigh.volumes[m].array)
        assert 0 < np.median(off[out]) < 0.35 * np.median(off[near]), m


def test_an_absent_modality_is_not_made_up(a_thigh, a_synthesizer):
    made = synthesize(a_thigh.only(["CT", "PET"]), a_synthesizer, SynthesisSettings(seed=1))
    assert set(made.volumes) == {"CT", "PET"} and np.isnan(made.measured["t1_contrast"])


def test_the_case_gets_the_tumor_as_its_lesion_and_says_so(tumor, a_thigh):
    case = tumor.of(a_thigh)
    assert np.array_equal(case.reference_mask.array > 0, tumor.mask) and WARNING in case.notes
    told = tumor.provenance
    assert told["seed"] == 1 and told["model"] == "tiny-synthesizer" and told["notes"][0] == WARNING
    assert told["volume_ml"] == pytest.approx(tumor.mask.sum() * 0.064, abs=0.01)


def test_a_long_tumor_gets_a_wider_window(a_thigh, a_synthesizer):
    mask = np.zeros(a_thigh.grid.shape, bool)
    mask[2:38, 20:24, 20:24] = True
    window = window_around(a_thigh, mask, a_synthesizer)
    assert window.grid.spacing_mm[0] == pytest.approx(36 * 4 / (0.75 * 16)) and window.lesion.sum() > 0


def test_progress_cancel_and_what_cannot_be_used(a_thigh, a_synthesizer, an_inpainter, ready):
    shares = []
    ready.tumor(SynthesisSettings(seed=1), lambda share, what: shares.append(share))
    assert shares == sorted(shares) and len(shares) == 2
    with pytest.raises(CancelledError):
        ready.tumor(SynthesisSettings(seed=1), cancel=lambda: True)
    with pytest.raises(InputError, match="makes no tumors"):
        Synthesizer(a_thigh, an_inpainter)
    with pytest.raises(InputError, match="a CT"):
        Synthesizer(a_thigh.only(["PET"]), a_synthesizer)


def test_the_library_call_gives_the_same_tumor(a_thigh, a_synthesizer, synthesizers, tumor):
    from DiffuFuseMedLib import api

    for model in (a_synthesizer, str(synthesizers / "tiny-synthesizer")):
        made = api.synthesize(a_thigh, model, seed=1, device="cpu")
        assert np.array_equal(made.volumes["PET"].array, tumor.volumes["PET"].array)
