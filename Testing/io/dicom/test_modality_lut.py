"""Values by a table in place of slope and intercept, in CT, PET and MR."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from Testing.fixtures.dicom_series import SLICES, stored

FIRST, COUNT = 0, 512  # of the stored pixels, which go up to 411


def a_table(kind="HU", entries=None, first=FIRST) -> Sequence:
    item = Dataset()
    values = np.arange(COUNT) if entries is None else entries
    item.add_new("LUTDescriptor", "US", [COUNT, first, 16])
    item.ModalityLUTType = kind
    item.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    return Sequence([item])


@pytest.mark.parametrize(("modality", "entries"), [
    ("CT", np.minimum(2 * np.arange(COUNT), 700) - 1000),
    ("PT", np.arange(COUNT) // 5),
    ("MR", np.minimum(2 * np.arange(COUNT), 700)),
])  # fmt: skip
def test_a_table_says_the_values(folder, modality, entries):
    folder.series(modality, ModalityLUTSequence=a_table(entries=entries), RescaleSlope=None, RescaleIntercept=None)
    volume = read_dicom_folder(folder.path)[0]
    np.testing.assert_array_equal(volume.array, np.stack([entries[stored(k)] for k in range(SLICES)]))


def test_pixels_beyond_the_table_have_its_ends(folder):
    table = a_table(entries=np.arange(COUNT) + 7, first=100)
    folder.series("MR", ModalityLUTSequence=table)
    volume = read_dicom_folder(folder.path)[0]
    assert volume.array.min() == 7  # of the stored pixels below 100
    assert volume.array.max() == stored(SLICES - 1).max() - 100 + 7


@pytest.mark.parametrize(("tags", "message"), [
    ({"ModalityLUTSequence": a_table(entries=np.arange(9))}, "Modality LUT .* is not whole"),
    ({"ModalityLUTSequence": a_table(), "RescaleSlope": 1}, "with RescaleSlope and a Modality LUT"),
    ({"ModalityLUTSequence": a_table("OD")}, "ModalityLUTType .* is 'OD'"),
])  # fmt: skip
def test_a_table_that_cannot_be_meant_is_refused_in_a_sentence(folder, tags, message):
    folder.series("CT", **{"RescaleSlope": None, "RescaleIntercept": None, **tags})
    with pytest.raises(InputError, match=message):
        read_dicom_folder(folder.path)
