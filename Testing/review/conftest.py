"""Predictions made by hand: a probability, thresholded at one half, with the entropy that belongs to it."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.review import Worklist, worklist
from scipy.ndimage import distance_transform_edt

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="session")
def predicted():
    """A function (probability [k, j, i], grid with 1 mm voxels unless told otherwise, labels)."""

    def make(probability, grid=None, labels=None):
        p = np.asarray(probability, np.float32)
        labels = (p > 0.5).astype(np.uint8) if labels is None else labels
        q = np.clip(p, 1e-6, 1 - 1e-6)
        entropy = -(q * np.log(q) + (1 - q) * np.log(1 - q))
        volume, grid = Interval(1.0, 0.5, 2.0, "mL"), grid or Grid(p.shape[::-1])
        return Prediction(grid, p, labels, {"predictive_entropy": entropy}, labels > 0, labels > 0, {}, volume)

    return make


@pytest.fixture
def two_blobs(predicted):
    """Boxes of 8 and 6 mm in 40 mm: p = 0.6 in the first, called lesion, 0.3 in the second, not called; else 0."""
    p = np.zeros((40, 40, 40))
    p[4:12, 4:12, 4:12] = 0.6
    p[28:34, 28:34, 28:34] = 0.3
    return predicted(p)


@pytest.fixture
def a_worklist(two_blobs) -> Worklist:
    return worklist(two_blobs)


@pytest.fixture(scope="session")
def a_real_prediction(predicted):
    """The drawn lesion of STS_010, its probability falling from 1 to 0 over about a centimeter of its border."""
    image = sitk.ReadImage(str(STS_010 / "GTV.nii.gz"))
    lesion, grid = sitk.GetArrayFromImage(image) > 0, Grid.of(image)
    outside, inside = (distance_transform_edt(m, grid.spacing_kji_mm) for m in (~lesion, lesion))
    return predicted(1 / (1 + np.exp((outside - inside) / 3)), grid)


@pytest.fixture(scope="session")
def a_real_worklist(a_real_prediction) -> Worklist:
    """Of all its regions."""
    return worklist(a_real_prediction, most=500)
