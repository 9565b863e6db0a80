"""What a run writes: readable by SimpleITK and by Slicer's own libraries, whole or not at all."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.io.export import outputs
from DiffuFuseMedLib.io.export.outputs import write_outputs
from DiffuFuseMedLib.io.seg_nrrd import write_segmentation

NAMES = {
    "segmentation.seg.nrrd",
    "contours.seg.nrrd",
    "probability.nrrd",
    "uncertainty.nrrd",
    "uncertainty_expected_entropy.nrrd",
    "uncertainty_mutual_information.nrrd",
    "prediction.json",
}
# Axes i and j swapped and k turned over: anything that forgets the direction puts the lesion elsewhere.
GRID = Grid((8, 7, 6), (2.0, 2.5, 5.0), (10.0, -20.0, 30.0), (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0))


@pytest.fixture
def a_prediction():
    """A lesion of 2 x 3 x 4 voxels of 25 mm3 each: 0.6 mL; one voxel of it is the inner contour."""
    labels, inner, outer = (np.zeros(GRID.shape, np.uint8) for _ in range(3))
    labels[2:4, 2:5, 2:6] = 1
    inner[3, 3, 3] = 1
    outer[1:5, 1:6, 1:7] = 1
    probability = np.linspace(0, 1, labels.size, dtype=np.float32).reshape(GRID.shape)
    maps = {
        "predictive_entropy": 0.6 * probability,
        "expected_entropy": 0.4 * probability,
        "mutual_information": 0.2 * probability,
    }
    return Prediction(
        GRID,
        probability,
        labels,
        maps,
        inner > 0,
        outer > 0,
        {"PET": 0.75, "CT": 0.25},
        Interval(0.6, 0.5, 0.8, "mL"),
        (0.5, 0.7),
        {"model": "sts-test", "sha256": "ab" * 32, "seed": 7, "timings_s": {"sample": np.float32(1.5)}},
    )


@pytest.fixture
def a_case():
    """PET is 4 everywhere but for one lesion voxel of 10."""
    pet = np.full(GRID.shape, 4.0, np.float32)
    pet[2, 2, 2] = 10
    volumes = {"CT": Volume(np.zeros(GRID.shape, np.float32), GRID, "CT"), "PET": Volume(pet, GRID, "PET")}
    return Case("a case", GRID, "CT", volumes, {m: np.ones(GRID.shape, bool) for m in volumes})


def opened_in_slicer(path):
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    scene, node, storage = slicer.vtkMRMLScene(), slicer.vtkMRMLSegmentationNode(), None
    scene.AddNode(node)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1
    return slicer, scene, node


def points_ras(slicer, node, segment_id):
    """RAS positions of a segment's voxels as Slicer sees them, sorted."""
    from vtk import vtkMatrix4x4
    from vtk.util.numpy_support import vtk_to_numpy

    image, matrix = slicer.vtkOrientedImageData(), vtkMatrix4x4()
    node.GetBinaryLabelmapRepresentation(segment_id, image)
    image.GetImageToWorldMatrix(matrix)
    to_ras = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    extent = image.GetExtent()
    filled = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1]) > 0
    index_ijk = np.argwhere(filled)[:, ::-1] + [extent[0], extent[2], extent[4]]
    return np.array(sorted(map(tuple, np.round(index_ijk @ to_ras[:3, :3].T + to_ras[:3, 3], 3))))


def expected_ras(mask):
    lps = GRID.to_physical(np.argwhere(mask)[:, ::-1].astype(float))
    return np.array(sorted(map(tuple, np.round(lps * [-1, -1, 1], 3))))


def test_slicer_opens_the_lesion_with_its_name_color_and_terminology(a_prediction, tmp_path):
    write_segmentation(a_prediction, tmp_path / "segmentation.seg.nrrd", "CT")
    slicer, _scene, node = opened_in_slicer(tmp_path / "segmentation.seg.nrrd")
    from vtk import reference

    segmentation, entry = node.GetSegmentation(), reference("")
    segment = segmentation.GetSegment("lesion")
    assert segmentation.GetNumberOfSegments() == 1
    assert (segment.GetName(), segment.GetColor()) == ("lesion", pytest.approx((0.13, 0.77, 0.37)))
    assert segment.GetTag("TerminologyEntry", entry)
    assert entry.get() == (
        "Segmentation category and type - DICOM master list~SCT^49755003^Morphologically Altered Structure"
        "~SCT^108369006^Neoplasm~^^~Anatomic codes - DICOM master list~^^~^^"
    )
    np.testing.assert_allclose(points_ras(slicer, node, "lesion"), expected_ras(a_prediction.labels), atol=1e-3)


def test_slicer_opens_both_contours_though_they_overlap(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case, tmp_path, [])
    slicer, _scene, node = opened_in_slicer(files["contours"])
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert node.GetSegmentation().GetSegment("outer").GetName() == "lesion, outer 95 % contour"
    for name, mask in (("inner", a_prediction.inner), ("outer", a_prediction.outer)):
        np.testing.assert_allclose(points_ras(slicer, node, name), expected_ras(mask), atol=1e-3)


def test_slicer_opens_an_empty_lesion(a_prediction, tmp_path):
    a_prediction.labels[:] = 0
    write_segmentation(a_prediction, tmp_path / "segmentation.seg.nrrd", "CT")
    slicer, _scene, node = opened_in_slicer(tmp_path / "segmentation.seg.nrrd")
    assert node.GetSegmentation().GetNumberOfSegments() == 1
    assert len(points_ras(slicer, node, "lesion")) == 0


def test_the_lesion_is_a_plain_label_map_to_everyone_else(a_prediction, tmp_path):
    write_segmentation(a_prediction, tmp_path / "segmentation.seg.nrrd", "CT of\nthe leg")
    image = sitk.ReadImage(str(tmp_path / "segmentation.seg.nrrd"))
    assert Grid.of(image).same_as(GRID)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), a_prediction.labels)
    assert image.GetPixelID() == sitk.sitkUInt8
    assert image.GetMetaData("DiffuFuseMed_source") == "CT of the leg"


def test_every_image_carries_model_hash_and_seed(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case, tmp_path, [])
    for name, path in files.items():
        if name != "record":
            image = sitk.ReadImage(str(path))
            keys = [image.GetMetaData(f"DiffuFuseMed_{key}") for key in ("model", "sha256", "seed")]
            assert keys == ["sts-test", "ab" * 32, "7"], name


def test_maps_come_back_as_float32_on_the_same_grid(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case, tmp_path, [])
    maps = a_prediction.uncertainty
    expected = {
        "probability": a_prediction.probability,
        "uncertainty": maps["predictive_entropy"],
        "uncertainty_expected_entropy": maps["expected_entropy"],
        "uncertainty_mutual_information": maps["mutual_information"],
    }
    for name, array in expected.items():
        image = sitk.ReadImage(str(files[name]))
        assert image.GetPixelID() == sitk.sitkFloat32
        assert Grid.of(image).same_as(GRID)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array)
    assert sitk.ReadImage(str(files["uncertainty"])).GetMetaData("DiffuFuseMed_units") == "nat"


def test_the_folder_holds_the_named_files_and_nothing_else(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case, tmp_path / "new" / "run", [])
    assert {path.name for path in (tmp_path / "new" / "run").iterdir()} == NAMES
    assert {path.name for path in files.values()} == NAMES
    assert all(path.is_file() for path in files.values())


def test_the_record_holds_every_number_with_its_unit(a_prediction, a_case, tmp_path):
    scores = {"dice": 0.5, "hd95_mm": math.nan}
    a_prediction = replace(a_prediction, uptake={"mtv_ml": Interval(0.4, 0.3, 0.5, "mL")})
    files = write_outputs(a_prediction, a_case, tmp_path, ["MR was missing."], scores)
    said = json.loads(files["record"].read_text(encoding="utf-8"))
    told = {"unit": "mL", "level": 0.95, "withheld": "", "basis": ""}
    assert said["volume"] == {"value": 0.6, "low": 0.5, "high": 0.8, **told}
    assert said["intervals"] == {"mtv_ml": {"value": 0.4, "low": 0.3, "high": 0.5, **told}}
    assert said["measures"]["volume_ml"] == {"value": pytest.approx(24 * 25 / 1000), "unit": "mL"}
    assert said["measures"]["suv_max"] == {"value": 10.0, "unit": "g/mL"}
    # Only the voxel of 10 reaches 41 % of SUVmax (4.1): 0.025 mL, and 0.25 g.
    assert said["measures"]["mtv_ml"] == {"value": pytest.approx(0.025), "unit": "mL"}
    assert said["measures"]["tlg_g"] == {"value": pytest.approx(0.25), "unit": "g"}
    assert said["gates"] == {"PET": 0.75, "CT": 0.25}
    assert said["quality"] == ["MR was missing."]
    assert said["provenance"]["timings_s"] == {"sample": 1.5}
    assert said["scores"] == {"dice": 0.5, "hd95_mm": None}


def test_the_record_is_silent_on_scores_without_a_reference(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case.only(["CT"]), tmp_path, [])
    said = json.loads(files["record"].read_text(encoding="utf-8"))
    assert "scores" not in said
    assert set(said["measures"]) == {"volume_ml"}


def test_a_crash_leaves_the_last_good_run_untouched(a_prediction, a_case, tmp_path, monkeypatch):
    before = {path: path.read_bytes() for path in write_outputs(a_prediction, a_case, tmp_path, []).values()}

    def crash(*_):
        raise MemoryError

    monkeypatch.setattr(outputs, "record", crash)
    a_prediction.labels[:] = 0
    with pytest.raises(MemoryError):
        write_outputs(a_prediction, a_case, tmp_path, [])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_refuses_a_folder_that_is_a_file_in_one_sentence(a_prediction, a_case, tmp_path):
    (tmp_path / "Jane Doe").write_text("")
    with pytest.raises(InputError, match=r"^Given an output folder that cannot be written.*wanted.*\.$") as refusal:
        write_outputs(a_prediction, a_case, tmp_path / "Jane Doe", [])
    assert "Jane" not in str(refusal.value)


def test_turns_a_refusing_disk_into_one_sentence(a_prediction, a_case, tmp_path, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(sitk, "WriteImage", full)
    with pytest.raises(InputError, match="cannot be written"):
        write_outputs(a_prediction, a_case, tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_case_on_another_grid(a_prediction, a_case, tmp_path):
    with pytest.raises(InputError, match="another grid"):
        write_outputs(a_prediction, a_case.cropped((0, 0, 0), (5, 5, 5)), tmp_path, [])
