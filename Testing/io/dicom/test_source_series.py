"""The series behind a case: found, read along k, and the mask on it; what cannot be is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.engine.wire.pack import pack
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of, find_series, same_voxels, why_no_series

from Testing.fixtures.source_series import OBLIQUE, write_series

from .conftest import a_ring


def test_a_case_knows_the_file_of_each_of_its_slices(a_dicom_case, a_series_folder):
    names = [path.name for path in files_of(a_dicom_case)]
    assert names == ["006.dcm", "005.dcm", "004.dcm", "003.dcm", "002.dcm", "001.dcm"]
    assert all(path.parent == a_series_folder for path in files_of(a_dicom_case))
    assert why_no_series(a_dicom_case) == ""


def test_no_path_of_a_file_goes_to_the_engine(a_dicom_case, a_series_folder):
    sent = json.dumps(pack(a_dicom_case, lambda array: {"$array": "x"}))
    assert str(a_series_folder) not in sent
    assert ".dcm" not in sent


def test_a_case_from_nifti_has_no_series_and_says_so_in_one_sentence(a_dicom_case):
    bare = a_dicom_case.volumes["CT"]
    case = replace(a_dicom_case, volumes={"CT": replace(bare, meta={"name": "CT"})})
    assert "CT was not read from DICOM files" in why_no_series(case)
    assert why_no_series(case).count(". ") == 0
    with pytest.raises(InputError, match="open the case from its DICOM folder"):
        files_of(case)


def test_slices_come_along_the_grid_in_whatever_order_the_files_are(a_dicom_case):
    series = SourceSeries.read(files_of(a_dicom_case)[::-1])
    assert [int(header.InstanceNumber) for header in series.slices] == [1, 2, 3, 4, 5, 6]
    assert series.grid.same_as(OBLIQUE)
    assert all("PixelData" not in header for header in series.slices)


def turned(grid: Grid) -> Grid:
    """The same voxels with i running the other way, and j and k exchanged."""
    axes = np.reshape(grid.direction, (3, 3))
    origin = grid.to_physical(np.array([grid.size[0] - 1, 0, 0], dtype=float))
    sizes, spacings = np.array(grid.size)[[0, 2, 1]], np.array(grid.spacing_mm)[[0, 2, 1]]
    direction = np.column_stack([-axes[:, 0], axes[:, 2], axes[:, 1]])
    return Grid(tuple(sizes.tolist()), tuple(spacings.tolist()), tuple(origin.tolist()), tuple(direction.ravel()))


def test_a_mask_whose_axes_run_otherwise_is_laid_on_the_series_voxel_for_voxel(source):
    mask = a_ring()
    other = np.ascontiguousarray(np.swapaxes(mask[:, :, ::-1], 0, 1))  # [k, j, i] of the turned grid
    assert same_voxels(turned(OBLIQUE), OBLIQUE)
    np.testing.assert_array_equal(source.mask(other, turned(OBLIQUE)), mask)


@pytest.mark.parametrize(
    "grid",
    [
        replace(OBLIQUE, origin=(7.0, -3.0 + 1.5, 11.0)),  # a row further
        replace(OBLIQUE, spacing_mm=(1.5, 2.0, 3.0)),
        OBLIQUE.cropped((1, 0, 0), (6, 7, 9)),
    ],
    ids=["moved", "other spacing", "cropped"],
)
def test_a_mask_on_other_voxels_is_refused_unless_it_may_be_resampled(source, grid):
    mask = np.ones(grid.shape, bool)
    with pytest.raises(InputError, match="on another grid than the slices of its series"):
        source.mask(mask, grid)
    assert source.mask(mask, grid, exact=False).any()


def test_an_empty_mask_is_refused(source):
    with pytest.raises(InputError, match="an empty lesion"):
        source.mask(np.zeros(OBLIQUE.shape, bool), OBLIQUE)


def test_files_that_are_gone_are_one_sentence(a_dicom_case):
    files = files_of(a_dicom_case)
    files[2].unlink()
    with pytest.raises(InputError, match="files are gone or changed"):
        SourceSeries.read(files)


def test_a_multi_frame_file_is_refused(a_dicom_case):
    meta = {**a_dicom_case.volumes["CT"].meta, "files": ["one.dcm"] * 6}
    case = replace(a_dicom_case, volumes={"CT": replace(a_dicom_case.volumes["CT"], meta=meta)})
    assert "one file with many frames" in why_no_series(case)


def test_of_several_series_in_a_folder_the_one_on_the_cases_grid_is_taken(a_series_folder, tmp_path):
    other = replace(OBLIQUE, origin=(0.0, 0.0, 0.0))
    assert find_series(a_series_folder, other).grid.same_as(OBLIQUE)  # the only one that is there
    write_series(tmp_path / "series" / "other", other)
    assert find_series(a_series_folder, other).grid.same_as(other)
    assert find_series(a_series_folder, OBLIQUE).grid.same_as(OBLIQUE)
    with pytest.raises(InputError, match="2 series of which none lies on the case's grid"):
        find_series(a_series_folder, replace(OBLIQUE, origin=(1.0, 1.0, 1.0)))
