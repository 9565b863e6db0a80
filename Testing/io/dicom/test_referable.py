"""SEG and RTSTRUCT beside a series that lacks a tag, or says nonsense in one: written where that can be."""

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.rtstruct_writer import write_rtstruct
from DiffuFuseMedLib.io.dicom.seg_writer import write_dicom_seg
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from Testing.fixtures.dicom_series import COLUMNS, GAP_MM, ROWS, SLICES

WRITERS = pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])


def written(folder, write, change):
    """The object beside a CT whose headers change(header, n) was called with."""
    paths = folder.series("CT")
    for n, path in enumerate(paths):
        header = pydicom.dcmread(path)
        change(header, n)
        header.save_as(path)
    mask = np.zeros((SLICES, ROWS, COLUMNS), bool)
    mask[1:3, :2, 1:3] = True
    write(mask, SourceSeries.read(paths), folder.path / "out.dcm", DrawnBy("told"))
    return pydicom.dcmread(folder.path / "out.dcm")


def text(keyword, value):
    """change() that writes bytes which no writer would let pass."""
    tag = Tag(keyword)
    return lambda header, _: header.__setitem__(
        tag, RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    )


@WRITERS
@pytest.mark.parametrize("tag", ["PatientID", "PatientName", "StudyID", "StudyDate", "AccessionNumber"])
def test_what_may_be_empty_is_empty_where_the_series_lacks_it(folder, write, tag):
    found = written(folder, write, lambda header, _: header.pop(tag, None))
    assert tag in found and not found[tag].value


@WRITERS
@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("PatientBirthDate", b"19xx0101"),
        ("StudyDate", b"notadate"),
        ("StudyTime", b"99xx"),
        ("PatientSex", b"UNKNOWN "),
    ],
)
def test_what_cannot_be_read_is_empty(folder, write, tag, value):
    found = written(folder, write, text(tag, value))
    assert not found[tag].value


@pytest.mark.parametrize(
    "change", [lambda header, _: None, text("SliceThickness", b"thick "), text("SliceThickness", b"0 ")]
)
def test_the_distance_between_slices_is_the_thickness_that_the_series_does_not_give(folder, change):
    found = written(folder, write_dicom_seg, change)
    measures = found.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert float(measures.SliceThickness) == pytest.approx(GAP_MM)


@WRITERS
@pytest.mark.parametrize(
    "tag",
    [
        "FrameOfReferenceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "SOPClassUID",
        "Modality",
        "Rows",
    ],
)
def test_what_an_object_refers_by_is_named_where_it_is_missing(folder, write, tag):
    with pytest.raises(InputError, match=f"the source series without {tag} "):
        written(folder, write, lambda header, _: header.pop(tag))


@WRITERS
@pytest.mark.parametrize("tag", ["StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"])
def test_slices_of_several_series_are_not_referred_to_as_one(folder, write, tag):
    with pytest.raises(InputError, match=f"differ in {tag}"):
        written(folder, write, lambda header, n: setattr(header, tag, f"1.2.3.{n}"))


@WRITERS
def test_slices_that_no_reference_tells_apart_are_refused(folder, write):
    with pytest.raises(InputError, match="share their SOPInstanceUID"):
        written(folder, write, lambda header, _: setattr(header, "SOPInstanceUID", "1.2.3"))


@pytest.mark.filterwarnings("ignore:Unknown encoding")
def test_an_unknown_character_set_costs_no_export(folder):
    written(folder, write_dicom_seg, text("SpecificCharacterSet", b"ISO_IR 999"))
