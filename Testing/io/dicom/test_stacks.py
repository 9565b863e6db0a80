"""Several images in one series, and a scout among its slices."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.frames import frames_of
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.series import find_series
from DiffuFuseMedLib.io.dicom.stacks import stacks_of

from Testing.fixtures.dicom_series import GAP_MM, NORMAL, ORIGIN, SLICES

TWICE = [ORIGIN + (k % SLICES) * GAP_MM * NORMAL for k in range(2 * SLICES)]


def stacks_in(folder):
    [series] = find_series(folder.path)
    notes = []
    return stacks_of([frame for header in series.headers for frame in frames_of(header)], series.name, notes), notes


@pytest.mark.parametrize(
    ("tag", "values", "labels"),
    [
        ("DiffusionBValue", (800.0, 50.0), ["b-value 50", "b-value 800"]),
        ("EchoTime", (4.6, 2.3), ["echo time 2.3", "echo time 4.6"]),
        ("TemporalPositionIdentifier", (2, 1), ["time point 1", "time point 2"]),
        ("AcquisitionNumber", (1, 2), ["acquisition 1", "acquisition 2"]),
        (
            "ImageType",
            (["DERIVED", "PRIMARY", "FAT"], ["DERIVED", "PRIMARY", "WATER"]),
            ["image type DERIVED/PRIMARY/WATER", "image type DERIVED/PRIMARY/FAT"],
        ),
    ],
)
def test_two_images_in_one_series_come_apart(folder, tag, values, labels):
    folder.series("MR", positions=TWICE, per_slice=lambda k: {tag: values[k // SLICES]})
    found, notes = stacks_in(folder)
    assert [stack.label for stack in found] == labels
    assert [len(stack.frames) for stack in found] == [SLICES, SLICES]
    assert f"holds 2 images ({', '.join(labels)})" in notes[0]


def test_two_tags_together_tell_what_neither_tells_alone(folder):
    positions = [ORIGIN + (k % 3) * GAP_MM * NORMAL for k in range(12)]
    folder.series("MR", positions=positions, per_slice=lambda k: {"EchoNumbers": k // 3 % 2, "TriggerTime": k // 6})
    found, _ = stacks_in(folder)
    assert found[0].label == "echo and trigger time 0 and 0"
    assert len(found) == 4


def test_each_image_has_its_own_voxels(folder):
    folder.series("MR", positions=TWICE, per_slice=lambda k: {"EchoTime": 2.0 if k < SLICES else 4.0})
    early, late = read_dicom_folder(folder.path)
    assert (early.meta["stack"], late.meta["stack"]) == ("echo time 2", "echo time 4")
    assert np.array_equal(late.array - early.array, np.full(early.array.shape, 100.0 * SLICES))


def test_slices_that_no_tag_tells_apart_are_refused(folder):
    folder.series("MR", positions=TWICE)
    with pytest.raises(InputError, match="at the position of another"):
        stacks_in(folder)


def test_a_scout_among_the_slices_is_left_out(folder):
    scout = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    positions = [*[ORIGIN + k * GAP_MM * NORMAL for k in range(SLICES)], ORIGIN]
    folder.series("CT", positions=positions, per_slice=lambda k: scout if k == SLICES else {})
    [stack], notes = stacks_in(folder)
    assert len(stack.frames) == SLICES
    assert notes == ["1 images of the CT series '7' lie in another plane or size than its slices and were left out."]


@pytest.mark.parametrize(
    ("positions_mm", "spacing_mm"), [((0, 1.3, 2.5, 3.8, 5.0), 1.25), ((0, 4.06, 8, 12.06, 16), 4.0)]
)
def test_positions_that_are_rounded_or_jitter_are_even(folder, positions_mm, spacing_mm):
    folder.series("CT", positions=[ORIGIN + d * NORMAL for d in positions_mm])
    [stack], _ = stacks_in(folder)
    assert stack.grid.spacing_mm[2] == pytest.approx(spacing_mm)
