"""Tiny sets in the true layout of each, made here, become case folders that read_study() reads."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.cli.application import app
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.datasets.importers.cases import Row, import_set, write_split
from DiffuFuseMedLib.datasets.importers.plan import Planned
from DiffuFuseMedLib.datasets.importers.sets import SETS
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.io.study import read_study
from typer.testing import CliRunner

from Testing.fixtures import public_sets

SHAPE = (4, 6, 5)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 1.5, 3.0))
    image.SetOrigin((-10.0, 20.0, 5.0))
    sitk.WriteImage(image, str(path))


def picture(path, first=0):
    # below zero: HU, of which a body has a range
    write(path, (np.arange(np.prod(SHAPE)).reshape(SHAPE) / 10 * (10 if first < 0 else 1) + first).astype(np.float32))


def labels(path, *values):
    """One voxel of each value, in a row."""
    array = np.zeros(SHAPE, np.uint8)
    array[1, 2, : len(values)] = values
    write(path, array)


def brats(folder):
    for case in ("BraTS20_Training_001", "BraTS20_Training_002"):
        for n, word in enumerate(("flair", "t1", "t1ce", "t2")):
            picture(folder / "MICCAI_BraTS2020_TrainingData" / case / f"{case}_{word}.nii.gz", 100 * n)
        labels(folder / "MICCAI_BraTS2020_TrainingData" / case / f"{case}_seg.nii.gz", 1, 2, 4)


def lits(folder):
    for batch, number in (("Training Batch 1", 0), ("Training Batch 2", 28)):
        picture(folder / batch / f"volume-{number}.nii", -100)
        labels(folder / batch / f"segmentation-{number}.nii", 1, 2, 1)


def autopet(folder):
    for patient, study in (("PETCT_01", "01-01-2001"), ("PETCT_01", "02-02-2002"), ("PETCT_02", "03-03-2003")):
        place = folder / patient / f"{study}-NA-PET-CT"
        picture(place / "CTres.nii.gz", -100)
        picture(place / "SUV.nii.gz")
        picture(place / "CT.nii.gz", -100)
        labels(place / "SEG.nii.gz", 1)


def hecktor(folder):
    for name in ("CHUM-001", "MDA-002"):
        picture(folder / "imagesTr" / f"{name}__CT.nii.gz", -100)
        picture(folder / "imagesTr" / f"{name}__PT.nii.gz")
        labels(folder / "labelsTr" / f"{name}.nii.gz", 1, 2)


def isbi_ms(folder):
    for visit in ("01", "02"):
        for word in ("flair", "mprage", "pd", "t2"):
            picture(folder / "training01" / "preprocessed" / f"training01_{visit}_{word}_pp.nii")
        labels(folder / "training01" / "masks" / f"training01_{visit}_mask1.nii", 1)
        labels(folder / "training01" / "masks" / f"training01_{visit}_mask2.nii", 1, 1)


def promise12(folder):
    for name in ("Case00", "Case01"):
        picture(folder / f"{name}.mhd")
        labels(folder / f"{name}_segmentation.mhd", 1)


def btcv(folder):
    for part, numbers in (("Training", ("0001", "0002")), ("Testing", ("0061",))):
        for number in numbers:
            picture(folder / "RawData" / part / "img" / f"img{number}.nii.gz", -100)
            if part == "Training":
                labels(folder / "RawData" / part / "label" / f"label{number}.nii.gz", 1, 6, 6, 11)


def ircadb(folder):
    place = public_sets.ircadb(folder, 1, {"livertumor01": [(1, 2, 1)], "livertumor02": [(1, 2, 1), (2, 2, 3)]})
    for name in ("PATIENT_DICOM", "MASKS_DICOM"):  # as it is downloaded
        shutil.make_archive(str(place / name), "zip", place, name)
        shutil.rmtree(place / name)
    public_sets.ircadb(folder, 10, {"livertumor": [(0, 5, 2)], "leftsurretumor": [(4, 4, 0)]})


def lidc_idri(folder):
    public_sets.lidc(folder)
    public_sets.lidc(folder, "LIDC-IDRI-0002", "071")


def sts(folder):
    public_sets.sarcoma(folder)
    public_sets.sarcoma(folder, "STS_030", mass="GTV_Research")


PICTURES = {"chase-db1", "kvasir-seg"}  # in test_picture_importers.py
# The set, its cases by patient, modalities, and how many voxels each mask of a case has.
MADE = {
    "brats": (brats, [["BraTS20_Training_001"], ["BraTS20_Training_002"]], "MR_T1 MR_T2 MR_FLAIR MR_T1C", [3]),
    "lits": (lits, [["LITS_000"], ["LITS_028"]], "CT", [1]),
    "autopet": (autopet, [["PETCT_01_1", "PETCT_01_2"], ["PETCT_02_1"]], "CT PET", [1]),
    "hecktor": (hecktor, [["CHUM-001"], ["MDA-002"]], "CT PET", [2]),
    "isbi-ms": (isbi_ms, [["training01_01", "training01_02"]], "MR_T1 MR_T2 MR_FLAIR", [1, 2]),
    "btcv": (btcv, [["BTCV_0001"], ["BTCV_0002"]], "CT", [2]),
    "ircadb": (ircadb, [["IRCADB_01"], ["IRCADB_10"]], "CT", None),
    "lidc-idri": (lidc_idri, [["LIDC-IDRI-0001_069_1"], ["LIDC-IDRI-0002_071_1"]], "CT", [2, 1]),
    "sts": (sts, [["STS_001"], ["STS_030"]], "CT PET MR_T1", [2]),
    "promise12": (promise12, [["PROMISE12_Case00"], ["PROMISE12_Case01"]], "MR_T2", [1]),
}


@pytest.fixture
def imported(tmp_path):
    """A function (name): the tiny set's rows, with cases and split.json in tmp_path / "cases"."""

    def run(name):
        target = "liver" if SETS[name].targets else None
        rows = list(import_set(SETS[name], tmp_path / "set", tmp_path / "cases", target))
        write_split(rows, tmp_path / "cases")
        return rows

    return run


def test_every_set_is_tried_here():
    assert set(MADE) | PICTURES == set(SETS)


@pytest.mark.parametrize("name", MADE)
def test_a_set_becomes_cases_that_are_read_with_images_and_masks_where_they_were(name, imported, tmp_path):
    make, patients, modalities, sizes = MADE[name]
    make(tmp_path / "set")
    rows = imported(name)
    assert [(r.planned.name, r.state) for r in rows] == [(c, "imported") for p in patients for c in p]
    for case in (c for p in patients for c in p):
        study = read_study(tmp_path / "cases" / case)
        assert set(study.volumes) == set(modalities.split())
        masks = list(study.references.values()) or [study.reference_mask]
        assert [int(m.array.sum()) for m in masks] == (sizes or [{"IRCADB_01": 2, "IRCADB_10": 1}[case]])
        for volume in (*study.volumes.values(), *masks):
            assert volume.grid.spacing_mm == pytest.approx((1.0, 1.5, 3.0))
            assert volume.grid.origin == pytest.approx((-10.0, 20.0, 5.0))


@pytest.mark.parametrize("name", MADE)
def test_no_patient_is_in_two_folds(name, imported, tmp_path):
    make, patients, *_ = MADE[name]
    make(tmp_path / "set")
    imported(name)
    folds = [set(fold) for fold in read_split(tmp_path / "cases" / "split.json").folds if fold]
    assert sorted(map(sorted, folds)) == sorted(map(sorted, patients))


def test_each_modality_is_the_file_of_its_word(imported, tmp_path):
    brats(tmp_path / "set")
    imported("brats")
    volumes = read_study(tmp_path / "cases" / "BraTS20_Training_001").volumes
    firsts = {key: float(v.array[0, 0, 0]) for key, v in volumes.items()}
    assert firsts == {"MR_FLAIR": 0, "MR_T1": 100, "MR_T1C": 200, "MR_T2": 300}


def test_what_is_missing_or_wrong_or_empty_costs_its_own_case_alone(imported, tmp_path):
    lits(tmp_path / "set")
    place = tmp_path / "set" / "Training Batch 1"
    picture(place / "volume-1.nii", -100)
    picture(place / "volume-2.nii", -100)
    labels(place / "segmentation-2.nii", 1)  # a liver without a tumor
    (place / "volume-3.nii").write_bytes(b"no image")
    labels(place / "segmentation-3.nii", 2)
    rows = {r.planned.name: r for r in imported("lits")}
    states = {name: row.state for name, row in rows.items()}
    assert states == {
        "LITS_000": "imported",
        "LITS_001": "failed",
        "LITS_002": "left out",
        "LITS_003": "failed",
        "LITS_028": "imported",
    }
    assert "segmentation-1.nii' that is not there" in rows["LITS_001"].reason
    assert "volume-3.nii" in rows["LITS_003"].reason
    assert sorted(p.name for p in (tmp_path / "cases").iterdir()) == ["LITS_000", "LITS_028", "split.json"]
    assert set(read_split(tmp_path / "cases" / "split.json").names) == {"LITS_000", "LITS_028"}


def test_a_second_time_nothing_is_overwritten_and_a_later_visit_joins_its_patient(imported, tmp_path):
    autopet(tmp_path / "set")
    late = tmp_path / "set" / "PETCT_01" / "02-02-2002-NA-PET-CT" / "SUV.nii.gz"
    kept = late.rename(late.with_name("later"))
    imported("autopet")
    mask = tmp_path / "cases" / "PETCT_01_1" / "GTV.nii.gz"
    mask.write_bytes(b"corrected by hand")
    kept.rename(late)
    assert [r.state for r in imported("autopet")] == ["left out", "imported", "left out"]
    assert mask.read_bytes() == b"corrected by hand"
    folds = read_split(tmp_path / "cases" / "split.json").folds
    assert [set(fold) for fold in folds if fold] == [{"PETCT_01_1", "PETCT_01_2"}, {"PETCT_02_1"}]


def test_new_patients_go_to_the_smallest_fold_and_crops_of_a_split_stay(tmp_path):
    crops = {"a": {"start_kji": [0, 0, 0], "stop_kji": [1, 1, 1]}}
    (tmp_path / "split.json").write_text(json.dumps({"folds": [["a", "b"], ["c"]], "crops": crops}), encoding="utf-8")
    write_split([Row(Planned("d", "d", {}), "imported")], tmp_path)
    split = read_split(tmp_path / "split.json")
    assert split.folds == (("a", "b"), ("c", "d"))
    assert set(split.crops) == {"a"}


def test_the_command_line_lists_imports_and_says_by_its_exit_code_that_a_case_failed(tmp_path):
    promise12(tmp_path / "set")
    listed = CliRunner().invoke(app, ["datasets", "list"])
    assert all(name in listed.output and SETS[name].licence in listed.output for name in SETS)
    assert "the terms that came with your download are those that hold" in listed.output
    arguments = ["datasets", "import", "promise12", str(tmp_path / "set"), str(tmp_path / "cases")]
    first = CliRunner().invoke(app, arguments)
    assert (first.exit_code, "2 imported, 0 left out, 0 failed" in first.output) == (0, True)
    picture(tmp_path / "set" / "Case02.mhd")
    second = CliRunner().invoke(app, arguments)
    assert (second.exit_code, "0 imported, 2 left out, 1 failed" in second.output) == (1, True)
    assert "Case02_segmentation.mhd" in second.output
    assert len(read_split(tmp_path / "cases" / "split.json").names) == 2


def test_a_folder_without_the_set_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no case of brats"):
        list(import_set(SETS["brats"], tmp_path / "empty", tmp_path / "cases"))
    with pytest.raises(InputError, match="no folder none"):
        list(import_set(SETS["brats"], tmp_path / "none", tmp_path / "cases"))


def test_a_lesion_free_study_is_left_out_and_a_picture_is_no_mask(imported, tmp_path):
    autopet(tmp_path / "set")
    first, second = (tmp_path / "set" / "PETCT_01" / f"{day}-NA-PET-CT" for day in ("01-01-2001", "02-02-2002"))
    write(first / "SEG.nii.gz", np.zeros(SHAPE, np.uint8))  # as of every healthy patient of the set
    shutil.copyfile(second / "SUV.nii.gz", second / "SEG.nii.gz")
    rows = {row.planned.name: row for row in imported("autopet")}
    assert [row.state for row in rows.values()] == ["left out", "failed", "imported"]
    assert rows["PETCT_01_1"].reason == "no lesion is drawn in it"
    assert "wanted whole-number labels from 0 on" in rows["PETCT_01_2"].reason


def moved(path, origin, spacing=(1.0, 1.5, 3.0)):
    image = sitk.ReadImage(str(path))
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def test_a_mask_that_lies_elsewhere_is_a_failure_and_one_on_another_grid_is_told(imported, tmp_path):
    lits(tmp_path / "set")
    moved(tmp_path / "set" / "Training Batch 1" / "segmentation-0.nii", (50.0, 20.0, 5.0))
    moved(tmp_path / "set" / "Training Batch 2" / "segmentation-28.nii", (-10.0, 20.0, 5.5))
    rows = {row.planned.name: row for row in imported("lits")}
    assert rows["LITS_000"].state == "failed"
    assert "the mask GTV, parts of which lie outside of CT" in rows["LITS_000"].reason
    assert rows["LITS_028"].state == "imported"
    assert rows["LITS_028"].reason == "GTV is on another grid than the images: look at where it lies."


@pytest.mark.parametrize(
    ("shift_mm", "state"), [(3.9, "imported"), (4.1, "failed"), (-1.9, "imported"), (-2.1, "failed")]
)
def test_a_mask_may_reach_one_voxel_beside_its_image(imported, tmp_path, shift_mm, state):
    """Drawn from column 0 on, and to the last: columns are a millimeter apart."""
    lits(tmp_path / "set")
    path = tmp_path / "set" / "Training Batch 1" / "segmentation-0.nii"
    labels(path, 2) if shift_mm > 0 else labels(path, 0, 2)
    moved(path, (-10.0 + shift_mm + (1 if shift_mm > 0 else 0), 20.0, 5.0))
    assert imported("lits")[0].state == state


def test_of_two_cases_of_one_number_the_second_is_told(imported, tmp_path):
    lits(tmp_path / "set")
    for name in ("volume-0.nii", "segmentation-0.nii"):
        shutil.copyfile(tmp_path / "set" / "Training Batch 1" / name, tmp_path / "set" / "Training Batch 2" / name)
    rows = [(row.planned.name, row.state) for row in imported("lits")]
    assert rows == [("LITS_000", "imported"), ("LITS_000", "left out"), ("LITS_028", "imported")]


def test_a_case_whose_import_was_killed_before_the_split_was_written_gets_into_a_fold(imported, tmp_path):
    lits(tmp_path / "set")
    imported("lits")
    (tmp_path / "cases" / "split.json").write_text('{"folds": [["LITS_028"], []]}')
    assert [row.state for row in imported("lits")] == ["left out", "left out"]
    assert read_split(tmp_path / "cases" / "split.json").folds == (("LITS_028",), ("LITS_000",))


def test_a_split_without_folds_gets_four_and_one_that_is_none_is_refused_before_anything_is_made(imported, tmp_path):
    lits(tmp_path / "set")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "split.json").write_text("{")
    with pytest.raises(InputError, match=r"the unreadable split split\.json"):
        imported("lits")
    assert [path.name for path in (tmp_path / "cases").iterdir()] == ["split.json"]
    (tmp_path / "cases" / "split.json").write_text('{"folds": []}')
    imported("lits")
    assert read_split(tmp_path / "cases" / "split.json").folds == (("LITS_000",), ("LITS_028",), (), ())


def test_the_set_itself_is_no_place_for_its_cases(tmp_path):
    brats(tmp_path / "set")
    with pytest.raises(InputError, match="CASES that is the downloaded set itself"):
        list(import_set(SETS["brats"], tmp_path / "set", tmp_path / "other" / ".." / "set"))
