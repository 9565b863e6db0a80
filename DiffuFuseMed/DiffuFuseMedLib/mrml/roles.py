"""Which volume of the scene is the CT, the PET, which MR: by DICOM where it came from there, else by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene, vtkMRMLSubjectHierarchyNode

from ..core.errors import InputError
from ..core.modalities import is_mr, of_dicom, shown
from ..io.dicom.mr_sequence import guess_sequence
from ..io.dicom.reading import read_dataset
from ..io.naming import modality_from_name
from .nodes import nodes_of, tag
from .volumes import ROLE

FilesOf = Callable[[vtkMRMLScalarVolumeNode], Sequence[str]]  # paths of the DICOM that a node was loaded from


def guess(scene: vtkMRMLScene, files_of: FilesOf) -> dict[str, vtkMRMLScalarVolumeNode]:
    """Modality key -> volume node, the first of each that is shown; this program's own volumes, label maps and pictures
    in color are none."""
    found: dict[str, Any] = {}
    for node in nodes_of(scene, "vtkMRMLScalarVolumeNode"):
        if tag(node, ROLE) is not None or node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetHideFromEditors():
            continue
        key = modality_of(node, files_of)
        if key in shown():
            found.setdefault(key, node)
    return found


def modality_of(node: vtkMRMLScalarVolumeNode, files_of: FilesOf) -> str | None:
    """The key in MODALITIES; None when nothing tells."""
    modality = _dicom_modality(node)
    if told := of_dicom(modality):
        return told
    key = _from_name(node.GetName() or "")
    if modality == "MR":
        return _mr_of_files(files_of(node)) or (key if is_mr(key) else None)
    return key if modality is None else None


def instance_uids(node: vtkMRMLScalarVolumeNode) -> list[str]:
    """SOP instance UIDs of the files that the node was loaded from."""
    return (node.GetAttribute("DICOM.instanceUIDs") or "").split()


def subject_hierarchy(scene: vtkMRMLScene) -> vtkMRMLSubjectHierarchyNode:
    return vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def _dicom_modality(node: vtkMRMLScalarVolumeNode) -> str | None:
    """DICOM.Modality of the node's item in the subject hierarchy."""
    hierarchy = subject_hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
    return (hierarchy.GetItemAttribute(item, "DICOM.Modality") or None) if item else None


def _mr_of_files(files: Sequence[str]) -> str | None:
    for path in files[:1]:
        found = guess_sequence(read_dataset(path, stop_before_pixels=True))
        return found[0] if found else None
    return None


def _from_name(name: str) -> str | None:
    try:
        return modality_from_name(name)
    except InputError:
        return None
