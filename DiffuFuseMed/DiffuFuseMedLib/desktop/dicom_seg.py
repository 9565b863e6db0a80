"""The lesion as a DICOM Segmentation by Slicer's own plugin, beside the series as Slicer's DICOM database has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..mrml import segmentations
from ..mrml.roles import instance_uids, subject_hierarchy
from ..mrml.volumes import grid_of
from ..session import Case, InputError, input_error
from .dicom_files import files_of

PLUGIN = "DICOMSegmentationPlugin"


def plugin() -> Any:
    """Slicer's, which comes with QuantitativeReporting and with Slicer from 5.12 on; None without it."""
    found = getattr(slicer.modules, "dicomPlugins", {}).get(PLUGIN)
    return found() if found else None


def check_source(case: Case, source: Any) -> None:
    """Refuse a volume node, that the case's reference was made from, whose series Slicer does not have in its DICOM
    database, or that does not lie where its series does."""
    files = files_of(source) if source is not None else []
    if not files or len(files) < len(instance_uids(source)):  # the plugin takes an empty list for a complete one
        raise input_error(
            "a segmentation whose reference is not in Slicer's DICOM database",
            "a reference that was loaded from there",
            "import its series into the DICOM module and open the case from it, or export SEG as .seg.nrrd",
        )
    if source.GetParentTransformNode() is not None or not case.grid.same_as(grid_of(source)):
        raise input_error(
            "a reference that does not lie where its series does",
            "an untouched volume of the series",
            "open the case from the volume as it was loaded, without a transform",
        )


def by_slicer(plugin: Any, mask: np.ndarray, source: Any, folder: Path) -> Path:
    """Write mask, bool [k, j, i] on the source's grid, into a new file of the folder; returns its path.

    By dcmqi, through a segmentation that lies beside the series in the subject hierarchy for that long. Raises
    InputError for what the plugin refuses.
    """
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
