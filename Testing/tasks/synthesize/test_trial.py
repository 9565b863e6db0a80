"""One try: a tumor where it was asked for, seen by the segmenter without being told, held against what that says."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance
from DiffuFuseMedLib.tasks.synthesize.synthesize import Synthesizer
from DiffuFuseMedLib.tasks.synthesize.trial import Kind, fainter, overlap_of, placed, try_tumor

KIND = Kind(20.0)
MUSCLE = (20, 18, 30)  # k, j, i


@pytest.fixture(scope="module")
def ready(a_thigh, a_synthesizer):
    return Synthesizer(a_thigh, a_synthesizer)


def test_it_lies_where_it_was_asked_for_and_is_as_large(ready):
    at = placed(ready, KIND, 3, MUSCLE)
    assert at.center_kji == MUSCLE
    middle = np.argwhere(at.mask).mean(axis=0) * 4
    assert np.abs(middle - np.array(MUSCLE) * 4).max() < 5
    assert at.mask.sum() * 64 == pytest.approx(np.pi / 6 * 20**3, rel=0.35)


def test_the_segmenter_sees_it_without_being_told_where(ready):
    given = []

    def segment(case):
        given.append(case)
        return case.volumes["PET"].array != ready.case.volumes["PET"].array

    trial = try_tumor(ready, segment, KIND, 3, placed(ready, KIND, 3, MUSCLE))
    _, case = given
    assert given[0].volumes["PET"] is ready.case.volumes["PET"]
    assert case.reference_mask is None and not case.references
    np.testing.assert_array_equal(case.volumes["CT"].array, trial.made.volumes["CT"].array)
    assert trial.made.mask[MUSCLE] and trial.called[MUSCLE]
    assert trial.probed.found and trial.probed.recall > 0.9 and trial.probed.seed == 3


def test_what_is_called_lesion_without_it_is_told_and_not_asked_again(ready):
    given, bare = [], np.zeros(ready.case.grid.shape, bool)
    bare[:, :, :30] = True
    at = placed(ready, KIND, 3, MUSCLE)

    def segment(case):
        given.append(case)
        return ~bare

    trial = try_tumor(ready, segment, KIND, 3, at, bare)
    assert len(given) == 1 and trial.probed.before == pytest.approx(at.mask[:, :, :30].sum() / at.mask.sum())
    assert trial.probed.before == pytest.approx(1 - trial.probed.recall) and 0.2 < trial.probed.before < 0.8


def test_without_pet_there_is_no_uptake_to_tell(a_thigh, a_synthesizer):
    without = Synthesizer(a_thigh.only(["CT", "MR_T1"]), a_synthesizer)
    trial = try_tumor(without, lambda case: np.zeros(case.grid.shape, bool), KIND)
    assert trial.probed.suv_mean is None and not trial.probed.found


def test_a_try_is_stopped_when_told(ready):
    with pytest.raises(CancelledError):
        placed(ready, KIND, 0, MUSCLE, cancel=lambda: True)


@pytest.mark.parametrize(("diameter", "contrast"), [(1.0, 1.0), (20.0, 9.0), (float("nan"), 1.0)])
def test_a_kind_that_cannot_be_is_refused(diameter, contrast):
    with pytest.raises(InputError, match=r"5 to 300|0\.05 to 3"):
        Kind(diameter, contrast)


def test_half_the_contrast_is_half_the_uptake():
    look = fainter(Appearance(8.0, 4.0, 1.5, 9.0, 40.0), 0.5)
    assert (look.suv_max, look.suv_mean, look.rim_to_center, look.t1_contrast, look.ct_hu) == (4.0, 2.0, 1.5, 3.0, 40.0)


def test_overlap_is_with_the_pieces_that_touch_the_tumor():
    tumor, called = np.zeros((1, 4, 10), bool), np.zeros((1, 4, 10), bool)
    tumor[0, :, 2:6] = True  # 16 voxels
    called[0, :2, 4:8] = True  # 8, of which 4 lie on it
    called[0, :, 9] = True  # elsewhere
    assert overlap_of(called, tumor) == (pytest.approx(4 / 20), pytest.approx(4 / 16))
    assert overlap_of(np.zeros_like(called), tumor) == (0.0, 0.0)
