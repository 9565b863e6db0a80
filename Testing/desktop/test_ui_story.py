"""The reading story (ui_story.py) in the stand-in, with the real engine on the shipped case at half its resolution."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import SimpleITK as sitk

HERE = Path(__file__).resolve().parent
STS_010 = HERE.parents[1] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture
def a_coarse_case(tmp_path):
    """STS_010 with every second column and row of CT and MR: a quarter of the work."""
    for name in ("CT", "MR_T1"):
        image = sitk.ReadImage(str(STS_010 / f"{name}.nii.gz"))
        sitk.WriteImage(sitk.Shrink(image, [2, 2, 1]), str(tmp_path / f"{name}.nii.gz"))
    shutil.copy(STS_010 / "PET.nii.gz", tmp_path)
    return tmp_path


def test_a_reader_gets_from_the_images_to_a_corrected_lesion_and_back(slicer_host, a_coarse_case):
    spec = importlib.util.spec_from_file_location("ui_story", HERE / "ui_story.py")
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    slicer_host.load_module(HERE.parents[1] / "DiffuFuseMed" / "DiffuFuseMed.py")
    seconds = story.run(a_coarse_case)
    assert list(seconds) == [step.__name__ for step in story.STEPS]
