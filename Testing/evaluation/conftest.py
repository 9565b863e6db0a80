"""Cases to evaluate on: the shipped patient on its CT grid, and tiny boxes whose numbers are worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.data import Case, Grid, Volume

ROOT = Path(__file__).resolve().parents[2]
STS_010 = ROOT / "Resources" / "SampleData" / "STS_010"


def read(name):
    return sitk.ReadImage(str(STS_010 / f"{name}.nii.gz"))


def onto(image, reference):
    """The image on the reference's grid, and where that grid lies inside the image and the image says something."""
    resample = sitk.ResampleImageFilter()
    resample.SetReferenceImage(reference)
    seen = resample.Execute(sitk.Cast(image != 0, sitk.sitkFloat32))
    resample.SetInterpolator(sitk.sitkLinear)
    return resample.Execute(sitk.Cast(image, sitk.sitkFloat32)), sitk.GetArrayFromImage(seen) > 0.5


@pytest.fixture(scope="session")
def a_real_case():
    """STS_010 with CT, PET, MR_T1 and the drawn lesion, on the CT grid."""
    ct = read("CT")
    volumes, valid = {}, {}
    for modality in ("CT", "PET", "MR_T1"):
        image, seen = onto(read(modality), ct)
        volumes[modality] = Volume.from_sitk(image, modality)
        valid[modality] = np.ones_like(seen) if modality == "CT" else seen
    mask = Volume.from_sitk(read("GTV"))
    return Case("STS_010", Grid.of(ct), "CT", volumes, valid, reference_mask=mask)


@pytest.fixture
def a_tiny_case():
    """12 x 20 x 20 voxels of 3 x 2 x 2 mm: CT, PET and MR ramps; the lesion is a box of 4 x 6 x 6 voxels."""
    grid = Grid((20, 20, 12), (2.0, 2.0, 3.0))
    k, j, i = np.indices(grid.shape, dtype=np.float32)
    arrays = {"CT": 10 * i - 100, "PET": 0.1 * j, "MR_T1": 50 * k + i * j}
    volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
    valid = {m: np.ones(grid.shape, bool) for m in volumes}
    lesion = np.zeros(grid.shape, np.uint8)
    lesion[4:8, 7:13, 7:13] = 1
    return Case("tiny", grid, "CT", volumes, valid, reference_mask=Volume(lesion, grid))
