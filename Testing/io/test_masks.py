"""Masks in image files, and which of several segments is the lesion."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.lesion_names import is_mask_stem, lesion_names
from DiffuFuseMedLib.io.masks import read_mask

CASE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


def image_of(array: np.ndarray, vector: bool = False) -> sitk.Image:
    image = sitk.GetImageFromArray(array, isVector=vector)
    image.SetSpacing((1.0, 2.0, 3.0))
    image.SetOrigin((5.0, 6.0, 7.0))
    return image


@pytest.fixture
def lesion() -> np.ndarray:
    array = np.zeros((3, 4, 5), np.uint8)
    array[1, 1:3, 2] = 1
    return array


@pytest.fixture
def bone() -> np.ndarray:
    """Shares one voxel with the lesion."""
    array = np.zeros((3, 4, 5), np.uint8)
    array[1, 2:4, 2] = 1
    return array


def write(path: Path, image: sitk.Image, **fields: str) -> Path:
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "mha"])
def test_reads_each_format_at_its_place(tmp_path, lesion, suffix):
    mask = read_mask(write(tmp_path / f"GTV.{suffix}", image_of(lesion)))
    np.testing.assert_array_equal(mask.array, lesion)
    assert (mask.array.dtype, mask.modality, mask.name) == (np.uint8, None, "GTV")
    np.testing.assert_allclose(mask.grid.origin, (5.0, 6.0, 7.0))
    np.testing.assert_allclose(mask.grid.spacing_mm, (1.0, 2.0, 3.0))


def test_merges_labels_and_says_so(tmp_path, lesion):
    lesion[0, 0, 0] = 4
    mask = read_mask(write(tmp_path / "mask.nii.gz", image_of(lesion)))
    assert mask.array.sum() == 3
    assert mask.array.max() == 1
    assert mask.meta["notes"] == ["2 segments or labels were merged into one mask."]


def test_a_mask_stored_as_float_is_a_mask(tmp_path, lesion):
    mask = read_mask(write(tmp_path / "mask.nii.gz", image_of(lesion.astype(np.float64))))
    np.testing.assert_array_equal(mask.array, lesion)


def test_takes_the_lesions_segment_from_a_slicer_segmentation(tmp_path, lesion, bone):
    labels = np.where(lesion, 3, bone).astype(np.uint8)
    fields = {"Segment0_ID": "a", "Segment0_Name": "Femur", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    fields |= {"Segment1_ID": "b", "Segment1_Name": "Tumor", "Segment1_LabelValue": "3", "Segment1_Layer": "0"}
    mask = read_mask(write(tmp_path / "case.seg.nrrd", image_of(labels), **fields))
    np.testing.assert_array_equal(mask.array, lesion)
    assert mask.meta["notes"] == ["Of 2 segments, Tumor make up the mask."]


def test_takes_the_lesions_layer_where_segments_overlap(tmp_path, lesion, bone):
    fields = {"Segment0_ID": "a", "Segment0_Name": "Femur", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    fields |= {"Segment1_ID": "b", "Segment1_Name": "GTV", "Segment1_LabelValue": "1", "Segment1_Layer": "1"}
    layers = np.stack([bone, lesion], axis=-1)
    mask = read_mask(write(tmp_path / "case.seg.nrrd", image_of(layers, vector=True), **fields))
    np.testing.assert_array_equal(mask.array, lesion)


def test_merges_all_segments_of_a_slicer_file_where_none_is_named_as_the_lesion(tmp_path, lesion, bone):
    fields = {"Segment0_ID": "a", "Segment0_Name": "Segment_1", "Segment1_ID": "b", "Segment1_Name": "Segment_2"}
    layers = np.stack([bone, lesion], axis=-1)
    mask = read_mask(write(tmp_path / "case.seg.nrrd", image_of(layers, vector=True), **fields))
    np.testing.assert_array_equal(mask.array, lesion | bone)
    assert mask.meta["notes"] == ["2 segments or labels were merged into one mask."]


def test_merges_the_layers_of_a_4d_file(tmp_path, lesion, bone):
    image = sitk.JoinSeries([image_of(lesion), image_of(bone)])
    mask = read_mask(write(tmp_path / "mask.nii.gz", image))
    np.testing.assert_array_equal(mask.array, lesion | bone)
    np.testing.assert_allclose(mask.grid.spacing_mm, (1.0, 2.0, 3.0))


def test_resamples_to_the_grid_asked_for_by_nearest_neighbor(tmp_path, lesion):
    path = write(tmp_path / "mask.nii.gz", image_of(lesion))
    fine = read_mask(path).grid.with_spacing((1.0, 1.0, 3.0))
    mask = read_mask(path, fine)
    assert mask.grid == fine
    np.testing.assert_array_equal(mask.array, lesion.repeat(2, axis=1))


def test_refuses_a_grid_without_overlap(tmp_path, lesion):
    path = write(tmp_path / "mask.nii.gz", image_of(lesion))
    with pytest.raises(InputError, match="no voxel on the image's grid"):
        read_mask(path, Grid((4, 4, 4), origin=(500.0, 0.0, 0.0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a * 0, "without a voxel"),
        (lambda a: a * 0.4, "whole-number labels"),
        (lambda a: a - 1.0, "whole-number labels"),
        (lambda a: np.where(a > 0, np.nan, 0.0), "NaN"),
        (lambda a: np.arange(3 * 8 * 5, dtype=np.int16).reshape(3, 8, 5), "120 different values"),
        (lambda a: a[0], "2 axes"),
    ],
    ids=["empty", "probabilities", "negative", "nan", "an image", "2D"],
)
def test_refuses_what_is_no_mask(tmp_path, lesion, change, message):
    path = write(
        tmp_path / "mask.mha",
        image_of(change(lesion.astype(float))) if message != "2 axes" else sitk.GetImageFromArray(lesion[1]),
    )
    with pytest.raises(InputError, match=message):
        read_mask(path)


def test_refuses_a_truncated_file(tmp_path):
    path = tmp_path / "GTV.nii.gz"
    path.write_bytes((CASE / "GTV.nii.gz").read_bytes()[:500])
    with pytest.raises(InputError, match="truncated"):
        read_mask(path)


@pytest.mark.parametrize("name", ["GTV.nii.gz", "RS.dcm", "mask"])
def test_refuses_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(InputError, match=r"is not there|is no file"):
        read_mask(tmp_path / name)


def test_refuses_a_folder(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_mask(tmp_path)


def test_reads_the_shipped_mask_onto_the_pet_grid_with_its_volume_kept():
    mask = read_mask(CASE / "GTV.nii.gz")
    pet = Grid.of(sitk.ReadImage(str(CASE / "PET.nii.gz")))
    on_pet = read_mask(CASE / "GTV.nii.gz", pet)
    volume_ml = mask.array.sum() * mask.grid.voxel_mm3 / 1000
    assert on_pet.array.sum() * pet.voxel_mm3 / 1000 == pytest.approx(volume_ml, rel=0.05)


@pytest.mark.parametrize(
    ("names", "lesion"),
    [
        (("BODY", "Tumor_1", "GTV_Mass"), ("GTV_Mass",)),
        (("GTV_Mass", "GTV_Edema"), ("GTV_Mass",)),
        (("gtv-T", "gtv-N", "PTV"), ("gtv-T", "gtv-N")),
        (("Liposarcoma", "femur"), ("Liposarcoma",)),
        (("tumour", "peritumoral", "non_tumor", "tumor bed"), ("tumour",)),
        (("PTV", "CTV", "bladder"), ()),
    ],
)
def test_knows_the_lesion_by_its_name(names, lesion):
    assert lesion_names(names) == lesion


@pytest.mark.parametrize(
    ("stem", "mask"),
    [("GTV", True), ("CT_seg", True), ("case.seg", True), ("mask", True), ("CT", False), ("unmasked", False)],
)
def test_knows_a_mask_file_by_its_name(stem, mask):
    assert is_mask_stem(stem) is mask
