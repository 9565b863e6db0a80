"""RT Structure Sets: contours on tiny grids with the voxels worked out by hand, and a real one."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.dicom import rtstruct
from DiffuFuseMedLib.io.dicom.rtstruct import read_rtstruct, referenced_series, roi_names
from DiffuFuseMedLib.io.masks import read_mask
from DiffuFuseMedLib.io.reference_mask import find_reference_mask
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
FRAME = "1.2.3.4"
GRID = Grid((6, 6, 4), (1.0, 1.0, 3.0))
OBLIQUE = Grid((6, 6, 4), (2.0, 1.0, 3.0), (7.0, -3.0, 11.0), (0.6, 0.0, 0.8, 0.0, 1.0, 0.0, -0.8, 0.0, 0.6))


def square(low: float, high: float, k: float, grid: Grid = GRID) -> list[float]:
    """Corners at index (low, low) to (high, high) in plane k, as ContourData in LPS mm."""
    corners = [(low, low, k), (high, low, k), (high, high, k), (low, high, k)]
    return grid.to_physical(np.array(corners)).ravel().round(4).tolist()


def contour(data: list[float], kind: str = "CLOSED_PLANAR") -> Dataset:
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints, item.ContourData = kind, len(data) // 3, data
    return item


@pytest.fixture
def write(tmp_path):
    """Writes an RTSTRUCT of {ROI name: contours} and returns its path."""

    def _write(rois: dict[str, list[Dataset]]) -> Path:
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = (
            RTStructureSetStorage,
            generate_uid(),
            "RTSTRUCT",
        )
        dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
        for number, (name, contours) in enumerate(rois.items(), start=3):
            roi, entry = Dataset(), Dataset()
            roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name.split("#")[0], FRAME
            entry.ReferencedROINumber, entry.ContourSequence = number, contours
            dataset.StructureSetROISequence.append(roi)
            dataset.ROIContourSequence.insert(0, entry)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / "RS.dcm"
        dataset.save_as(path, enforce_file_format=True)
        return path

    return _write


def filled_slices(array: np.ndarray) -> list[int]:
    return np.flatnonzero(array.any((1, 2))).tolist()


@pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["axial", "oblique"])
def test_fills_the_voxels_whose_centers_lie_inside_the_contour(write, grid):
    path = write({"GTV": [contour(square(0.6, 3.4, 2, grid))]})
    mask = read_rtstruct(path, grid)["GTV"]
    expected = np.zeros(grid.shape, np.uint8)
    expected[2, 1:4, 1:4] = 1
    np.testing.assert_array_equal(mask.array, expected)
    assert mask.array.dtype == np.uint8
    assert mask.grid == grid
    assert mask.meta["notes"] == []


def test_a_contour_inside_another_is_a_hole(write):
    path = write({"GTV": [contour(square(0.5, 4.5, 1)), contour(square(1.5, 3.5, 1))]})
    array = read_rtstruct(path, GRID)["GTV"].array
    assert array.sum() == 16 - 4
    assert not array[1, 2:4, 2:4].any()


def test_a_keyhole_contour_leaves_its_hole_open(write):
    outer, inner = [(0.5, 0.5), (4.5, 0.5), (4.5, 4.5), (0.5, 4.5)], [(1.5, 1.5), (1.5, 3.5), (3.5, 3.5), (3.5, 1.5)]
    points = [*outer, outer[0], *inner, inner[0], outer[0]]
    path = write({"GTV": [contour([x for i, j in points for x in (i, j, 3.0)])]})
    array = read_rtstruct(path, GRID)["GTV"].array
    assert array.sum() == 16 - 4
    assert not array[1, 2:4, 2:4].any()


def test_two_islands_in_one_slice_are_both_filled(write):
    path = write({"GTV": [contour(square(-0.4, 1.4, 0)), contour(square(2.6, 4.4, 0))]})
    assert read_rtstruct(path, GRID)["GTV"].array.sum() == 4 + 4


def test_a_contour_between_slices_goes_to_the_nearest(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1.3))]})
    assert filled_slices(read_rtstruct(path, GRID)["GTV"].array) == [1]


def test_contours_midway_between_slices_fill_one_slice_each(write):
    path = write({"GTV": [contour(square(0.5, 2.5, k)) for k in (0.5, 1.5)]})
    assert len(filled_slices(read_rtstruct(path, GRID)["GTV"].array)) == 2


def test_contours_denser_than_the_slices_do_not_cancel(write):
    path = write({"GTV": [contour(square(0.5, 2.5, k)) for k in (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)]})
    array = read_rtstruct(path, GRID)["GTV"].array
    assert filled_slices(array) == [1, 2]
    assert array.sum() == 2 * 4


def test_contours_sparser_than_the_slices_leave_no_gaps_and_grow_at_no_end(write):
    fine = Grid((6, 6, 9), (1.0, 1.0, 1.0))
    path = write({"GTV": [contour(square(0.5, 2.5, k, fine)) for k in (1, 4, 7)]})
    mask = read_rtstruct(path, fine)["GTV"]
    assert filled_slices(mask.array) == list(range(1, 8))
    assert mask.meta["notes"] == ["4 slices between the drawn planes were filled from the nearest plane."]


def test_two_lesions_far_apart_keep_their_thickness(write):
    tall = Grid((6, 6, 20), (1.0, 1.0, 3.0))
    path = write({"GTV": [contour(square(0.5, 2.5, k, tall)) for k in (2, 15)]})
    assert filled_slices(read_rtstruct(path, tall)["GTV"].array) == [2, 15]


def test_what_lies_outside_the_grid_is_cut_with_a_note(write):
    path = write({"GTV": [contour(square(4.5, 9.5, 1)), contour(square(0.5, 2.5, 8))]})
    mask = read_rtstruct(path, GRID)["GTV"]
    assert mask.array.sum() == 1
    assert "2 contours lie wholly or partly outside" in mask.meta["notes"][0]


def test_open_and_point_contours_are_ignored_with_a_note(write):
    path = write(
        {"GTV": [contour(square(0.5, 2.5, 1)), contour(square(0, 5, 2), "OPEN_PLANAR"), contour([1, 1, 6], "POINT")]}
    )
    mask = read_rtstruct(path, GRID)["GTV"]
    assert filled_slices(mask.array) == [1]
    assert mask.meta["notes"] == ["2 open or point contours were ignored."]


def test_reads_each_roi_by_its_own_number(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))], "bladder": [contour(square(0.5, 3.5, 2))]})
    masks = read_rtstruct(path, GRID)
    assert {name: int(mask.array.sum()) for name, mask in masks.items()} == {"GTV": 4, "bladder": 9}
    assert list(read_rtstruct(path, GRID, roi="bladder")) == ["bladder"]


def test_rois_of_one_name_are_told_apart(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))], "GTV#2": [contour(square(0.5, 3.5, 2))]})
    assert roi_names(path) == ("GTV", "GTV (4)")


def test_an_empty_roi_beside_a_drawn_one_is_noted(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))], "bladder": []})
    masks = read_rtstruct(path, GRID)
    assert list(masks) == ["GTV"]
    assert "bladder was left out" in masks["GTV"].meta["notes"][0]


@pytest.mark.parametrize(
    ("contours", "message"),
    [
        ([], "without closed planar contours"),
        ([contour(square(0.5, 2.5, 1), "OPEN_PLANAR")], "without closed planar contours"),
        ([contour(square(20, 30, 1))], "no voxel center"),
        ([contour(square(0.5, 2.5, 40))], "no voxel center"),
        ([contour([0, 1, 0, 0, 4, 0, 0, 4, 9, 0, 1, 9])], "cross the slices"),
        ([contour([1, 2, 3, 4])], "no list of x, y, z"),
    ],
    ids=["none", "open", "beside", "above", "sagittal", "broken"],
)
def test_refuses_contours_that_fill_nothing(write, contours, message):
    path = write({"GTV": contours})
    with pytest.raises(InputError, match=message):
        read_rtstruct(path, GRID)


def test_refuses_another_frame_of_reference(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))]})
    assert read_rtstruct(path, GRID, frame_of_reference=FRAME)
    with pytest.raises(InputError, match="frame of reference"):
        read_rtstruct(path, GRID, frame_of_reference="1.2.3.5")


def test_refuses_a_roi_that_is_not_there_and_names_those_that_are(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))]})
    with pytest.raises(InputError, match="'CTV', wanted one of GTV"):
        read_rtstruct(path, GRID, roi="CTV")


def test_refuses_a_file_that_is_no_dicom(tmp_path):
    path = tmp_path / "RS.dcm"
    path.write_text("not DICOM")
    with pytest.raises(InputError, match="no readable DICOM"):
        read_rtstruct(path, GRID)


def test_the_real_ct_contours_give_the_published_mask_voxel_for_voxel():
    path = SHARED / "sts_dicom" / "STS_002" / "CT" / "mask" / "RS.dcm"
    if not path.is_file():
        pytest.skip("the real DICOM study is not on this machine")
    published = read_mask(SHARED / "sts" / "STS_002" / "GTV.nii.gz")
    assert roi_names(path) == ("GTV_Mass_CT",)
    assert len(referenced_series(path)) == 1
    drawn = read_rtstruct(path, published.grid)["GTV_Mass_CT"]
    np.testing.assert_array_equal(drawn.array, published.array)


def test_slices_between_planes_are_filled_and_said(write):
    grid = Grid((6, 6, 8), (1.0, 1.0, 3.0))
    path = write({"GTV": [contour(square(0.5, 3.5, k, grid)) for k in (1, 3, 5, 6)]})
    mask = read_rtstruct(path, grid)["GTV"]
    assert filled_slices(mask.array) == [1, 2, 3, 4, 5, 6]
    assert mask.meta["notes"] == ["2 slices between the drawn planes were filled from the nearest plane."]


def test_planes_further_apart_than_a_slab_stay_apart(write):
    grid = Grid((6, 6, 12), (1.0, 1.0, 3.0))
    path = write({"GTV": [contour(square(0.5, 3.5, k, grid)) for k in (1, 5, 6)]})
    assert filled_slices(read_rtstruct(path, grid)["GTV"].array) == [1, 5, 6]


def test_the_xor_type_and_overlapping_contours_are_told_apart(write):
    two = [square(0.5, 3.5, 1), square(2.5, 5.5, 1)]
    united = read_rtstruct(write({"GTV": [contour(c) for c in two]}), GRID)["GTV"]
    assert united.array.sum() == 9 + 9 - 1
    assert "united" in united.meta["notes"][0]
    combined = read_rtstruct(write({"GTV": [contour(c, "CLOSEDPLANAR_XOR") for c in two]}), GRID)["GTV"]
    assert combined.array.sum() == 9 + 9 - 2


def test_an_entry_without_a_number_is_passed_over(write):
    from pydicom import dcmread

    path = write({"GTV": [contour(square(0.5, 3.5, 1))], "other": [contour(square(0.5, 3.5, 2))]})
    dataset = dcmread(path)
    del dataset.StructureSetROISequence[1].ROINumber
    dataset.save_as(path)
    assert roi_names(path) == ("GTV",)
    assert read_rtstruct(path, GRID)["GTV"].array.sum() == 9


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_contour_too_long_for_an_explicit_vr_is_read_from_an_unknown_one(write):
    corners = np.array(square(0.6, 3.4, 2)).reshape(4, 3)
    steps = np.linspace(0, 1, 1500)[:-1, None]
    sides = [corners[n] + steps * (corners[(n + 1) % 4] - corners[n]) for n in range(4)]
    data = np.concatenate(sides).round(4).ravel().tolist()  # over 64 kB as text
    path = write({"GTV": [contour(data)]})
    assert b"UN\0\0" in path.read_bytes()
    assert read_rtstruct(path, GRID)["GTV"].array.sum() == 9


@pytest.mark.parametrize("every", [4, 5])
def test_planes_too_far_apart_to_be_filled_between_are_told(write, every):
    grid = Grid((6, 6, 16), (1.0, 1.0, 4.0))
    path = write({"GTV": [contour(square(0.5, 3.5, k, grid)) for k in range(0, 16, every)]})
    mask = read_rtstruct(path, grid)["GTV"]
    assert filled_slices(mask.array) == list(range(0, 16, every))
    [note] = mask.meta["notes"]
    assert note.startswith(f"Warning: {3 * (every - 1)} slices between") and f"up to {4 * every} mm apart" in note


def test_contours_without_a_type_are_not_called_open(write):
    untold = contour(square(0.5, 2.5, 2))
    del untold.ContourGeometricType
    path = write({"GTV": [contour(square(0.5, 2.5, 1)), untold, contour([0, 0, 3, 1, 1, 3])]})
    assert read_rtstruct(path, GRID)["GTV"].meta["notes"] == [
        "1 closed contours of fewer than 3 points were ignored.",
        "Warning: 1 contours without ContourGeometricType (3006,0042) were ignored.",
    ]


def test_a_lesion_without_a_number_is_told_by_its_name(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))]})
    dataset = dcmread(path)
    del dataset.StructureSetROISequence[0].ROINumber
    dataset.save_as(path)
    assert find_reference_mask([], [path], [])[1] == (
        "RS.dcm is not the reference mask: its ROI GTV has no ROINumber (3006,0022).",
    )


def test_each_entry_is_walked_once_however_many_rois_there_are(write, monkeypatch):
    count, asked = 60, []
    path = write({f"GTV#{n}": [contour(square(0.5, 2.5, 1))] for n in range(count)})
    number_of = rtstruct._number
    monkeypatch.setattr(rtstruct, "_number", lambda *given: asked.append(given) or number_of(*given))
    assert len(read_rtstruct(path, GRID)) == count
    assert len(asked) <= 4 * count  # names, frames of reference, contours, points


def test_more_rois_than_anybody_fills_are_refused_in_one_short_sentence(write, monkeypatch):
    monkeypatch.setattr(rtstruct, "MOST_ROIS", 20)
    path = write({f"GTV#{n}": [contour(square(0.5, 2.5, 1))] for n in range(21)})
    with pytest.raises(InputError, match="21 ROIs of one RT Structure Set, wanted at most 20"):
        read_mask(path, GRID)
    with pytest.raises(InputError, match="and 9 more") as refused:
        read_rtstruct(path, GRID, roi="bladder")
    assert len(str(refused.value)) < 400


def test_a_name_that_another_roi_already_has_costs_neither(write):
    path = write({"GTV": [contour(square(0.5, 2.5, 1))], "GTV (5)": [contour(square(0.5, 3.5, 1))],
                  "GTV#2": [contour(square(0.5, 4.5, 1))]})  # fmt: skip
    assert [int(m.array.sum()) for m in read_rtstruct(path, GRID).values()] == [4, 9, 16]


@pytest.mark.filterwarnings("ignore:Found unknown escape sequence")
def test_escape_sequences_of_a_roi_reach_no_note_and_no_error(write):
    path = write({"\x1b[31mGTV 1\x9b": [contour(square(0.5, 2.5, 1))], "\x1b[31mGTV 1\x9b#2": []})
    assert roi_names(path)[1].isprintable()
    mask = read_mask(path, GRID, segments=roi_names(path))
    assert mask.name == "_[31mGTV 1_"
    assert all(note.isprintable() for note in mask.meta["notes"])


def test_a_count_of_points_that_the_data_do_not_have_is_told(write):
    cut, whole, untold = contour(square(0.5, 2.5, 1)), contour(square(0.5, 2.5, 2)), contour(square(0.5, 2.5, 0))
    cut.NumberOfContourPoints = 400
    del untold.NumberOfContourPoints
    mask = read_rtstruct(write({"GTV": [cut, whole, untold]}), GRID)["GTV"]
    assert filled_slices(mask.array) == [0, 1, 2]
    [note] = mask.meta["notes"]
    assert note.startswith("Warning: 1 contours hold another number of points than their NumberOfContourPoints")
