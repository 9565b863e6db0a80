"""Synthetic cases as files: each says what it is, they come back as a case, and none is DICOM."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.synthetic import WARNING, Synthetic, check_no_dicom, is_synthetic
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.io.export.synthetic import drawn_into, write_synthetic
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.quality import doubts


@pytest.fixture
def made():
    grid = Grid((12, 10, 8), (2.0, 2.0, 3.0), (5.0, -4.0, 7.0))
    rng = np.random.default_rng(0)
    arrays = {
        m: (rng.random(grid.shape) * 200 + low).astype(np.float32)
        for m, low in (("CT", -120), ("PET", 1), ("MR_T1", 20))
    }
    volumes = {m: Volume(a, grid, m) for m, a in arrays.items()}
    case = Case("one", grid, "CT", volumes, {m: np.ones(grid.shape, bool) for m in volumes}, notes=("A note.",))
    mask = np.zeros(grid.shape, bool)
    mask[2:5, 3:6, 4:8] = True
    return Synthetic(volumes, mask, mask, {"suv_max": 3.0}, {"suv_max": np.nan}, {"seed": 4}), case


def test_every_file_says_that_it_is_synthetic_and_none_is_dicom(made, tmp_path):
    files = write_synthetic(*made, tmp_path / "out")
    assert set(files) == {"CT", "PET", "MR_T1", "mask", "record"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in files.values()}
    for path in files.values():
        assert "synthetic" in path.name and path.suffix in (".gz", ".json")
        if path.suffix == ".gz":
            header = gzip.decompress(path.read_bytes())[:348]
            assert header[148:157] == b"synthetic"  # descrip of NIfTI-1
    record = json.loads(files["record"].read_text())
    assert record["synthetic"] is True and "no patient" in record["warning"]
    assert record["drawn_into"] == "one" and record["notes"] == ["A note."] and record["provenance"] == {"seed": 4}
    assert record["appearance"] == {"wanted": {"suv_max": 3.0}, "measured": {"suv_max": None}}


def test_the_folder_is_a_case_with_its_tumor_drawn(made, tmp_path):
    synthetic, _ = made
    write_synthetic(*made, tmp_path)
    case = load_case(tmp_path, register="never")
    assert set(case.modalities) == {"CT", "PET", "MR_T1"}
    assert np.array_equal(case.reference_mask.array > 0, synthetic.mask)
    assert all(np.allclose(case.volumes[m].array, v.array) for m, v in synthetic.volumes.items())


def test_the_folder_says_that_it_is_synthetic_whenever_it_is_read(made, tmp_path):
    write_synthetic(*made, tmp_path)
    case = load_case(tmp_path, register="never")
    assert is_synthetic(case) and not is_synthetic(made[1])
    assert doubts(case) == [f"{m}: {WARNING}" for m in case.modalities]
    (tmp_path / "CT_synthetic.nii.gz").rename(tmp_path / "CT.nii.gz")
    assert is_synthetic(load_case(tmp_path, register="never", only=["CT"])), "its header says it under another name"


def test_no_dicom_file_is_made_of_a_synthetic_case(made):
    synthetic, case = made
    check_no_dicom(case)
    with pytest.raises(InputError, match="whose tumor is synthetic"):
        check_no_dicom(synthetic.of(case))


def test_images_of_an_earlier_case_do_not_stay_beside_new_ones(made, tmp_path):
    synthetic, case = made
    write_synthetic(synthetic, case, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    fewer = replace(synthetic, volumes={"CT": synthetic.volumes["CT"]})
    files = write_synthetic(fewer, case, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"notes.txt", *(p.name for p in files.values())}


def test_the_record_tells_what_it_was_drawn_into(made, tmp_path):
    write_synthetic(*made, tmp_path / "out")
    assert (drawn_into(tmp_path / "out"), drawn_into(tmp_path)) == ("one", "")


def test_a_folder_that_cannot_be_written_is_a_sentence(made, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="nothing was saved"):
        write_synthetic(*made, tmp_path / "file")
