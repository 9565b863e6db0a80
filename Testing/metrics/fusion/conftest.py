"""Real pairs of CT and MRI pictures, which are not in the repository: tests that need them are skipped without them."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.preprocessing.rois import Rois

PAIRS = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "harvard"


@pytest.fixture
def harvard():
    """A function (name, kind): (CT, MRI) of a Harvard pair, or (PET, MRI), (SPECT, MRI); float64 (256, 256), 0..255."""

    def read(name, kind="CT"):
        files = [PAIRS / f"{kind}-MRI" / folder / name for folder in (kind, "MRI")]
        if not all(file.is_file() for file in files):
            pytest.skip("needs the Harvard pairs under ../shared/data/harvard")
        return tuple(gray(sitk.ReadImage(str(file))) for file in files)

    return read


def gray(image):
    array = sitk.GetArrayFromImage(image).astype(np.float64)
    return array if array.ndim == 2 else np.round(array @ [0.299, 0.587, 0.114])


@pytest.fixture
def textures():
    """Three pictures (64, 64), 0..255, smooth at different scales."""
    j, i = np.mgrid[:64, :64]
    noise = np.random.default_rng(3).uniform(-20, 20, (3, 64, 64))
    waves = (np.sin(i / 5), np.cos(j / 7 + i / 11), np.sin((i + j) / 9))
    return [128 + 80 * wave + n for wave, n in zip(waves, noise, strict=True)]


@pytest.fixture
def a_head():
    """(CT, MRI, Rois) of 64 x 64: skull white in the CT, brain of texture in the MRI, a bleeding in the CT only."""
    j, i = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(j, i)
    bone, soft = (radius > 20) & (radius <= 26), radius <= 19
    ct = np.where(bone, 255.0, np.where(soft, 90.0, 0.0))
    ct[28:36, 24:32] = 140
    mri = np.where(soft, 120 + 60 * np.sin(i / 3) * np.cos(j / 4), np.where(bone, 20.0, 0.0))
    lesion = np.zeros(ct.shape, bool)
    lesion[28:36, 24:32] = True
    return ct, mri, Rois(soft, bone, lesion, radius <= 28, "head")
