"""Cases of a small oblique CT series, and of the real PET/CT/MR patient where it is."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of

from Testing.fixtures.dicom_series import Folder
from Testing.fixtures.source_series import OBLIQUE, write_series

STS_002 = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "sts_dicom" / "STS_002"


@pytest.fixture
def folder(tmp_path) -> Folder:
    """One study's folder, that writes series of slices."""
    return Folder(tmp_path)


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
