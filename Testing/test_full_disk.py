"""Every kind of file on a disk that takes only a part of it: told in one sentence, and what was there is as it was."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.presets import PRESETS, save_preset
from DiffuFuseMedLib.core.staging import staged
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.rtstruct_writer import write_rtstruct
from DiffuFuseMedLib.io.dicom.seg_writer import write_dicom_seg
from DiffuFuseMedLib.io.dicom.source_series import find_series
from DiffuFuseMedLib.io.export.nifti import write_nifti_mask
from DiffuFuseMedLib.io.nrrd import write_nrrd
from DiffuFuseMedLib.io.picture_pairs import write_picture
from DiffuFuseMedLib.io.seg_nrrd import LESION, contour_segments, write_segments
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.models.registry import read_record, write_record
from DiffuFuseMedLib.report import page
from DiffuFuseMedLib.tasks.segment.evaluate import write_csv

from Testing.fixtures.full_disk import files_of_at_most, tree
from Testing.fixtures.source_series import OBLIQUE, write_series

GRID = Grid((30, 20, 10), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))
NOISE = np.random.default_rng(0).random(GRID.shape).astype(np.float32)


@pytest.fixture(scope="module")
def a_series(tmp_path_factory):
    return find_series(write_series(tmp_path_factory.mktemp("series") / "ct"), OBLIQUE)


def in_folder(name, write):
    """What writes one file through a staged folder, as exports do."""

    def whole(folder):
        with staged(folder) as there:
            write(there / name)

    return whole


@pytest.fixture(scope="module")
def a_report(a_fused_case):
    """What writes it into a folder, its figures drawn once."""
    case, fusion = a_fused_case
    section = page.fusion_section(fusion, case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "fusion_section", lambda *_: section)
        yield lambda folder: page.write_fusion_report(fusion, case, folder / "report.html")


@pytest.fixture(scope="module")
def writers(a_series, a_report, a_model, models):
    """What writes each kind of file into a folder."""
    mask, voxels = NOISE > 0.5, np.indices(OBLIQUE.shape).sum(0) % 5 > 2
    inner, outer = contour_segments(0.95)
    record = read_record(models / "tiny")
    facts = {name: getattr(record, name) for name in ("id", "system", "window", "licence", "training")}
    return {
        "nifti": in_folder("lesion.nii.gz", lambda path: write_nifti_mask(mask, GRID, path)),
        "nrrd": in_folder("map.nrrd", lambda path: write_nrrd(NOISE, GRID, path, {"key": "value"})),
        "seg.nrrd": in_folder("l.seg.nrrd", lambda path: write_segments({LESION: mask}, GRID, path, {})),
        "layers": in_folder("c.seg.nrrd", lambda path: write_segments({inner: mask, outer: ~mask}, GRID, path, {})),
        "dicom seg": in_folder("seg.dcm", lambda path: write_dicom_seg(voxels, a_series, path, DrawnBy())),
        "rtstruct": in_folder("rt.dcm", lambda path: write_rtstruct(voxels, a_series, path, DrawnBy())),
        "report": a_report,
        "preset": lambda folder: save_preset(PRESETS["bone-tumor"], folder / "preset.json"),
        "picture": lambda folder: write_picture(NOISE[0], folder / "picture.png"),
        "table": lambda folder: write_csv([{"case": n, "dice": 0.5} for n in range(50)], folder / "table.csv"),
        "record": lambda folder: write_record(record, folder),
        "weights": lambda folder: zoo.save(a_model.network, facts, folder),
    }


@pytest.fixture
def uids_of_one_length(monkeypatch):
    """pydicom's are random numbers, whose first digits may be 0 and are left out then: files of another size."""
    monkeypatch.setattr("secrets.randbelow", lambda maximum: maximum - 1)


KINDS = ("nifti", "nrrd", "seg.nrrd", "layers", "dicom seg", "rtstruct", "report")
KINDS += ("preset", "picture", "table", "record", "weights")


@pytest.mark.usefixtures("uids_of_one_length")
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fills_up_is_told_and_changes_nothing(kind, writers, tmp_path):
    writers[kind](tmp_path / "whole")
    size = max(map(len, tree(tmp_path / "whole").values()))
    out = tmp_path / "out"
    out.mkdir()
    for name in tree(tmp_path / "whole"):
        (out / name).write_bytes(b"of before")
    before = tree(out)
    for room in (0, 1, size // 2, size - 1):
        with files_of_at_most(room), pytest.raises(InputError, match="cannot be written"):
            writers[kind](out)
        assert tree(out) == before
    with files_of_at_most(size):
        writers[kind](out)
    assert tree(out).keys() == before.keys()
