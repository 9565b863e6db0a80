"""Which synthetic tumors a segmenter finds: sizes and contrasts as they were told, hits as they are defined."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.tasks.synthesize.probe import Plan, probe
from DiffuFuseMedLib.tasks.synthesize.synthesize import Synthesizer

PLAN = Plan(diameters_mm=(12.0, 24.0), contrasts=(1.0, 0.5), count=2, seed=3)


def nothing(case):
    return np.zeros(case.grid.shape, bool)


@pytest.fixture(scope="module")
def ready(a_thigh, a_synthesizer):
    return Synthesizer(replace(a_thigh, reference_mask=None), a_synthesizer)


@pytest.fixture(scope="module")
def found(ready):
    """By a segmenter that calls nothing lesion, and remembers what it was given."""
    given = []

    def segment(case):
        given.append(case)
        return nothing(case)

    return probe(ready, segment, PLAN), given


def test_every_kind_is_tried_and_the_case_as_it_is(found, ready):
    result, given = found
    kinds = [(12.0, 1.0), (12.0, 0.5), (24.0, 1.0), (24.0, 0.5)]
    assert [(t.diameter_mm, t.contrast) for t in result.tumors] == [kind for kind in kinds for _ in range(2)]
    assert len(given) == 9 and result.misfits == {} and result.false_ml == 0
    assert all(case.reference_mask is None for case in given), "what was drawn never reaches the segmenter"
    changed = [not np.array_equal(c.volumes["CT"].array, ready.case.volumes["CT"].array) for c in given]
    assert changed == [False] + [True] * 8


def test_a_tumor_is_as_large_as_a_ball_of_that_diameter_but_for_its_deformation(found):
    for tumor in found[0].tumors:
        ball_ml = np.pi / 6 * tumor.diameter_mm**3 / 1000
        assert 0.6 * ball_ml < tumor.volume_ml < 1.5 * ball_ml


def test_no_two_tumors_are_of_one_seed(found):
    assert [tumor.seed for tumor in found[0].tumors] == list(range(3, 11))


def test_a_faint_tumor_takes_up_less(found):
    whole, half = ([t.suv_mean for t in found[0].tumors if t.contrast == c] for c in (1.0, 0.5))
    assert np.mean(half) < 0.8 * np.mean(whole)


def test_what_is_called_lesion_on_the_tumor_counts_and_elsewhere_is_false(ready):
    def of_the_tumor(case):
        return case.volumes["PET"].array != ready.case.volumes["PET"].array

    result = probe(ready, of_the_tumor, replace(PLAN, diameters_mm=(24.0,), contrasts=(1.0,)))
    assert all(tumor.found and tumor.recall > 0.9 for tumor in result.tumors)
    assert result.false_ml == 0
    everywhere = probe(ready, lambda case: ~nothing(case), replace(PLAN, diameters_mm=(12.0,), count=1))
    assert not any(t.found for t in everywhere.tumors), "the whole image is no finding"
    whole_ml = np.prod(ready.case.grid.shape) * ready.case.grid.voxel_mm3 / 1000
    assert everywhere.false_ml == pytest.approx(whole_ml)


def test_what_does_not_fit_is_counted_and_a_case_without_any_room_refused(ready):
    result = probe(ready, nothing, replace(PLAN, diameters_mm=(12.0, 290.0), contrasts=(1.0,)))
    assert result.misfits == {(290.0, 1.0): 2} and len(result.tumors) == 2
    with pytest.raises(InputError, match="without room for tumors of 290 mm"):
        probe(ready, nothing, replace(PLAN, diameters_mm=(290.0,), contrasts=(1.0,)))


def test_it_stops_when_told(ready):
    with pytest.raises(CancelledError):
        probe(ready, nothing, PLAN, cancel=lambda: True)


@pytest.mark.parametrize(
    "wrong",
    [{"diameters_mm": ()}, {"diameters_mm": (1.0,)}, {"contrasts": (0.0,)}, {"contrasts": (9.0,)}, {"count": 0}],
)
def test_a_plan_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        replace(PLAN, **wrong)
