"""The module's self test, which tells the reading story (ui_story.py), in the stand-in: with the real engine, on the
shipped case at half its resolution, around its lesion."""

import sys
import unittest
from pathlib import Path

import pytest
import SimpleITK as sitk

HERE = Path(__file__).resolve().parent
STS_010 = HERE.parents[1] / "Resources" / "SampleData" / "STS_010"
SLICES = slice(15, 44)  # the drawn lesion is in 16 to 42


@pytest.fixture
def a_coarse_case(tmp_path):
    """STS_010's slices with lesion, with every second column and row of CT and MR: an eighth of the work."""
    for name, every in (("CT", 2), ("MR_T1", 2), ("PET", 1)):
        image = sitk.ReadImage(str(STS_010 / f"{name}.nii.gz"))[:, :, SLICES]
        sitk.WriteImage(sitk.Shrink(image, [every, every, 1]), str(tmp_path / f"{name}.nii.gz"))
    return tmp_path


@pytest.fixture
def self_test(slicer_host):
    """The test that the module registers with Slicer."""
    slicer_host.load_module(HERE.parents[1] / "DiffuFuseMed" / "DiffuFuseMed.py")
    return sys.modules["DiffuFuseMed"].DiffuFuseMedTest("runTest")


def test_a_reader_gets_from_the_images_to_a_corrected_lesion_and_back(self_test, a_coarse_case):
    self_test.case_folder = a_coarse_case
    self_test.runTest()
    steps = sys.modules["DiffuFuseMed"].story().STEPS
    assert list(self_test.seconds) == [step.__name__ for step in steps]


def test_a_slicer_without_torch_skips_the_self_test_in_the_panels_words(slicer_host, monkeypatch):
    from DiffuFuseMedLib.desktop import environment

    monkeypatch.setattr(environment, "own_python", lambda: getattr(sys, "_base_executable", sys.executable))
    slicer_host.load_module(HERE.parents[1] / "DiffuFuseMed" / "DiffuFuseMed.py")
    with pytest.raises(unittest.SkipTest, match="torch"):
        sys.modules["DiffuFuseMed"].DiffuFuseMedTest("runTest").runTest()
