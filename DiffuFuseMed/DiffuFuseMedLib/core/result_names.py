"""What the files of a run are called: those of an earlier one go when new ones come, though there may be fewer."""

from __future__ import annotations

from .maps import MAPS

REPORT = "report.html"
OF_PREDICTION = ("segmentation.seg.nrrd", "contours.seg.nrrd", "probability.nrrd", "prediction.json")
OF_FUSION = ("fused.nrrd", "fusion.json")
LESION = {"nifti": "lesion.nii.gz", "dicom-seg": "lesion.seg.dcm", "rtstruct": "lesion.rtstruct.dcm"}


def result_names() -> tuple[str, ...]:
    """Of every file that a run may write."""
    maps = [f"{spec.file}.nrrd" for spec in MAPS.values()]
    return (REPORT, *OF_PREDICTION, *OF_FUSION, *maps, *LESION.values())
