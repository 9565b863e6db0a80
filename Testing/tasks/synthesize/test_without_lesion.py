"""What a synthetic tumor is drawn into: without the drawn lesion where something takes it out, as a sentence says."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.tasks.synthesize.without_lesion import AS_IT_IS, KEPT, MADE_UP, NOT_TAKEN, without_lesion


@pytest.fixture(scope="module")
def case(with_tumor):
    return with_tumor("ill", 4, 6.0)


def test_the_drawn_lesion_is_taken_out_of_every_image(case, an_inpainter):
    ready = without_lesion(case, lambda: an_inpainter)
    drawn = case.reference_mask.array > 0
    for key, volume in case.volumes.items():
        assert (ready.volumes[key].array[drawn] != volume.array[drawn]).mean() > 0.9
    assert ready.reference_mask is None and ready.notes[-1].endswith("taken out by tiny-inpainter first.")


def test_a_body_that_is_mostly_made_up_is_told(case, an_inpainter):
    everywhere = case.reference_mask.with_array(np.ones_like(case.reference_mask.array))
    ready = without_lesion(replace(case, reference_mask=everywhere), lambda: an_inpainter)
    assert ready.notes[-1].endswith(f"first.{MADE_UP}")


def test_it_stays_where_nothing_takes_it_out_and_why_is_told(case):
    def lacks():
        raise InputError("None is installed.")

    for inpainter, note in ((None, KEPT), (lacks, f"{NOT_TAKEN} None is installed.")):
        ready = without_lesion(case, inpainter)
        assert ready.notes[-1] == note and ready.reference_mask is case.reference_mask
        np.testing.assert_array_equal(ready.volumes["PET"].array, case.volumes["PET"].array)


def test_a_case_in_which_nothing_is_drawn_is_as_it_is(a_thigh):
    assert without_lesion(a_thigh, lambda: pytest.fail("nothing to take out")).notes[-1] == AS_IT_IS


def test_the_removal_is_stopped_when_told(case, an_inpainter):
    with pytest.raises(CancelledError):
        without_lesion(case, lambda: an_inpainter, cancel=lambda: True)
