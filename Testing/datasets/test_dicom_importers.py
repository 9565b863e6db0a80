"""What is particular to the sets of DICOM, and to BTCV: which series, ROI, outline or label, and what each refuses."""

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.datasets.importers import lidc_idri, lidc_nodules, soft_tissue_sarcoma
from DiffuFuseMedLib.datasets.importers.cases import import_set
from DiffuFuseMedLib.datasets.importers.lidc_xml import Drawing, Outline
from DiffuFuseMedLib.datasets.importers.sets import SETS
from DiffuFuseMedLib.io.study import read_study
from pydicom.uid import generate_uid

from Testing.datasets.test_importers import btcv
from Testing.fixtures.public_sets import edge, ircadb, lidc, readings, roi, sarcoma, structures

STS_002 = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "sts_dicom" / "STS_002"


@pytest.fixture
def imported(tmp_path):
    """A function (name, target): the rows by case of what lies in tmp_path / "set"."""

    def run(name, target=None):
        rows = import_set(SETS[name], tmp_path / "set", tmp_path / "cases", target)
        return {row.planned.name: row for row in rows}

    return run


def voxels(path) -> list[tuple]:
    """(i, j, k) of what a mask of a case marks."""
    study = read_study(path.parent)
    mask = study.reference_mask if path.name == "GTV" else study.references[path.name]
    return [tuple(int(n) for n in ijk[::-1]) for ijk in np.argwhere(mask.array)]


# Soft-tissue-Sarcoma


def test_the_mass_alone_as_it_was_drawn_on_the_ct_and_pet_in_suv(imported, tmp_path):
    sarcoma(tmp_path / "set")
    assert imported("sts")["STS_001"].state == "imported"
    study = read_study(tmp_path / "cases" / "STS_001")
    assert voxels(tmp_path / "cases" / "STS_001" / "GTV") == [(1, 2, 1), (2, 2, 1)]
    assert study.volumes["PET"].array.max() == pytest.approx(2.9)
    assert study.volumes["CT"].array.min() == -1000


def test_of_a_registered_mr_and_the_one_that_was_taken_the_registered_one_and_no_stir(imported, tmp_path):
    sarcoma(tmp_path / "set")
    row = imported("sts")["STS_001"]
    volumes = read_study(tmp_path / "cases" / "STS_001").volumes
    assert volumes["MR_T1"].array.min() == 7
    assert (set(volumes), row.reason) == ({"CT", "PET", "MR_T1"}, "")


def test_an_mr_in_another_frame_is_registered_and_that_is_told(imported, tmp_path, monkeypatch):
    moved = np.eye(4)
    moved[:3] = [[0, -1, 0, 4], [1, 0, 0, 5], [0, 0, 1, 6]]  # a quarter turn about z
    motion = type("Motion", (), {"matrix_moving_to_reference": moved})
    monkeypatch.setattr(soft_tissue_sarcoma, "register_rigid", lambda ct, mr: motion)
    sarcoma(tmp_path / "set", aligned=False)
    row = imported("sts")["STS_001"]
    assert (row.state, row.reason) == ("imported", "MR_T1 was registered to the CT.")
    volumes = read_study(tmp_path / "cases" / "STS_001").volumes
    assert volumes["MR_T1"].grid.origin == pytest.approx((-16, -5, 11))
    assert volumes["MR_T1"].grid.direction == pytest.approx((0, -1, 0, 1, 0, 0, 0, 0, 1), abs=1e-6)
    assert volumes["CT"].grid.origin == pytest.approx((-10, 20, 5))


def test_a_patient_without_a_series_its_slices_or_a_mass_is_told_and_costs_no_other(imported, tmp_path):
    sarcoma(tmp_path / "set")
    study = "03-01-2001-NA-PET CT with registered MR-1"
    without = {n: sarcoma(tmp_path / "set", f"STS_00{n}") / study for n in (2, 3, 4)}
    shutil.rmtree(without[2] / "3.000000-PET AC-2")
    for file in list((without[3] / "2.000000-CT IMAGES-1").iterdir()):
        file.unlink()  # a download that was broken off
    shutil.rmtree(without[4] / "1.000000-RTstructCT-6")
    (tmp_path / "set" / "Soft-tissue-Sarcoma" / "STS_005" / "empty").mkdir(parents=True)
    rows = imported("sts")
    assert [row.state for row in rows.values()] == ["imported", "failed", "failed", "failed", "failed"]
    assert "STS_002 without PET" in rows["STS_002"].reason
    assert "STS_003 without CT" in rows["STS_003"].reason
    assert "STS_004 without an RTSTRUCT that has the mass on its CT" in rows["STS_004"].reason
    assert "without a CT, PET or MR image series" in rows["STS_005"].reason


def test_a_structure_set_of_edema_alone_is_no_mass(imported, tmp_path):
    place = sarcoma(tmp_path / "set") / "03-01-2001-NA-PET CT with registered MR-1"
    ct = pydicom.dcmread(next((place / "2.000000-CT IMAGES-1").iterdir()))
    shutil.rmtree(place / "1.000000-RTstructCT-6")
    rois = {"GTV_Edema": ((0, 1), (3, 4), 1)}
    structures(place / "rt", ct.SeriesInstanceUID, ct.FrameOfReferenceUID, rois, "STS_001")
    assert "without an RTSTRUCT" in imported("sts")["STS_001"].reason


def test_a_real_patient_with_its_units_and_the_mass_on_the_ct(tmp_path):
    if not STS_002.is_dir():
        pytest.skip("the DICOM patient STS_002 is not on this machine")
    [row] = import_set(SETS["sts"], STS_002, tmp_path)
    assert (row.state, row.planned.patient) == ("imported", "STS_002")
    study = read_study(tmp_path / "STS_002")
    assert {key: v.units for key, v in study.volumes.items()} == {"CT": "HU", "PET": "SUVbw", "MR_T1": "MR units"}
    assert study.volumes["PET"].array.max() == pytest.approx(21.68, abs=0.01)
    assert int(study.reference_mask.array.sum()) == 17090


def test_a_mass_that_was_drawn_on_an_mr_in_another_frame_alone_is_none_of_the_ct(imported, tmp_path):
    place = sarcoma(tmp_path / "set", aligned=False) / "03-01-2001-NA-PET CT with registered MR-1"
    shutil.rmtree(place / "1.000000-RTstructCT-6")
    row = imported("sts")["STS_001"]
    assert (row.state, "has the mass on its CT" in row.reason) == ("failed", True)


# LIDC-IDRI


def test_pixels_of_the_outline_are_outside_and_those_of_a_hole_too(imported, tmp_path):
    ring = [roi(8.0, edge((1, 1), (3, 4))), roi(8.0, [(2, 2), (2, 3)], inclusion="FALSE")]
    lidc(tmp_path / "set", "LIDC-IDRI-0001", "069", [ring], [[roi(8.0, edge((1, 1), (3, 4)))]])
    imported("lidc-idri")
    case = tmp_path / "cases" / "LIDC-IDRI-0001_069_1"
    block = [(i, j, 1) for j in range(1, 5) for i in range(1, 4)]
    assert voxels(case / "reader 2") == block
    assert voxels(case / "reader 1") == [ijk for ijk in block if ijk[:2] not in ((2, 2), (2, 3))]


def test_a_slice_is_found_by_its_uid_and_without_one_by_its_place(imported, tmp_path):
    place = lidc(tmp_path / "set", "LIDC-IDRI-0001", "069", [])
    images = [pydicom.dcmread(file) for file in sorted(place.glob("*.dcm"))]
    third = next(one.SOPInstanceUID for one in images if float(one.ImagePositionPatient[2]) == 11)
    square = edge((1, 2), (2, 2))
    # the place is told wrong: the UID is what counts
    sessions = [[[roi(9.0, square, third)]], [[roi(11.2, square)]]]
    (place / "069.xml").write_text(readings(images[0].SeriesInstanceUID, *sessions), encoding="utf-8")
    imported("lidc-idri")
    case = tmp_path / "cases" / "LIDC-IDRI-0001_069_1"
    assert voxels(case / "reader 1") == voxels(case / "reader 2") == [(1, 2, 2), (2, 2, 2)]


def test_two_drawings_of_one_nodule_by_one_reader_are_one_mask(imported, tmp_path):
    twice = [[roi(8.0, edge((1, 2), (1, 2)))], [roi(11.0, edge((1, 2), (1, 2)))]]
    lidc(tmp_path / "set", "LIDC-IDRI-0001", "069", twice)
    imported("lidc-idri")
    assert voxels(tmp_path / "cases" / "LIDC-IDRI-0001_069_1" / "GTV") == [(1, 2, 1), (1, 2, 2)]


def test_a_nodule_of_one_reader_has_one_mask_by_the_readers_number(imported, tmp_path):
    lidc(tmp_path / "set", "LIDC-IDRI-0001", "069", [], [], [[roi(8.0, edge((1, 2), (2, 2)))]])
    assert [row.state for row in imported("lidc-idri").values()] == ["imported"]
    case = tmp_path / "cases" / "LIDC-IDRI-0001_069_1"
    assert sorted(p.name for p in case.iterdir()) == ["CT.nii.gz", "GTV_reader3.nii.gz"]
    assert voxels(case / "GTV") == [(1, 2, 1), (2, 2, 1)]


def test_what_is_wrong_with_readings_or_their_series_is_a_row_of_its_own(imported, tmp_path):
    place = lidc(tmp_path / "set")
    uid = pydicom.dcmread(next(place.glob("*.dcm"))).SeriesInstanceUID
    number = readings(uid, [[roi(8.0, [("x", 1), (2, 2), (3, 3)])]])
    wrong = {
        "broken": "<LidcReadMessage><a>",
        "alone": readings(generate_uid(), [[roi(8.0, edge((1, 2), (2, 2)))]]),
        "number": number,
        "nobody": readings(uid),
        "outside": readings(uid, [[roi(99.0, edge((1, 2), (2, 2)))]]),
        "beside": readings(uid, [[roi(8.0, edge((4, 2), (6, 2)))]]),
        "radiograph": "<IdriReadMessage/>",
    }
    for name, text in wrong.items():
        (place / f"{name}.xml").write_text(text, encoding="utf-8")
    rows = imported("lidc-idri")
    reasons = {name.split("_")[1]: row.reason for name, row in rows.items() if row.state == "failed"}
    assert rows["LIDC-IDRI-0001_069_1"].state == "imported"
    assert set(reasons) == set(wrong) - {"radiograph"}
    assert "'broken.xml' that is no XML" in reasons["broken"]
    assert "'alone.xml' of a series that is not there" in reasons["alone"]
    assert "'number.xml' with a roi whose" in reasons["number"]
    assert "'nobody.xml' without a readingSession" in reasons["nobody"]
    assert "an outline at 99 mm that lies in no slice" in reasons["outside"]
    assert "lies in no slice" in reasons["beside"]


def test_a_scan_that_lost_slices_fails_alone(imported, tmp_path):
    lidc(tmp_path / "set")
    for file in sorted(lidc(tmp_path / "set", "LIDC-IDRI-0002", "071").glob("*.dcm"))[1:3]:
        file.unlink()
    rows = imported("lidc-idri")
    assert [row.state for row in rows.values()] == ["imported", "failed"]


def test_a_case_reaches_32_mm_around_what_was_drawn(tmp_path, monkeypatch):
    """On 200 x 200 x 100 mm: more than the margin on each side."""
    grid = Grid((200, 200, 50), (1.0, 1.0, 2.0))
    ct = Volume(np.zeros(grid.shape, np.float32), grid, "CT", {"sop_instance_uids": [""] * 50})
    drawing = Drawing(1, (Outline("none", 50.0, True, np.array(edge((100, 90), (103, 91)))),))
    monkeypatch.setattr(lidc_idri, "_ct", lambda *_: ct)
    content = lidc_idri.read_nodule(tmp_path, "", (drawing,))
    grid = content.images["CT"].grid
    assert (grid.size, grid.origin) == ((68, 66, 33), (68, 58, 18))
    assert content.masks["GTV_reader1"].grid == grid
    assert int(content.masks["GTV_reader1"].array.sum()) == 8


def drawing(reader, i, z_mm=0.0):
    return Drawing(reader, (Outline("", z_mm, True, np.array([(i, 0), (i + 1, 0), (i, 1)])),))


def groups(drawings, thickness_mm):
    found = lidc_nodules.nodules(drawings, (0.5, 0.5), thickness_mm)
    return [[(d.reader, int(d.outlines[0].points[0, 0])) for d in nodule] for nodule in found]


def test_drawings_as_close_as_a_slice_is_thick_are_one_nodule():
    """Half a millimeter a pixel: gaps of 1.5 mm (3 pixels between nearest points), and of 9 mm."""
    near = [drawing(1, 0), drawing(2, 4), drawing(3, 23)]
    assert groups(near, 1.5) == [[(1, 0), (2, 4)], [(3, 23)]]
    assert groups(near, 1.4) == [[(1, 0)], [(2, 4)], [(3, 23)]]
    assert groups([drawing(1, 0), drawing(2, 0, z_mm=2.0)], 2.0) == [[(1, 0), (2, 0)]]
    assert groups([drawing(1, 0), drawing(2, 0, z_mm=2.5)], 2.0) == [[(1, 0)], [(2, 0)]]
    assert groups([], 2.0) == []


def test_no_nodule_has_more_drawings_than_there_are_readers_while_they_can_be_told_apart():
    """Two nodules, 2 mm from each other, with four and three drawings; at 2.5 mm all of them would be one."""
    two = [*(drawing(n, 0) for n in (1, 2, 3, 4)), *(drawing(n, 5) for n in (1, 2, 3))]
    assert [len(group) for group in groups(two, 2.5)] == [4, 3]
    # 4 mm and 3.5 mm of gaps: at 5 mm seven are one, at 4.5 and 4.05 too, at 3.6 four and three
    wide = [drawing(1, 0), drawing(2, 0), drawing(1, 8), drawing(2, 8), *(drawing(n, 17) for n in (3, 4, 3))]
    assert [len(group) for group in groups(wide, 5.0)] == [4, 3]
    same = [drawing(n, 0) for n in (1, 1, 2, 3, 4)]  # what cannot be told apart stays one
    assert [len(group) for group in groups(same, 2.5)] == [5]


def test_a_pixels_width_counts_along_its_row_and_its_height_across():
    """1 mm wide and 4 mm high: three pixels to the right are near, three below are not."""
    points = np.array([(0, 0), (0, 1), (1, 0)])
    one, right, below = (Drawing(1, (Outline("", 0.0, True, points + by),)) for by in ((0, 0), (3, 0), (0, 3)))
    assert len(lidc_nodules.nodules([one, right], (1.0, 4.0), 3.0)) == 1
    assert len(lidc_nodules.nodules([one, below], (1.0, 4.0), 3.0)) == 2


def test_the_header_tells_the_distance_of_rows_first(tmp_path):
    near = edge((1, 2), (1, 2))
    right, below = [(i + 4, j) for i, j in near], [(i, j + 4) for i, j in near]
    place = lidc(tmp_path, "LIDC-IDRI-0001", "069", [[roi(8.0, near)]], [[roi(8.0, right)]], [[roi(8.0, below)]])
    for file in place.glob("*.dcm"):
        header = pydicom.dcmread(file)
        header.PixelSpacing = [4.0, 1.0]
        header.save_as(file)
    nodules = [[d.reader for d in planned.read.args[2]] for planned in lidc_idri.plan(tmp_path)]
    assert nodules == [[1, 2], [3]]


# 3D-IRCADb-01


def test_a_mask_is_the_union_of_the_liver_tumors_slice_by_the_name_of_its_file(imported, tmp_path):
    tumors = {"livertumor01": [(1, 2, 1)], "livertumor02": [(2, 4, 3)], "leftsurretumor": [(0, 1, 0)]}
    ircadb(tmp_path / "set", 7, tumors)
    imported("ircadb")
    assert voxels(tmp_path / "cases" / "IRCADB_07" / "GTV") == [(1, 2, 1), (2, 4, 3)]


def test_an_archive_or_mask_that_is_missing_or_broken_costs_its_patient_alone(imported, tmp_path):
    tumor = {"livertumor": [(1, 2, 1)]}
    places = {n: ircadb(tmp_path / "set", n, {} if n == 5 else tumor) for n in range(1, 8)}
    shutil.rmtree(places[2] / "MASKS_DICOM")
    (places[3] / "MASKS_DICOM" / "livertumor" / "image_2").unlink()
    shutil.rmtree(places[4] / "PATIENT_DICOM")
    (places[4] / "PATIENT_DICOM.zip").write_bytes(b"PK broken")
    (places[6] / "MASKS_DICOM" / "livertumor" / "image_1").write_bytes(b"no DICOM")
    for file in (places[7] / "PATIENT_DICOM").iterdir():
        file.unlink()
    rows = imported("ircadb")
    assert {name: row.state for name, row in rows.items() if row.state != "failed"} == {
        "IRCADB_01": "imported",
        "IRCADB_05": "left out",  # no tumor in the liver
    }
    assert "3Dircadb1.2 without MASKS_DICOM or MASKS_DICOM.zip" in rows["IRCADB_02"].reason
    assert "the mask livertumor without image_2" in rows["IRCADB_03"].reason
    assert "PATIENT_DICOM.zip of 3Dircadb1.4, which cannot be unpacked" in rows["IRCADB_04"].reason
    assert "image_1 of the mask livertumor, which cannot be read" in rows["IRCADB_06"].reason
    assert "without a CT, PET or MR image series" in rows["IRCADB_07"].reason


def test_a_mask_of_another_size_is_refused(imported, tmp_path):
    place = ircadb(tmp_path / "set", 1, {"livertumor": [(1, 2, 1)]})
    for file in (place / "MASKS_DICOM" / "livertumor").iterdir():
        image = pydicom.dcmread(file)
        image.Rows, image.Columns = 5, 6
        image.save_as(file)
    assert "the mask livertumor of another size" in imported("ircadb")["IRCADB_01"].reason


# BTCV


@pytest.mark.parametrize(("target", "count"), [("liver", 2), ("spleen", 1), ("pancreas", 1), ("kidneys", 0)])
def test_the_mask_shows_the_organ_that_was_chosen(imported, tmp_path, target, count):
    btcv(tmp_path / "set")
    rows = imported("btcv", target)
    assert set(rows) == {"BTCV_0001", "BTCV_0002"}  # those of Testing/ have no labels
    if count == 0:
        assert {row.state for row in rows.values()} == {"left out"}
    else:
        assert len(voxels(tmp_path / "cases" / "BTCV_0001" / "GTV")) == count


def test_which_organ_is_not_guessed(imported, tmp_path):
    btcv(tmp_path / "set")
    with pytest.raises(InputError, match="btcv without --target, wanted one of spleen"):
        imported("btcv")
    with pytest.raises(InputError, match="--target 'brain'"):
        imported("btcv", "brain")
    with pytest.raises(InputError, match="--target liver for lits"):
        imported("lits", "liver")


def test_a_missing_label_map_costs_its_case_alone(imported, tmp_path):
    btcv(tmp_path / "set")
    (tmp_path / "set" / "RawData" / "Training" / "label" / "label0001.nii.gz").unlink()
    rows = imported("btcv", "liver")
    assert [row.state for row in rows.values()] == ["failed", "imported"]
    assert "label0001.nii.gz' that is not there" in rows["BTCV_0001"].reason
