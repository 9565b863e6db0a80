"""The lesion as a DICOM Segmentation (PS3.3, A.51): by Slicer's plugin, else by highdicom, else one sentence."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import slicer

from .. import __version__
from ..mrml import segmentations
from ..mrml.roles import instance_uids, subject_hierarchy
from ..mrml.volumes import grid_of
from ..session import Case, Grid, InputError, input_error
from .dicom_files import files_of

PLUGIN = "DICOMSegmentationPlugin"
OFF_GRID_VOXELS = 0.1


def export(mask: np.ndarray, case: Case, source: Any, folder: Path) -> Path:
    """Write mask, bool [k, j, i] on the case's grid, into a new file of the folder; returns its path.

    source: the volume node that the case's reference was made from. InputError where it did not come from DICOM, or
    nothing in this Slicer can write a SEG.
    """
    files = files_of(source) if source is not None else []
    if not files or len(files) < len(instance_uids(source)):  # the plugin takes an empty list for a complete one
        raise input_error(
            "a segmentation whose reference is not in Slicer's DICOM database",
            "a reference that was loaded from there",
            "import its series into the DICOM module and open the case from it, or export SEG as .seg.nrrd",
        )
    if source.GetParentTransformNode() is not None or not case.grid.same_as(grid_of(source)):
        raise _elsewhere()
    plugins = getattr(slicer.modules, "dicomPlugins", {})
    if PLUGIN in plugins:
        return _by_slicer(plugins[PLUGIN](), mask, source, folder)
    return _by_highdicom(mask, case.grid, files, folder)


def _by_slicer(plugin: Any, mask: np.ndarray, source: Any, folder: Path) -> Path:
    """By dcmqi, through a segmentation that lies beside the series in the subject hierarchy for that long."""
    before = set(folder.glob("*"))
    node = segmentations.add_segmentation(slicer.mrmlScene, "DiffuFuseMed lesion", source)
    try:
        segmentations.set_mask(node, "lesion", mask, source, "lesion")
        _export(plugin, _beside(node, source), folder)
    finally:
        slicer.mrmlScene.RemoveNode(node)
    written = sorted(set(folder.glob("*")) - before)
    if not written:
        raise InputError("Slicer's DICOM SEG plugin wrote no file: export SEG as .seg.nrrd instead.")
    return written[0]


def _beside(node: Any, source: Any) -> int:
    """The node's item in the subject hierarchy, in the study of its source and with the files that it refers to."""
    hierarchy = subject_hierarchy(slicer.mrmlScene)
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(source))
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
    hierarchy.SetItemParent(item, study)
    # on the item: there the plugin looks for them
    hierarchy.SetItemAttribute(item, "DICOM.ReferencedInstanceUIDs", " ".join(instance_uids(source)))
    return item


def _export(plugin: Any, item: int, folder: Path) -> None:
    """examineForExport() finds nothing when the reference's files are gone; export() returns its error as text."""
    exportables = plugin.examineForExport(item)
    if not exportables:
        raise input_error("a reference whose files are gone", "its series in the DICOM database", "import it again")
    for exportable in exportables:
        exportable.directory = str(folder)
    if error := plugin.export(exportables):
        raise InputError(f"Slicer's DICOM SEG plugin refused the segmentation: {' '.join(str(error).split())}")


def _by_highdicom(mask: np.ndarray, grid: Grid, files: list[str], folder: Path) -> Path:
    try:
        import highdicom
    except ImportError as error:
        raise input_error(
            "a Slicer with neither the DICOM SEG plugin nor the package highdicom",
            "one of them",
            "use Slicer 5.12, install QuantitativeReporting, or export SEG as .seg.nrrd",
        ) from error
    images = [pydicom.dcmread(path) for path in files]
    frames = np.stack([mask[_slice_of(image, grid)] for image in images])
    kept = [n for n in range(len(images)) if frames[n].any()]
    if not kept:
        raise input_error("an empty lesion", "at least one voxel", "segment it first")
    written = _quiet(
        highdicom.seg.Segmentation,
        source_images=[images[n] for n in kept],
        pixel_array=frames[kept].astype(np.uint8),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description()],
        series_instance_uid=highdicom.UID(),
        series_number=900,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="DiffuFuseMed",
        manufacturer_model_name="DiffuFuseMed",
        software_versions=__version__,
        device_serial_number="0",
    )
    path = folder / f"{written.SOPInstanceUID}.dcm"
    written.save_as(path)
    return path


def _quiet(make: Any, **options: Any) -> Any:
    """make(**options) without its warnings: they quote the patient's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(**options)


def _description() -> Any:
    """One segment: a neoplasm, as the .seg.nrrd has it (SNOMED CT, DICOM PS3.16 CID 7150)."""
    import highdicom
    from pydicom.sr.coding import Code

    return highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="lesion",
        segmented_property_category=Code("49755003", "SCT", "Morphologically Altered Structure"),
        segmented_property_type=Code("108369006", "SCT", "Neoplasm"),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="DiffuFuseMed", version=__version__, family=Code("123110", "DCM", "Artificial Intelligence")
        ),
    )


def _slice_of(image: pydicom.Dataset, grid: Grid) -> int:
    """k of a file's picture; InputError when its first pixel is not a first voxel of the grid."""
    if "ImagePositionPatient" not in image:
        raise input_error("a reference of one file with many frames", "one slice a file", "export SEG as .seg.nrrd")
    index = grid.to_index(np.array(image.ImagePositionPatient, dtype=float))
    k = round(float(index[2]))
    if np.abs(index - (0, 0, k)).max() > OFF_GRID_VOXELS or not 0 <= k < grid.size[2]:
        raise _elsewhere()
    return k


def _elsewhere() -> InputError:
    return input_error(
        "a reference that does not lie where its series does",
        "an untouched volume of the series",
        "open the case from the volume as it was loaded, without a transform",
    )
