"""What a reader brings by hand: dropped files and folders, loose DICOM, other formats; and what is refused in words."""

import re
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

pytestmark = pytest.mark.usefixtures("quiet")
LIMIT_MB = 40
PET_TAGS = {"Units": "GML", "SUVType": "BW", "CorrectedImage": ["ATTN", "DECY"], "RescaleSlope": 0.01}
SERIES = {
    "CT": (CTImageStorage, "CT", {"RescaleSlope": 1, "RescaleIntercept": -1024, "SeriesDescription": "leg native"}),
    "PET": (PositronEmissionTomographyImageStorage, "PT", {**PET_TAGS, "SeriesDescription": "leg FDG"}),
    "MR_T1": (MRImageStorage, "MR", {"SeriesDescription": "t1_tse_tra"}),
}


@pytest.fixture(scope="module")
def workspace(serving, folder):
    with serving(folder, "--upload-limit-gb", LIMIT_MB / 1024) as served:
        yield served


def write_series(key, source, folder, patient="P1", study=None, start=0):
    """One NIfTI file as a DICOM series of files without an extension."""
    image = sitk.ReadImage(str(source / f"{key}.nii.gz"))
    kind, modality, tags = SERIES[key]
    slope, intercept = tags.get("RescaleSlope", 1), tags.get("RescaleIntercept", 0)
    stored = ((sitk.GetArrayFromImage(image) - intercept) / slope).round().astype(np.int16)
    uid, study = generate_uid(), study or generate_uid()
    for k, rows in enumerate(stored):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"IM{start + k:05d}"
        slice_ = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        place = image.TransformIndexToPhysicalPoint((0, 0, k))
        common = {"SOPClassUID": kind, "SOPInstanceUID": generate_uid(), "Modality": modality, "PatientID": patient}
        common |= {
            "SeriesInstanceUID": uid,
            "StudyInstanceUID": study,
            "FrameOfReferenceUID": "1.2.3",
            "Rows": rows.shape[0],
        }
        common |= {"ImagePositionPatient": [f"{x:.4f}" for x in place], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        common |= {"PixelSpacing": list(image.GetSpacing()[1::-1]), "Columns": rows.shape[1], "SamplesPerPixel": 1}
        common |= {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1}
        common |= {
            "PhotometricInterpretation": "MONOCHROME2",
            "PixelData": rows.tobytes(),
            "RescaleIntercept": intercept,
        }
        for keyword, value in {**common, **tags}.items():
            setattr(slice_, keyword, value)
        slice_.save_as(path, enforce_file_format=True)
    return study


@pytest.fixture(scope="module")
def dicom(a_real_folder, tmp_path_factory):
    """CT, PET and MR of one patient in one heap of files without extensions, more than a hundred with what else lies
    there."""
    folder = tmp_path_factory.mktemp("dicom") / "export"
    folder.mkdir()
    study = None
    for n, key in enumerate(SERIES):
        study = write_series(key, a_real_folder, folder, study=study, start=100 * n)
    for n in range(10):
        (folder / f"LETTER{n}").write_text("This is a letter.")
    return folder


@pytest.fixture(scope="module")
def formats(a_real_folder, tmp_path_factory):
    """CT as NRRD, PET as MHA, MR as NIfTI."""
    folder = tmp_path_factory.mktemp("formats")
    names = {"CT": "CT.nrrd", "PET": "PET.mha", "MR_T1": "MR_T1.nii.gz"}
    for key, name in names.items():
        sitk.WriteImage(sitk.ReadImage(str(a_real_folder / f"{key}.nii.gz")), str(folder / name))
    return [folder / name for name in names.values()]


def drop(reader, *paths):
    """Let files or folders go over the pictures, as a hand does with the mouse, which says again and again where it is:
    where something new lies under it, such as after a dialog that fades away, only the next time counts."""
    x, y = reader.at("Axial", 0.5, 0.5)
    devices = reader.context.new_cdp_session(reader.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def send(kind):
        devices.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})

    for kind in ("dragEnter", *["dragOver"] * 100):
        send(kind)
        if reader.holds("document.body.classList.contains('dragging')"):
            break
        reader.page.wait_for_timeout(50)
    else:
        raise AssertionError("the page takes no files")
    reader.save_picture("dragging")
    send("drop")
    devices.detach()


def open_dialog(reader):
    if not reader.state("open_dialog"):
        reader.page.locator("#section-case").get_by_role("button", name="Open", exact=True).click()
    reader.page.locator("#open-path").wait_for()


def opened(reader, name, modalities=("CT", "PET", "MR_T1")):
    wanted = [f"s('s_modalities').includes('{key}')" for key in modalities]
    wanted += [f"s('s_modalities').length === {len(modalities)}", f"s('s_case_name') === '{name}'"]
    reader.wait(" && ".join([*wanted, "s('s_loading') === '' && !s('open_dialog')"]))
    reader.page.locator(".v-dialog.v-overlay--active").wait_for(state="detached")


def test_a_dropped_folder_of_loose_dicom_is_opened_whole(reader, dicom):
    drop(reader, dicom)
    opened(reader, "export")
    assert reader.state("s_sources") == {"CT": "leg native", "PET": "leg FDG", "MR_T1": "t1_tse_tra"}
    _, words = reader.probe("Axial", 0.5, 0.5)
    assert "HU" in words and "SUV" in words
    report = " ".join(reader.state("s_quality"))
    assert "MR_T1" in report and "PET" in report
    reader.page.locator("#section-case summary", has_text="alignment report").click()
    assert reader.page.get_by_text(reader.state("s_quality")[0], exact=True).is_visible()
    reader.save_picture("dicom_folder")
    reader.page.locator("#section-case summary", has_text="alignment report").click()


def test_the_alignment_of_what_was_brought_is_judged_by_eye(reader):
    reader.choose("over it", "nothing")
    plain = reader.settled("Axial")
    reader.click("#comparison summary")
    reader.choose("with", "PET")
    reader.choose("compare", "checkerboard")
    board = reader.settled("Axial", plain)
    reader.choose("compare", "swipe")
    swiped = reader.settled("Axial", board)
    assert np.abs(board - plain).mean() > 1 and np.abs(swiped - board).mean() > 1
    reader.wait("document.querySelector('#legends').innerText.includes('swipe')")
    reader.choose("compare", "off")
    reader.click("#comparison summary")


def test_files_of_several_formats_are_dropped_together(reader, formats):
    drop(reader, *formats)
    opened(reader, "uploaded files")
    assert reader.state("s_sources") == {"CT": "CT.nrrd", "PET": "PET.mha", "MR_T1": "MR_T1.nii.gz"}


def test_a_folder_is_chosen_and_a_role_is_corrected_by_hand(reader, dicom):
    open_dialog(reader)
    with reader.page.expect_file_chooser() as chooser:
        reader.page.get_by_role("button", name="choose a folder").click()
    chooser.value.set_files(dicom)
    opened(reader, "export")
    open_dialog(reader)
    row = reader.page.locator(".role-row", has_text="t1_tse_tra")
    row.locator(".v-select").click()
    reader.page.locator(".v-list-item", has_text=re.compile("^MR_T2$")).click()
    reader.page.locator(".v-list-item").first.wait_for(state="hidden")
    reader.wait("s('role_rows').some((r) => r.role === 'MR_T2')")
    reader.save_picture("role_corrected")
    reader.click("#read-again")
    opened(reader, "export", ("CT", "PET", "MR_T2"))
    assert reader.state("s_sources")["MR_T2"] == "t1_tse_tra"


def test_zipped_dicom_is_chosen_as_a_file(reader, dicom, tmp_path):
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in dicom.iterdir():
            archive.write(path, f"a/b/{path.name}")
    open_dialog(reader)
    with reader.page.expect_file_chooser() as chooser:
        reader.page.get_by_role("button", name="choose files").click()
    chooser.value.set_files(tmp_path / "study.zip")
    opened(reader, "b")
    assert set(reader.state("s_sources").values()) == {"leg native", "leg FDG", "t1_tse_tra"}


def test_a_series_that_no_tag_names_is_left_out_and_can_be_named(reader, dicom, a_real_folder, tmp_path):
    unclear = tmp_path / "unclear"
    unclear.mkdir()
    tags = SERIES["MR_T1"][2]
    tags["SeriesDescription"] = "leg"
    try:
        study = write_series("MR_T1", a_real_folder, unclear)
    finally:
        tags["SeriesDescription"] = "t1_tse_tra"
    write_series("CT", a_real_folder, unclear, study=study, start=500)
    drop(reader, unclear)
    opened(reader, "unclear", ("CT",))
    assert any("'leg'" in line and "say what this series is" in line for line in reader.state("s_quality"))
    open_dialog(reader)
    assert {row["name"]: row["role"] for row in reader.state("role_rows")} == {"leg native": "CT", "leg": "not used"}
    row = reader.page.locator(".role-row", has=reader.page.get_by_text("leg", exact=True))
    row.locator(".v-select").click()
    reader.page.locator(".v-list-item", has_text=re.compile("^MR_T1$")).click()
    reader.page.locator(".v-list-item").first.wait_for(state="hidden")
    reader.click("#read-again")
    opened(reader, "unclear", ("CT", "MR_T1"))
    assert reader.state("s_sources") == {"CT": "leg native", "MR_T1": "leg"}


@pytest.fixture
def bad(a_real_folder, dicom, tmp_path):
    """A function of what is wrong: the paths to drop."""

    def four_dimensions():
        image = sitk.GetImageFromArray(np.zeros((2, 4, 8, 8), np.float32), isVector=False)
        sitk.WriteImage(image, str(tmp_path / "CT.nii.gz"))
        return [tmp_path / "CT.nii.gz"]

    def colored():
        sitk.WriteImage(
            sitk.GetImageFromArray(np.zeros((4, 8, 8, 3), np.uint8), isVector=True), str(tmp_path / "CT.nrrd")
        )
        return [tmp_path / "CT.nrrd"]

    def photograph():
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 8, 3), np.uint8), isVector=True), str(tmp_path / "CT.png"))
        return [tmp_path / "CT.png"]

    def truncated_dicom():
        whole = sorted(dicom.glob("IM*"))
        for n, path in enumerate(whole[:32]):
            (tmp_path / path.name).write_bytes(path.read_bytes()[: -100 if n == 5 else None])
        return [tmp_path / path.name for path in whole[:32]]

    def two_patients():
        for n, patient in enumerate(("P1", "P2")):
            write_series(("CT", "PET")[n], a_real_folder, tmp_path, patient, start=100 * n)
        return sorted(tmp_path.glob("IM*"))

    def bomb():
        with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("CT.nii", b"\0" * (2 * LIMIT_MB * 2**20))
        return [tmp_path / "bomb.zip"]

    def escape():
        with zipfile.ZipFile(tmp_path / "escape.zip", "w") as archive:
            archive.write(a_real_folder / "CT.nii.gz", "../../CT.nii.gz")
        return [tmp_path / "escape.zip"]

    def broken_archive():
        (tmp_path / "study.zip").write_bytes(b"PK\3\4 and nothing more")
        return [tmp_path / "study.zip"]

    def too_large():
        with (tmp_path / "CT.nii").open("wb") as file:
            file.truncate(4 * LIMIT_MB * 2**20)
        return [tmp_path / "CT.nii"]

    def empty_folder():
        (tmp_path / "nothing").mkdir()
        return [tmp_path / "nothing"]

    def letter():
        (tmp_path / "letter.docx").write_text("This is a letter.")
        return [tmp_path / "letter.docx"]

    simple = (four_dimensions, colored, photograph, empty_folder, letter, truncated_dicom, two_patients)
    return {make.__name__: make for make in (*simple, bomb, escape, broken_archive, too_large)}


BAD = {
    "four_dimensions": "4 axes",
    "colored": "per voxel",
    "photograph": "nothing to read",
    "truncated_dicom": "end early",
    "two_patients": "2 patients",
    "bomb": "upload limit",
    "escape": "lead out of it",
    "broken_archive": "damaged",
    "too_large": "upload limit",
    "empty_folder": "no file",
    "letter": "nothing to read",
}


@pytest.mark.parametrize("fault", list(BAD))
def test_what_is_no_good_gets_one_sentence_and_what_was_open_stays(reader, bad, fault):
    names = ("s_sources", "s_case_name", "s_modalities", "s_alignment")
    before, number = {name: reader.state(name) for name in names}, reader.message_number()
    drop(reader, *bad[fault]())
    sentence = reader.wait_for_message(number).strip()
    assert BAD[fault] in sentence, sentence
    assert len(re.findall(r"[.!?](?:\s|$)", sentence)) == 1 and "\n" not in sentence and len(sentence) < 300, sentence
    assert "Traceback" not in sentence and "P1" not in sentence
    reader.wait("s('s_loading') === '' && s('uploading') === ''")
    assert {name: reader.state(name) for name in names} == before
    refused = [found for found in reader.faults.found if "Failed to load resource" in found]
    assert len(refused) == (fault in ("bomb", "escape", "broken_archive", "too_large"))  # a browser notes an answer 4xx
    reader.faults.found[:] = [found for found in reader.faults.found if found not in refused]
    reader.save_picture(f"refused_{fault}")


def test_uploads_that_no_case_needs_are_gone_from_the_disk(reader, workspace, formats):
    for _ in range(2):
        drop(reader, *formats)
        opened(reader, "uploaded files")
        drop(reader, *formats[:2])
        opened(reader, "uploaded files", ("CT", "PET"))
    kept = list(workspace.folder.rglob("uploads/*/*/CT.nrrd"))
    assert 1 <= len(kept) <= 2  # of the case, and of the one that it took the place of
