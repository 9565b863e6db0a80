"""Which voxels of a .seg.nrrd are the lesion's, by what its header says of each segment."""

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.label_map import read_label_map

GTV, EDEMA = (1, 1, 1), (2, 3, 4)  # the voxel of each


@pytest.fixture
def read(tmp_path):
    """A function (fields of segments by number, layers or labels in one): the marked voxels and the notes."""

    def voxels_and_notes(segments, layered=False):
        array = np.zeros((4, 5, 6), np.uint8)
        array[GTV], array[EDEMA] = 1, 2
        layers = np.stack([array == 1, array == 2], axis=-1).astype(np.uint8)
        image = sitk.GetImageFromArray(layers if layered else array, isVector=layered)
        for number, fields in segments.items():
            for key, value in zip(("ID", "Name", "LabelValue", "Layer"), (f"S{number}", *fields), strict=False):
                image.SetMetaData(f"Segment{number}_{key}", value)
        sitk.WriteImage(image, str(tmp_path / "a.seg.nrrd"))
        mask = read_label_map(tmp_path / "a.seg.nrrd")
        return [tuple(place) for place in np.argwhere(mask.array).tolist()], mask.meta["notes"]

    return voxels_and_notes


WRONG = [
    ("0", "0", "LabelValue is 0"), ("-1", "0", "LabelValue is -1"), ("7", "0", "label 7 no voxel has"),
    ("257", "0", "label 257"), ("1" + "0" * 20, "0", "no voxel has"), ("one", "0", "'one', no whole number"),
    ("1.5", "0", "no whole number"), ("1e20", "0", "no whole number"), ("1", "9", "in layer 9"),
    ("1", "-1", "in layer -1"), ("1", "first", "Layer is 'first'"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "layer", "why"), WRONG)
@pytest.mark.parametrize("others", [{}, {1: ("Edema", "2", "0")}])
@pytest.mark.parametrize("layered", [False, True])
def test_a_lesion_s_segment_that_is_nowhere_in_the_file_is_refused(read, label, layer, why, others, layered):
    with pytest.raises(InputError, match=rf"the segment 'GTV' .*{why}"):
        read({0: ("GTV", label, layer), **others}, layered)


@pytest.mark.parametrize("label", ["one", "0", "9"])
def test_what_is_wrong_with_another_segment_costs_nothing(read, label):
    assert read({0: ("GTV", "1", "0"), 1: ("Edema", label, "nowhere")})[0] == [GTV]


def test_numbers_of_segments_may_have_gaps(read):
    voxels, notes = read({0: ("Edema", "2", "0"), 5: ("GTV", "1", "0")})
    assert (voxels, notes) == ([GTV], ["Of 2 segments, GTV make up the mask."])


def test_an_empty_segment_beside_the_lesion_is_told(read):
    voxels, notes = read({0: ("GTV", "1", "0"), 1: ("GTV 2", "5", "0")})
    assert voxels == [GTV]
    assert "The segment 'GTV 2' is empty." in notes


def test_voxels_that_are_of_no_segment_are_left_out_and_told(read):
    voxels, notes = read({0: ("GTV", "1", "0")})
    assert voxels == [GTV]
    assert "left out of the mask" in notes[0]


def test_segments_without_labels_in_one_layer_are_not_told_apart(read):
    with pytest.raises(InputError, match="without a LabelValue"):
        read({0: ("GTV",), 1: ("Edema",)})
    assert read({0: ("GTV",), 1: ("Edema",)}, layered=True)[0] == [GTV]


def test_a_mask_of_several_volumes_and_one_of_every_voxel_are_told(tmp_path):
    array = np.zeros((2, 4, 5, 6), np.uint8)
    array[0, 1, 1, 1] = array[1, 2, 2, 2] = 1
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(part) for part in array]), str(tmp_path / "GTV.nii.gz"))
    assert read_label_map(tmp_path / "GTV.nii.gz").meta["notes"] == ["The mask is the union of 2 volumes of its file."]
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 5, 6), np.uint8)), str(tmp_path / "GTV.nrrd"))
    assert "marks every voxel" in read_label_map(tmp_path / "GTV.nrrd").meta["notes"][0]
