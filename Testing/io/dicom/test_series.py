"""What lies in a clinical folder beside the series that are wanted, and one bad series among good ones."""

import shutil

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.images import Choice, read_dicom_folder
from DiffuFuseMedLib.io.dicom.series import find_series
from DiffuFuseMedLib.io.study import UNUSED, read_study
from pydicom import dcmread
from pydicom.uid import generate_uid

from Testing.fixtures.dicom_series import CLASSES, NORMAL, ORIGIN, SLICES

SHARED = generate_uid()
TURNED = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}


@pytest.fixture
def study(folder):
    """A folder with a CT that is good."""
    folder.series("CT", SeriesDescription="leg")
    return folder


def notes_of(study) -> list[str]:
    """Of a study whose CT is there all the same."""
    read = read_study(study.path)
    assert "CT" in read.volumes
    return list(read.notes)


@pytest.mark.parametrize(
    ("modality", "tags", "reason"),
    [
        ("PT", {"Units": "PROPCNT"}, "Units (0054,1001) is 'PROPCNT'"),
        ("PT", {"Units": "BQML", "DecayCorrection": "START", "PatientWeight": 0}, "PatientWeight (0010,1030) is 0"),
        ("PT", {"CorrectedImage": ["DECY"]}, "lacks ATTN"),
        ("MR", {"per_slice": lambda k: TURNED if k % 2 else {}}, "orientations"),
        ("MR", {"orders": [0, 1, 3, 4]}, "missing slices"),
        ("MR", {"positions": [ORIGIN] * 4}, "at the position of another"),
    ],
)
def test_one_series_that_cannot_be_used_does_not_cost_the_study(study, modality, tags, reason):
    study.series(modality, **tags)
    [note] = notes_of(study)
    assert note.startswith(f"The {modality} series '7' was not read.")
    assert reason in note
    with pytest.raises(InputError):
        read_dicom_folder(study.path)


def test_the_attenuation_corrected_pet_is_taken_beside_the_other(study):
    study.series("PT", SeriesDescription="AC")
    study.series("PT", SeriesDescription="NAC", CorrectedImage=["DECY"])
    read = read_study(study.path)
    assert read.volumes["PET"].meta["series_description"] == "AC"
    assert "lacks ATTN" in read.notes[0]


def test_a_study_of_nothing_usable_says_why(folder):
    folder.series("PT", Units="PROPCNT")
    with pytest.raises(InputError, match=r"^Given a PET series whose Units .*PROPCNT"):
        read_study(folder.path)
    folder.series("CT", orders=[0, 1, 3])
    with pytest.raises(InputError, match=r"nothing to read .*missing slices.*PROPCNT"):
        read_study(folder.path)


def test_a_damaged_file_is_told_and_the_other_series_are_read(study):
    path = study.series("PT")[2]
    path.write_bytes(path.read_bytes()[:200])
    notes = notes_of(study)
    assert any(path.name in note and "passed over" in note for note in notes)
    assert any("1 missing slices" in note for note in notes)  # never a PET with a hole in it


def test_localizers_and_projections_are_left_out_with_the_reason(study):
    study.series(
        "CT", positions=[ORIGIN] * 2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesDescription="scout"
    )
    study.series("PT", ImageType=["DERIVED", "SECONDARY", "MIP"], SeriesDescription="rotating")
    notes = notes_of(study)
    assert "The series 'scout' was left out: it is a localizer." in notes
    assert "The series 'rotating' was left out: it is a projection, such as a MIP." in notes


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"SeriesDescription": "localizer_T1"}, "a localizer"),
        ({"SeriesDescription": "3D", "ImageType": ["DERIVED", "SECONDARY", "VRT"]}, "a projection, such as a MIP"),
        ({"SeriesDescription": "curved MPR", "ImageType": ["DERIVED", "SECONDARY"]}, "a projection, such as a MIP"),
    ],
)
def test_words_and_kinds_that_no_slice_has_leave_a_series_out(study, tags, what):
    study.series("MR", **tags)
    assert f"The series '{tags['SeriesDescription']}' was left out: it is {what}." in notes_of(study)


def test_foreign_and_hidden_files_are_no_part_of_a_series(study):
    shutil.copy(next(study.path.glob("CT*.dcm")), study.path / "._CT001.dcm")
    (study.path / "._CT002.dcm").write_bytes(b"\x00\x05\x16\x07 resource fork")
    (study.path / "thumbs.jpg").write_bytes(b"\xff\xd8\xff\xe0 picture")
    (study.path / "report.txt").write_text("text")
    (study.path / "link").symlink_to(study.path / "report.txt")
    (study.path / "gone").symlink_to(study.path / "nowhere")
    assert notes_of(study) == []
    (study.path / "viewer.dcm").write_bytes(b"<html></html>")
    [note] = notes_of(study)
    assert "A file was passed over." in note and "viewer.dcm" in note


def test_two_copies_of_a_slice_are_one(study):
    for path in sorted(study.path.glob("CT*.dcm"))[:2]:
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    (study.path / "linked.dcm").symlink_to(next(study.path.glob("CT*.dcm")))
    [volume] = read_dicom_folder(study.path)
    assert volume.array.shape[0] == SLICES


@pytest.mark.parametrize("name", ["AAA.dcm", "zzz.dcm"])
def test_two_files_of_one_slice_that_show_different_things_are_no_copies_whichever_comes_first(study, name):
    header = dcmread(sorted(study.path.glob("CT*.dcm"))[1])
    header.PixelData = header.PixelData[::-1]
    header.save_as(study.path / name)
    with pytest.raises(InputError, match="1 slices at the position of another"):
        read_dicom_folder(study.path)


def test_a_copy_with_another_scale_is_no_copy(study):
    header = dcmread(sorted(study.path.glob("CT*.dcm"))[1])
    header.RescaleIntercept = 5
    header.save_as(study.path / "zzz.dcm")
    with pytest.raises(InputError, match="at the position of another"):
        read_dicom_folder(study.path)


def test_a_copy_that_was_written_anew_with_other_words_is_one(study):
    header = dcmread(sorted(study.path.glob("CT*.dcm"))[1])
    header.ImageComments = "copied"
    header.save_as(study.path / "zzz.dcm")
    [volume] = read_dicom_folder(study.path)
    assert volume.array.shape[0] == SLICES


def test_slices_with_one_identifier_at_different_places_are_different_slices(folder):
    folder.series("CT", SOPInstanceUID=generate_uid())
    [volume] = read_dicom_folder(folder.path)
    assert volume.array.shape[0] == SLICES


def test_series_of_one_slice_each_are_read_as_one(folder):
    folder.series("CT", per_slice=lambda k: {"SeriesInstanceUID": generate_uid()})
    notes = []
    [volume] = read_dicom_folder(folder.path, choice=Choice(notes=notes))
    assert volume.array.shape[0] == SLICES
    assert notes == ["5 series of one slice each were read as one, the CT series '7'."]


def test_a_file_without_preamble_and_extension_is_read(folder):
    from pydicom.filebase import DicomFileLike
    from pydicom.filewriter import write_dataset

    for path in folder.series("CT"):
        dataset = dcmread(path)
        with path.with_suffix("").open("wb") as stream:
            raw = DicomFileLike(stream)
            raw.is_little_endian, raw.is_implicit_VR = True, True
            write_dataset(raw, dataset)
        path.unlink()
    [volume] = read_dicom_folder(folder.path)
    assert volume.array.shape[0] == SLICES
    assert np.isfinite(volume.array).all()


def test_voxels_of_what_is_not_wanted_are_never_read(study, monkeypatch):
    from DiffuFuseMedLib.io.dicom import images

    study.series("PT", SeriesDescription="AC")
    study.series("MR", SeriesDescription="AX")  # of a contrast that nobody knows
    read, whole = [], images._dataset
    monkeypatch.setattr(images, "_dataset", lambda path: read.append(path.name[:2]) or whole(path))
    assert tuple(read_study(study.path, only=["PET"]).volumes) == ("PET",)
    assert tuple(read_study(study.path, {"leg": UNUSED, "AX": UNUSED}).volumes) == ("PET",)
    assert set(read) == {"PT"}


def test_a_named_mr_goes_before_a_larger_one_that_only_looks_like_it(study):
    study.series("MR", SeriesDescription="t1_tse_tra")
    more = [ORIGIN + k * 2.5 * NORMAL for k in range(SLICES + 3)]
    study.series("MR", positions=more, SeriesDescription="AX", RepetitionTime=500, EchoTime=10)
    read = read_study(study.path)
    assert read.volumes["MR_T1"].meta["series_description"] == "t1_tse_tra"
    (study.path / "t").mkdir()
    for path in study.path.glob("MR*.dcm"):
        if dcmread(path).SeriesDescription != "AX":
            path.unlink()
    guessed = read_study(study.path).volumes["MR_T1"]
    assert guessed.meta["guessed"]
    assert any(note.startswith("Warning: MR_T1 was guessed") for note in guessed.meta["notes"])


def test_every_series_has_its_files_and_headers_in_one_order(study):
    [series] = find_series(study.path)
    assert [str(header.filename) for header in series.headers] == [str(path) for path in series.files]
    assert (series.kind, series.name, series.description) == ("CT", "the CT series '7'", "leg")
    assert series.headers[0].SOPClassUID == CLASSES["CT"]


def test_the_note_on_alike_images_of_one_series_tells_them_apart_and_why_one_was_taken(study):
    for kind in ("IN_PHASE", "FAT"):
        study.series(
            "MR", SeriesDescription="t1 dixon", SeriesInstanceUID=SHARED, ImageType=["DERIVED", "PRIMARY", kind]
        )
    [note] = [note for note in notes_of(study) if "images are MR_T1" in note]
    assert "IN_PHASE) (" in note.split(" was taken")[0]
    assert "was taken as the first of its kind, series 't1 dixon' (image type DERIVED/PRIMARY/FAT)" in note


def test_a_localizer_among_the_slices_of_a_series_is_left_out_of_it_and_the_series_is_not_called_one(folder):
    uid = generate_uid()
    folder.series("CT", SeriesDescription="body", SeriesInstanceUID=uid)
    kind = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    folder.series("CT", positions=[ORIGIN] * 2, ImageType=kind, SeriesDescription="body", SeriesInstanceUID=uid)
    assert notes_of(folder) == ["What is a localizer was left out of the series 'body'."]
