"""The lesion as a DICOM Segmentation object (DICOM PS3.3, A.51 and C.8.20), written through highdicom."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import __version__
from ...core.errors import input_error
from ...core.whole_file import write_whole
from .drawn_by import DrawnBy
from .quiet import quietly
from .source_series import SourceSeries

if TYPE_CHECKING:  # Slicer's own Python has no highdicom
    import highdicom

LABEL = "lesion"
CATEGORY = ("49755003", "SCT", "Morphologically Altered Structure")  # as the .seg.nrrd has it: PS3.16, CID 7150
TYPE = ("108369006", "SCT", "Neoplasm")
FAMILY = ("123110", "DCM", "Artificial Intelligence")
SERIES_NUMBER = 900


def write_dicom_seg(mask: np.ndarray, series: SourceSeries, path: Path, drawn_by: DrawnBy) -> None:
    """Write mask, bool [k, j, i] on the series' grid, as one binary segment that refers to the series' slices.

    Patient, study and frame of reference are the series'; nothing of them is made up. Slices without lesion have no
    frame. Raises InputError for a Python without highdicom and for slices that cannot be referred to, and OSError when
    the disk refuses.
    """
    highdicom = _highdicom()
    try:
        written = quietly(_segmentation, highdicom, mask, series, drawn_by)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # of a tag that it takes over from the slices
        given = f"a source series that no DICOM SEG can be made of ({' '.join(str(error).split())[:100]})"
        raise input_error(
            given, "slices as the standard has them", "export the lesion as .seg.nrrd or NIfTI"
        ) from error
    buffer = BytesIO()
    written.save_as(buffer)
    write_whole(path, buffer.getvalue())


def _segmentation(highdicom: Any, mask: np.ndarray, series: SourceSeries, drawn_by: DrawnBy) -> Any:
    return highdicom.seg.Segmentation(
        source_images=list(series.slices),
        pixel_array=mask.astype(np.uint8),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(highdicom, drawn_by)],
        series_instance_uid=highdicom.UID(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="DiffuFuseMed",
        manufacturer_model_name="DiffuFuseMed",
        software_versions=__version__,
        device_serial_number="0",
        series_description="DiffuFuseMed lesion",
    )


def _highdicom() -> Any:
    try:
        import highdicom
    except ImportError as error:
        raise input_error(
            "a Python without the package highdicom",
            "that package to write a DICOM SEG",
            "install it (in Slicer, QuantitativeReporting does too), or export SEG as .seg.nrrd",
        ) from error
    return highdicom


def _description(highdicom: Any, drawn_by: DrawnBy) -> highdicom.seg.SegmentDescription:
    """One segment: a neoplasm, and who drew it."""
    from pydicom.sr.coding import Code

    by_model = {}
    if drawn_by.model:
        by_model["algorithm_identification"] = highdicom.AlgorithmIdentificationSequence(
            name=drawn_by.model, version=drawn_by.version or __version__, family=Code(*FAMILY)
        )
    return highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label=LABEL,
        segmented_property_category=Code(*CATEGORY),
        segmented_property_type=Code(*TYPE),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues(drawn_by.kind),
        **by_model,
    )
