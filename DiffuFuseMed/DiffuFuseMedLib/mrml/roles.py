"""Which volume of the scene is the CT, the PET, which MR: by DICOM where it came from there, else by its name."""

from __future__ import annotations

from typing import Any

import pydicom
import slicer

from ..core.errors import InputError
from ..io.dicom.mr_sequence import guess_sequence
from ..io.naming import modality_from_name
from ..mrml.nodes import nodes_of, tag
from ..mrml.volumes import ROLE
from ..session import is_mr, of_dicom


def guess(scene: Any) -> dict[str, Any]:
    """Modality key -> volume node, the first of each; this program's own volumes and label maps are none."""
    found: dict[str, Any] = {}
    for node in nodes_of(scene, "vtkMRMLScalarVolumeNode"):
        if tag(node, ROLE) is not None or node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetHideFromEditors():
            continue
        key = modality_of(node)
        if key is not None:
            found.setdefault(key, node)
    return found


def modality_of(node: Any) -> str | None:
    """The key in MODALITIES; None when nothing tells."""
    modality = _dicom_modality(node)
    if told := of_dicom(modality):
        return told
    key = _from_name(node.GetName() or "")
    if modality == "MR":
        return _mr_of_files(node) or (key if is_mr(key) else None)
    return key if modality is None else None


def instance_uids(node: Any) -> list[str]:
    """SOP instance UIDs of the files that the node was loaded from."""
    return (node.GetAttribute("DICOM.instanceUIDs") or "").split()


def files_of(node: Any) -> list[str]:
    """Paths of those files that Slicer's DICOM database knows."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None:
        return []
    return [path for path in (database.fileForInstance(uid) for uid in instance_uids(node)) if path]


def subject_hierarchy(scene: Any) -> Any:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def _dicom_modality(node: Any) -> str | None:
    """DICOM.Modality of the node's item in the subject hierarchy."""
    hierarchy = subject_hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
    return (hierarchy.GetItemAttribute(item, "DICOM.Modality") or None) if item else None


def _mr_of_files(node: Any) -> str | None:
    for path in files_of(node)[:1]:
        found = guess_sequence(pydicom.dcmread(path, stop_before_pixels=True))
        return found[0] if found else None
    return None


def _from_name(name: str) -> str | None:
    try:
        return modality_from_name(name)
    except InputError:
        return None
