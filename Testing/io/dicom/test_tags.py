"""Tags that hold something else than the standard asks for."""

import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.tags import number, numbers, positive
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite


@pytest.fixture
def written(tmp_path):
    """A function (keyword, text): a dataset from a file in which the tag holds exactly this text."""

    def write(keyword, text):
        dataset = Dataset()
        filler = "\\".join(["1" * len(part) for part in text.split("\\")])
        setattr(dataset, keyword, filler.split("\\"))
        path = tmp_path / "one.dcm"
        dcmwrite(path, dataset, implicit_vr=True, little_endian=True, force_encoding=True)
        data = path.read_bytes()
        assert filler.encode() in data
        path.write_bytes(data.replace(filler.encode(), text.encode()))
        return pydicom.dcmread(path, force=True)

    return write


pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:.*DS.*")


def test_a_comma_is_the_point_of_one_number_and_parts_several(written):
    assert numbers(written("PatientWeight", "70,5"), "PatientWeight", 1) == (70.5,)
    assert numbers(written("PixelSpacing", "4.25,3.5"), "PixelSpacing", 2) == (4.25, 3.5)
    assert numbers(written("ImagePositionPatient", "-46,25\\1,5\\2"), "ImagePositionPatient", 3) == (-46.25, 1.5, 2.0)


@pytest.mark.parametrize("text", ["70,5,1", "seventy", "7 0", "nan", "inf", "1\\2"])
def test_what_is_no_number_is_named(written, text):
    with pytest.raises(InputError, match=r"PatientWeight \(0010,1030\)"):
        positive(written("PatientWeight", text), "PatientWeight", "a PET series")


def test_a_missing_number_is_named_as_missing():
    with pytest.raises(InputError, match="without PatientWeight"):
        number(Dataset(), "PatientWeight", "a PET series")
