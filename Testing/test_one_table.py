"""What a new entry in one table brings, from the file to the report; Testing/session, web and desktop go on."""

import re

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.maps import MAPS
from DiffuFuseMedLib.core.modalities import MODALITIES, spec_of
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.resampling import onto, valid_mask
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.io import modality_from_name, read_dicom_folder
from DiffuFuseMedLib.io.dicom.mr_sequence import guess_sequence
from DiffuFuseMedLib.io.export.outputs import write_outputs
from DiffuFuseMedLib.preprocessing.fusion_sources import mr_of
from DiffuFuseMedLib.preprocessing.intensity import body_mask, normalise
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.quality import quality_report
from DiffuFuseMedLib.report import write_report
from DiffuFuseMedLib.review.reasons import reason
from DiffuFuseMedLib.tasks.segment.corruptions import corrupt
from DiffuFuseMedLib.training.corruptions import artefacts_of, blur, gaussian_noise, mr_bias, mr_motion
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

GRID = Grid((24, 20, 12), (2.0, 2.0, 3.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_a_table_has_an_entry_for_every_modality_in_the_order_of_seeds_and_lists():
    assert tuple(MODALITIES) == ("CT", "PET", "MR_T1", "MR_T2", "MR_FLAIR", "MR_T1C", "SPECT", "RGB")


@pytest.mark.parametrize(
    ("key", "unit", "legend", "printed", "first_window"),
    [
        ("CT", "HU", "HU", "HU", (-160, 240)),
        ("PET", "SUVbw", "SUVbw", "g/mL", (0, 10)),
        ("SPECT", "counts", "counts", "counts", None),
        ("MR_FLAIR", "MR units", "", "", None),
    ],
)
def test_units_and_windows_are_those_that_readers_know(key, unit, legend, printed, first_window):
    spec = MODALITIES[key]
    assert (spec.unit, spec.legend_unit, spec.report_unit) == (unit, legend, printed)
    assert next(iter(spec.windows.values()), None) == first_window


def test_a_map_reaches_what_its_measure_can_reach():
    ranges = {key: (spec.unit, spec.highest, spec.shown) for key, spec in MAPS.items()}
    of_entropy = ("nat", pytest.approx(np.log(2)), None)
    assert ranges == {
        **dict.fromkeys(("predictive_entropy", "expected_entropy", "mutual_information"), of_entropy),
        "fusion": ("probability of an error above 0.1 gray", 1.0, (0.0, 0.5)),
    }


@pytest.fixture
def a_folder(tmp_path):
    """CT, US and a DWI, whose last slices are beyond its field of view, as files."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(60, 20, GRID.shape).astype(np.float32).clip(1) for name in ("CT", "p7_us", "p7-diff")}
    arrays["CT"] -= 100
    arrays["p7-diff"][:, :, 20:] = 0
    for name, array in arrays.items():
        sitk.WriteImage(Volume(array, GRID).to_sitk(), str(tmp_path / f"{name}.nii.gz"))
    return tmp_path


@pytest.fixture
def a_case(new_entries, a_folder):
    """What load_case makes of it."""
    return load_case(a_folder)


def test_a_file_is_known_by_the_new_words(new_entries):
    assert [modality_from_name(name) for name in ("p7_DWI.nii.gz", "p7 us.nrrd")] == ["MR_DWI", "US"]


def test_no_file_is_known_by_words_that_are_in_no_table():
    with pytest.raises(InputError):
        modality_from_name("p7_DWI.nii.gz")


@pytest.mark.parametrize("tags", [{"SeriesDescription": "ep2d_diff_t2w"}, {"ImageType": ["ORIGINAL", "DIFFUSION"]}])
def test_a_series_is_known_by_the_new_words_and_kind_of_a_contrast(new_entries, monkeypatch, tags):
    series = Dataset()
    for keyword, value in {"SeriesDescription": "ep2d", **tags}.items():
        setattr(series, keyword, value)
    assert guess_sequence(series)[0] == "MR_DWI"
    monkeypatch.delitem(MODALITIES, "MR_DWI")
    assert guess_sequence(series) is None


def test_a_series_of_a_kind_that_is_in_no_table_stays_unknown(new_entries):
    series = Dataset()
    series.SeriesDescription, series.ImageType = "ep2d_diff", ["DERIVED", "ADC"]
    assert guess_sequence(series) is None


def test_a_series_of_the_new_dicom_class_is_read(new_entries, tmp_path):
    study, frame, series = (generate_uid() for _ in range(3))
    slices = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    for k, pixels in enumerate(slices):
        write_slice(tmp_path / f"{k}.dcm", pixels, k, (study, frame, series))
    (volume,) = read_dicom_folder(tmp_path)
    assert (volume.modality, volume.units) == ("US", "echo units")
    np.testing.assert_array_equal(volume.array, slices)


def write_slice(path, pixels, k, uids):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_ = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    slice_.StudyInstanceUID, slice_.FrameOfReferenceUID, slice_.SeriesInstanceUID = uids
    tags = {"SOPClassUID": MODALITIES["US"].sop_classes[0], "SOPInstanceUID": generate_uid(), "Modality": "US",
            "Rows": 4, "Columns": 5, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
            "ImagePositionPatient": [0, 0, 2 * k], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1, 1], "PixelData": pixels.tobytes()}  # fmt: skip
    for keyword, value in tags.items():
        setattr(slice_, keyword, value)
    slice_.save_as(path, enforce_file_format=True)


def test_a_folder_is_a_case_with_the_new_modalities(a_case):
    assert a_case.modalities == ("CT", "MR_DWI", "US")
    assert [v.units for v in a_case.volumes.values()] == ["HU", "MR units", "echo units"]
    assert not a_case.valid["MR_DWI"][:, :, 21:].any() and a_case.valid["US"].all()
    said = quality_report(a_case)
    assert "There is no PET image." in said and not any("no MR" in line or "no US" in line for line in said)
    assert mr_of(a_case) == "MR_DWI"


def test_it_is_brought_onto_a_grid_the_way_that_the_table_says(new_entries):
    volume = Volume(np.arange(8, dtype=np.float32).reshape(2, 2, 2), Grid((2, 2, 2), (1.0,) * 3), "US")
    moved, valid = onto(volume, Grid((4, 2, 2), (0.8, 1.0, 1.0)))
    assert set(moved.array[valid]) <= set(range(8))  # nothing between two voxels
    assert (moved.array[~valid] == -3).all() and not valid.all()


def test_it_is_normalised_and_its_body_is_found(a_case):
    for key in ("MR_DWI", "US"):
        volume, valid = a_case.volumes[key], valid_mask(a_case.volumes[key])
        scaled = normalise(volume, valid)
        assert scaled.min() >= -1.5 and scaled.max() <= 1.5 and scaled.std() > 0.3
    low = a_case.volumes["US"].with_array(np.full(GRID.shape, 4.0, np.float32))
    assert not body_mask(low, np.ones(GRID.shape, bool)).any()


def test_what_can_go_wrong_in_its_scan_is_drawn_in_training_and_in_the_table_of_corruptions(a_case):
    assert artefacts_of("MR_DWI") == (mr_bias, mr_motion, gaussian_noise, blur)
    assert artefacts_of("US") == (gaussian_noise, blur)
    changed = corrupt(a_case, "bias field (MR)")
    moved = [m for m in a_case.modalities if changed.volumes[m] is not a_case.volumes[m]]
    assert moved == ["MR_DWI"]


def test_a_seed_draws_the_same_for_the_others_as_before_the_table_grew(a_folder, new_entries, monkeypatch):
    with_all = corrupt(load_case(a_folder), "gaussian noise 0.3", seed=3).volumes["CT"].array
    monkeypatch.delitem(MODALITIES, "US")
    monkeypatch.delitem(MODALITIES, "MR_DWI")
    alone = corrupt(load_case(a_folder), "gaussian noise 0.3", seed=3).volumes["CT"].array
    np.testing.assert_array_equal(with_all, alone)


def test_a_reason_calls_it_by_its_short_name(new_entries):
    assert reason(0.9, {"MR_DWI": 0.2, "CT": 0.9}).words.startswith("DWI alone")


@pytest.fixture
def a_prediction(a_case):
    """A box of lesion, with the map that no other test knows."""
    p = np.full(GRID.shape, 0.02, np.float32)
    p[4:8, 6:14, 6:14] = 0.98
    maps = {"predictive_entropy": 0.3 * p, "disagreement": 1.5 * p}
    volume = Interval(9.0, 8.0, 10.0, "mL")
    gates = {"CT": 0.5, "MR_DWI": 0.3, "US": 0.2}
    return Prediction(a_case.grid, p, (p > 0.5).astype(np.uint8), maps, p > 0.5, p > 0.5, gates, volume)


def test_the_report_shows_modality_and_map_in_the_words_and_units_of_the_tables(
    a_prediction, a_case, page_of, tmp_path
):
    write_report(a_prediction, a_case, tmp_path / "report.html", [], {})
    text = re.sub(r"\s+", " ", page_of(tmp_path / "report.html").text)
    assert all(word in text for word in ("MR DWI", "ultrasound", "window 0 to 120 dB"))
    assert MAPS["disagreement"].title in text and MAPS["disagreement"].meaning in text
    assert "Disagreement of modalities in bits" in (tmp_path / "report.html").read_text()


def test_the_map_is_a_file_of_the_run_with_its_unit(a_prediction, a_case, tmp_path):
    files = write_outputs(a_prediction, a_case, tmp_path / "out", [])
    assert files["uncertainty_between_modalities"].name == "uncertainty_between_modalities.nrrd"
    written = sitk.ReadImage(str(files["uncertainty_between_modalities"]))
    assert written.GetMetaData("DiffuFuseMed_units") == "bit"
    np.testing.assert_allclose(sitk.GetArrayFromImage(written), a_prediction.uncertainty["disagreement"])


def test_a_mask_is_of_no_modality_and_says_something_everywhere():
    mask = Volume(np.ones((2, 2, 2), np.uint8), Grid((2, 2, 2), (1.0,) * 3))
    assert mask.units == "" and valid_mask(mask).all() and not spec_of(mask.modality).mr
