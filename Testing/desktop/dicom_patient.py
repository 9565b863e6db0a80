"""The shipped patient as DICOM series written with pydicom: CT in HU, PET in Bq/mL, MR T1, on grids of their own."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
}
# 80 kg and 80e6 Bq, of which half is left when the scan begins a half-life later: 80000 g / 40e6 Bq = 1 / 500.
BQ_PER_SUV = 500.0
WEIGHT_KG, DOSE_BQ, HALF_LIFE_S = 80.0, 80e6, 6588.0


def write_patient(folder: Path, shrink: int = 8, step: int = 4) -> dict[str, str]:
    """Series of CT, PET and MR_T1 under the folder; their series UIDs. Every `step`th slice is there, with every
    `shrink`th pixel of CT and MR and every `shrink`/4th of PET."""
    study, frame = generate_uid(), generate_uid()
    parts = {"CT": ("CT", ct_tags), "PET": ("PT", pet_tags), "MR_T1": ("MR", mr_tags)}
    uids = {}
    for number, (key, (modality, tags)) in enumerate(parts.items(), start=1):
        image = sitk.ReadImage(str(STS_010 / f"{key}.nii.gz"))
        image = sitk.Shrink(image, [max(1, shrink // (4 if key == "PET" else 1))] * 2 + [step])
        uids[key] = _series(folder / key, image, modality, tags, number, study, frame)
    return uids


def ct_tags(array: np.ndarray) -> tuple[np.ndarray, dict]:
    return np.round(array) + 1024, {
        "SeriesDescription": "abdomen",
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "RescaleType": "HU",
    }


def mr_tags(array: np.ndarray) -> tuple[np.ndarray, dict]:
    tags = {"SeriesDescription": "t1_tse_tra", "RepetitionTime": 500, "EchoTime": 10, "ScanningSequence": "SE"}
    return np.round(array), tags


def pet_tags(array: np.ndarray) -> tuple[np.ndarray, dict]:
    """As a scanner writes it: activity at the start of the series, each slice with a slope of its own."""
    drug = Dataset()
    drug.RadiopharmaceuticalStartTime, drug.RadionuclideTotalDose = "140000", DOSE_BQ
    drug.RadionuclideHalfLife = HALF_LIFE_S
    slope = float(f"{max(array.max(), 1e-3) * BQ_PER_SUV / 30000:.8g}")
    tags = {
        "SeriesDescription": "whole body",
        "Units": "BQML",
        "CorrectedImage": ["NORM", "DTIM", "ATTN", "SCAT", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": WEIGHT_KG,
        "SeriesTime": "154948",
        "AcquisitionTime": "154948",
        "RescaleSlope": slope,
        "RescaleIntercept": 0,
        "RadiopharmaceuticalInformationSequence": Sequence([drug]),
    }
    return np.round(array * BQ_PER_SUV / slope), tags


def _series(folder, image, modality, tags, number, study, frame) -> str:
    folder.mkdir(parents=True)
    series, array = generate_uid(), sitk.GetArrayFromImage(image)
    axes = np.reshape(image.GetDirection(), (3, 3))
    for k, plane in enumerate(array):
        stored, own = tags(plane)
        where = image.TransformIndexToPhysicalPoint((0, 0, k))
        place = {
            "ImagePositionPatient": [f"{x:.6f}" for x in where],
            "ImageOrientationPatient": [f"{x:.8f}" for x in (*axes[:, 0], *axes[:, 1])],
            "PixelSpacing": [f"{image.GetSpacing()[1]:.6f}", f"{image.GetSpacing()[0]:.6f}"],
            "SliceThickness": f"{image.GetSpacing()[2]:.6f}",
            "InstanceNumber": k + 1,
        }
        names = {"SeriesInstanceUID": series, "SeriesNumber": number, "StudyInstanceUID": study}
        names["FrameOfReferenceUID"] = frame
        _write(folder / f"{k:03d}.dcm", stored.astype(np.int16), modality, {**place, **names, **own})
    return str(series)


def _write(path: Path, pixels: np.ndarray, modality: str, tags: dict) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    patient = {"PatientID": "STS_010", "PatientName": "STS_010", "PatientBirthDate": "", "PatientSex": ""}
    study = {"StudyDate": "20000101", "StudyTime": "120000", "StudyID": "1", "AccessionNumber": ""}
    series = {"SeriesDate": "20000101", "AcquisitionDate": "20000101", "ContentDate": "20000101",
              "ContentTime": "120000", "Modality": modality, "Manufacturer": "test", "ReferringPhysicianName": "",
              "PositionReferenceIndicator": "", "SOPClassUID": CLASSES[modality],
              "SOPInstanceUID": generate_uid()}  # fmt: skip
    image = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": pixels.shape[0],
             "Columns": pixels.shape[1], "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15,
             "PixelRepresentation": 1, "PixelData": pixels.tobytes()}  # fmt: skip
    for keyword, value in {**patient, **study, **series, **image, **tags}.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
