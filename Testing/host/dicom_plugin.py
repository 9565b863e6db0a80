"""slicer.modules.dicomPlugins["DICOMSegmentationPlugin"] of Slicer 5.12: the plugin's ways, over the same dcmqi.

After DICOMSegmentationPlugin.py of Slicer: what it looks at, what it raises on, and that export() returns its error.
"""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

import json
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import slicer
import vtk

EXPORTABLE = {"name", "tooltip", "confidence", "subjectHierarchyItemID", "directory", "pluginClass", "tags"}


class qSlicerDICOMExportable:  # noqa: N801
    """Its properties and no others."""

    def __init__(self) -> None:
        self.tags = {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in EXPORTABLE:
            raise AttributeError(f"qSlicerDICOMExportable has no attribute {name!r}")
        object.__setattr__(self, name, value)

    def setTag(self, name: str, value: str) -> None:
        self.tags[name] = value

    def tag(self, name: str) -> str:
        return self.tags.get(name, "")


class DICOMSegmentationPluginClass:
    def examineForExport(self, subjectHierarchyItemID: int) -> list[qSlicerDICOMExportable]:
        """Nothing, without a word, when a listed file is not in the database; an empty list passes for complete."""
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        node = hierarchy.GetItemDataNode(subjectHierarchyItemID)
        uids = hierarchy.GetItemAttribute(subjectHierarchyItemID, "DICOM.ReferencedInstanceUIDs").split()
        if node is None or not node.IsA("vtkMRMLSegmentationNode"):
            return []
        if not all(slicer.dicomDatabase.fileForInstance(uid) for uid in uids):
            return []
        exportable = qSlicerDICOMExportable()
        exportable.confidence, exportable.name = 1.0, "DICOMSegmentation"
        exportable.subjectHierarchyItemID = subjectHierarchyItemID
        exportable.setTag("Modality", "SEG")
        exportable.setTag("SeriesDescription", node.GetName())
        exportable.setTag("SeriesNumber", "100")
        return [exportable]

    def export(self, exportables: list[qSlicerDICOMExportable]) -> str:
        """The error as text, empty when the files were written."""
        for exportable in exportables:
            try:
                _export(exportable)
            except (ValueError, OSError) as error:
                return str(error)
        return ""


def _export(exportable: qSlicerDICOMExportable) -> None:
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    node = hierarchy.GetItemDataNode(exportable.subjectHierarchyItemID)
    reference = node.GetNodeReference("referenceImageGeometryRef")
    if reference is None:
        raise ValueError("Referenced volume was not found for the given segmentation")
    uids = (reference.GetAttribute("DICOM.instanceUIDs") or "").split()
    if not uids:
        raise ValueError(f"VolumeNode {reference.GetName()} has no attribute DICOM.instanceUIDs")
    ids = node.GetSegmentation().GetSegmentIDs()
    with tempfile.TemporaryDirectory() as folder:
        described = {"ContentCreatorName": "Slicer", "ClinicalTrialSeriesID": "1", "ClinicalTrialTimePointID": "1",
                     "SeriesDescription": exportable.tag("SeriesDescription"),
                     "SeriesNumber": exportable.tag("SeriesNumber"), "InstanceNumber": "1", "BodyPartExamined": "",
                     "segmentAttributes": [[_described(node, i)] for i in ids]}  # fmt: skip
        (Path(folder) / "meta.json").write_text(json.dumps(described), encoding="utf-8")
        images = [_mask(node, i, reference, Path(folder) / f"{n}.nrrd") for n, i in enumerate(ids)]
        files = [slicer.dicomDatabase.fileForInstance(uid) for uid in uids]
        _convert(files, images, Path(folder) / "meta.json", Path(exportable.directory))


def _mask(node: Any, segment_id: str, reference: Any, path: Path) -> Path:
    label = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segment_id)
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        if not logic.ExportSegmentsToLabelmapNode(node, ids, label, reference):
            raise ValueError("the segment could not be written")
        slicer.util.exportNode(label, str(path))
    finally:
        slicer.mrmlScene.RemoveNode(label)
    return path


def _described(node: Any, segment_id: str) -> dict[str, Any]:
    """By the segment's terminology entry; an empty one is what QuantitativeReporting#267 is about."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    entry = vtk.reference("")
    if not segment.GetTag("TerminologyEntry", entry) or str(entry).count("~") < 2:
        raise ValueError(f"Segment {segment.GetName()} has no terminology entry")
    _context, category, kind = str(entry).split("~")[:3]
    return {"labelID": 1, "SegmentDescription": segment.GetName(), "SegmentLabel": segment.GetName(),
            "SegmentAlgorithmType": "SEMIAUTOMATIC", "SegmentAlgorithmName": "SlicerEditor",
            "SegmentedPropertyCategoryCodeSequence": _code(category),
            "SegmentedPropertyTypeCodeSequence": _code(kind),
            "recommendedDisplayRGBValue": [round(255 * c) for c in segment.GetColor()]}  # fmt: skip


def _code(entry: str) -> dict[str, str]:
    scheme, value, meaning = entry.split("^")
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def _convert(files: list[str], images: list[Path], meta: Path, folder: Path) -> None:
    binary = Path(find_spec("dcmqi").origin).with_name("bin") / "itkimage2segimage"
    command = [binary, "--inputDICOMList", ",".join(files), "--inputImageList", ",".join(map(str, images)),
               "--inputMetadata", meta, "--outputDICOM", folder / "subject_hierarchy_export.SEG.dcm",
               "--skip", "1"]  # fmt: skip
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"itkimage2segimage failed: {(done.stderr or done.stdout)[-400:]}")
