"""slicer.dicomDatabase over plain files: what pydicom reads, by instance UID and tag."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import slicer
import vtk
from pydicom.errors import InvalidDicomError


class DicomDatabase:
    """Answers as ctkDICOMDatabase: "" for what it does not know; tags are "gggg,eeee"."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._headers: dict[str, Any] = {}

    def _add_folder(self, folder: str | Path) -> int:
        """Index every DICOM file under the folder; returns how many there are (the host's own)."""
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                self._index(path)
        return len(self._files)

    def _index(self, path: Path) -> None:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except InvalidDicomError:
            return
        uid = str(header.SOPInstanceUID)
        self._files[uid], self._headers[str(path)] = str(path), header

    def fileForInstance(self, uid: str) -> str:
        return self._files.get(uid, "")

    def instanceForFile(self, path: str) -> str:
        return next((u for u, f in self._files.items() if f == path), "")

    def instanceValue(self, uid: str, tag: str) -> str:
        return self.fileValue(self.fileForInstance(uid), tag)

    def fileValue(self, path: str, tag: str) -> str:
        header = self._headers.get(path)
        key = tuple(int(part, 16) for part in tag.split(","))
        element = header.get(key) if header is not None else None
        if element is None or element.VR == "SQ":
            return ""
        value = element.value
        return "\\".join(map(str, value)) if isinstance(value, pydicom.multival.MultiValue) else str(value)

    def instancesForSeries(self, series: str) -> tuple[str, ...]:
        return tuple(u for u in self._files if self.instanceValue(u, "0020,000e") == series)

    def filesForSeries(self, series: str) -> tuple[str, ...]:
        return tuple(self._files[u] for u in self.instancesForSeries(series))


def load_series(series: str) -> Any:
    """A volume node of a series in the database, as the DICOM module's scalar volume plugin makes it: by Slicer's own
    archetype reader, with its files' UIDs, under its patient and study in the subject hierarchy."""
    database = slicer.dicomDatabase
    files = sorted(database.filesForSeries(series), key=lambda f: int(database.fileValue(f, "0020,0013") or 0))
    names = vtk.vtkStringArray()
    for file in files:
        names.InsertNextValue(file)
    value = {tag: database.fileValue(files[0], tag) for tag in (NUMBER, DESCRIPTION, MODALITY, PATIENT, STUDY)}
    name = f"{value[NUMBER]}: {value[DESCRIPTION] or 'Unnamed Series'}"
    node = slicer.modules.volumes.logic().AddArchetypeScalarVolume(files[0], name, 0, names)
    node.SetAttribute("DICOM.instanceUIDs", " ".join(database.instanceForFile(file) for file in files))
    _place(node, value, series)
    return node


NUMBER, DESCRIPTION, MODALITY, PATIENT, STUDY = "0020,0011", "0008,103e", "0008,0060", "0010,0020", "0020,000d"


def _place(node: Any, value: dict[str, str], series: str) -> None:
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    uids = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMUIDName()
    patient = hierarchy.GetItemByUID(uids, value[PATIENT])
    if not patient:
        patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
        hierarchy.SetItemUID(patient, uids, value[PATIENT])
    study = hierarchy.GetItemByUID(uids, value[STUDY])
    if not study:
        study = hierarchy.CreateStudyItem(patient, "study")
        hierarchy.SetItemUID(study, uids, value[STUDY])
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
    hierarchy.SetItemParent(item, study)
    hierarchy.SetItemUID(item, uids, series)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", value[MODALITY])
