"""A small oblique CT series on disk, and the real PET/CT/MR patient where it is."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from Testing.fixtures.dicom_series import Folder

STS_002 = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "sts_dicom" / "STS_002"
# Columns 2 mm, rows 1.5 mm and slices 3 mm apart, 9 columns, 7 rows, 6 slices: no two axes can be taken for each other.
OBLIQUE = Grid((9, 7, 6), (2.0, 1.5, 3.0), (7.0, -3.0, 11.0), (0.6, 0.0, -0.8, 0.0, 1.0, 0.0, 0.8, 0.0, 0.6))


@pytest.fixture
def folder(tmp_path) -> Folder:
    """One study's folder, that writes series of slices."""
    return Folder(tmp_path)


def write_series(folder: Path, grid: Grid = OBLIQUE, **tags) -> Path:
    """One CT file a slice, named against their order; keyword arguments are tags of all of them."""
    folder.mkdir(parents=True)
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    axes = np.reshape(grid.direction, (3, 3))
    for k in range(grid.size[2]):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{grid.size[2] - k:03d}.dcm"
        image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        values = {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "Modality": "CT", "InstanceNumber": k + 1,
            "SeriesInstanceUID": series, "StudyInstanceUID": study, "FrameOfReferenceUID": frame, "SeriesNumber": 3,
            "PatientID": "P1", "PatientName": "Doe^Jane", "PatientBirthDate": "19500102", "PatientSex": "F",
            "StudyDate": "20200304", "StudyTime": "120000", "StudyID": "5", "AccessionNumber": "A7",
            "ReferringPhysicianName": "", "PositionReferenceIndicator": "", "Manufacturer": "test",
            "ImageOrientationPatient": [f"{x:.8f}" for x in (*axes[:, 0], *axes[:, 1])],
            "ImagePositionPatient": [f"{x:.6f}" for x in grid.to_physical(np.array([0, 0, k]))],
            "PixelSpacing": [grid.spacing_mm[1], grid.spacing_mm[0]], "SliceThickness": grid.spacing_mm[2],
            "RescaleSlope": 1, "RescaleIntercept": -1000, "RescaleType": "HU",
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": grid.size[1],
            "Columns": grid.size[0], "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
            "PixelData": np.full(grid.size[1::-1], 10 * k, np.uint16).tobytes(), **tags,
        }  # fmt: skip
        for keyword, value in values.items():
            setattr(image, keyword, value)
        image.save_as(path, enforce_file_format=True)
    return folder


@pytest.fixture
def a_series_folder(tmp_path):
    return write_series(tmp_path / "series")


def case_of(folder: Path) -> Case:
    """The CT of a folder, as a case."""
    ct = next(v for v in read_dicom_folder(folder) if v.modality == "CT")
    return Case("one", ct.grid, "CT", {"CT": ct}, {"CT": np.ones(ct.grid.shape, bool)})


@pytest.fixture
def a_dicom_case(a_series_folder):
    return case_of(a_series_folder)


@pytest.fixture
def source(a_dicom_case):
    """The series that the case was read from."""
    return SourceSeries.read(files_of(a_dicom_case))


@pytest.fixture(scope="session")
def a_real_case():
    if not STS_002.is_dir():
        pytest.skip("the DICOM patient STS_002 is not on this machine")
    return case_of(STS_002)


def a_box() -> np.ndarray:
    """bool on OBLIQUE: two slices, three rows, four columns, nowhere in the middle."""
    mask = np.zeros(OBLIQUE.shape, bool)
    mask[1:3, 2:5, 4:8] = True
    return mask


def a_ring() -> np.ndarray:
    """bool on OBLIQUE: rings around one voxel, an island at their corner, and a single voxel in another slice."""
    mask = np.zeros(OBLIQUE.shape, bool)
    mask[2:4, 1:4, 1:4] = True
    mask[2:4, 2, 2] = False
    mask[2:4, 4, 4] = mask[4, 6, 8] = True
    return mask


@pytest.fixture
def masks():
    """By name, masks on the small series."""
    corners = np.zeros(OBLIQUE.shape, bool)
    corners[0, 0, 0] = corners[1, 6, 8] = corners[5, 0, 8] = True
    return {"box": a_box(), "ring": a_ring(), "corners": corners, "everything": np.ones(OBLIQUE.shape, bool)}
