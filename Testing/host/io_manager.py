"""slicer.app.coreIOManager(): load, save and export through MRML's own storage nodes."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import slicer

SEGMENTATION = (".seg.nrrd", ".seg.nhdr")
SCENE = (".mrb", ".mrml")
VOLUME = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm")
WRITES = {
    "vtkMRMLSegmentationNode": ("Segmentation (.seg.nrrd)", "NIFTI (.nii.gz)"),
    "vtkMRMLVolumeNode": ("NRRD (.nrrd)", "NIFTI (.nii.gz)", "NIFTI (.nii)", "MetaImage (.mha)"),
    "vtkMRMLTableNode": ("CSV (.csv)", "TSV (.tsv)"),
    "vtkMRMLTextNode": ("Text (.txt)", "JSON (.json)"),
}


class IOManager:
    def __init__(self, scene: Any) -> None:
        self._scene = scene

    def fileType(self, filename: str) -> str:
        name = str(filename).lower()
        if name.endswith(SEGMENTATION):
            return "SegmentationFile"
        return "SceneFile" if name.endswith(SCENE) else "VolumeFile" if name.endswith(VOLUME) else "NoFile"

    def loadNodes(self, file_type: str, properties: dict, loaded: Any, messages: Any = None) -> bool:
        path = properties["fileName"]
        if file_type == "SceneFile":
            return self._load_scene(path, properties)
        readers = {"VolumeFile": self._volume, "SegmentationFile": self._segmentation}
        node = readers[file_type](path, properties) if file_type in readers and Path(path).exists() else None
        if node is None:
            return False
        loaded.AddItem(node)
        return True

    def loadScene(self, path: str, clear: bool = True) -> bool:
        return self._load_scene(path, {"clear": clear})

    def saveScene(self, path: str, picture: Any = None) -> bool:
        return self.saveNodes("SceneFile", {"fileName": path})

    def _load_scene(self, path: str, properties: dict) -> bool:
        """Without `clear` in the properties what is there stays, as in Slicer."""
        if properties.get("clear", False):
            self._scene.Clear(False)
        if not path.endswith(".mrb"):
            return self._import(path)
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as bundle:
            bundle.extractall(folder)
            return self._import(str(next(Path(folder).rglob("*.mrml"))))

    def _import(self, path: str) -> bool:
        self._scene.SetURL(path)
        self._scene.SetRootDirectory(str(Path(path).parent))
        return bool(self._scene.Import())

    def _volume(self, path: str, properties: dict) -> Any:
        logic = slicer.modules.volumes.logic()
        options = 1 if properties.get("labelmap") else 0
        options |= 2 if properties.get("center") else 0
        options |= 4 if properties.get("singleFile") else 0
        return logic.AddArchetypeVolume(path, properties.get("name") or _base_name(path), options)

    def _segmentation(self, path: str, properties: dict) -> Any:
        node = self._scene.AddNewNodeByClass("vtkMRMLSegmentationNode", properties.get("name") or _base_name(path))
        node.CreateDefaultDisplayNodes()
        node.AddDefaultStorageNode(path)
        if node.GetStorageNode().ReadData(node):
            return node
        self._scene.RemoveNode(node)
        return None

    def fileWriterFileType(self, node: Any, *rest: Any) -> str:
        return "SegmentationFile" if node.IsA("vtkMRMLSegmentationNode") else "VolumeFile"

    def fileWriterExtensions(self, node: Any) -> tuple[str, ...]:
        return next((formats for kind, formats in WRITES.items() if node.IsA(kind)), ())

    def extractKnownExtension(self, filename: str, node: Any = None) -> str:
        known = [f[f.index("(") + 1 : -1] for formats in WRITES.values() for f in formats]
        fitting = [e for e in known if str(filename).lower().endswith(e)]
        return max(fitting, key=len, default=Path(filename).suffix)

    def saveNodes(self, file_type: str, properties: dict, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if file_type != "SceneFile":
            return self._write(self._scene.GetNodeByID(properties["nodeID"]), path, keep=True)
        if path.endswith(".mrb"):
            return bool(self._scene.WriteToMRB(path, properties.get("thumbnail")))
        if path.endswith(".mrml"):
            return bool(self._scene.Commit(path))
        return bool(self._scene.SaveSceneToSlicerDataBundleDirectory(path, None))

    def exportNodes(self, ids: Any, paths: Any, properties: dict, harden: bool, messages: Any = None) -> bool:
        nodes = [self._scene.GetNodeByID(i) for i in ids]
        done = [self._export(n, str(p), harden) for n, p in zip(nodes, paths, strict=True)]
        return all(done)

    def _export(self, node: Any, path: str, harden: bool) -> bool:
        """Through a copy: the node keeps its own storage and transform."""
        copy = self._scene.AddNode(self._scene.CreateNodeByClass(node.GetClassName()))
        try:
            copy.CopyContent(node)
            if harden and node.GetParentTransformNode():
                copy.SetAndObserveTransformNodeID(node.GetTransformNodeID())
                copy.HardenTransform()
            return self._write(copy, path, keep=False)
        finally:
            self._scene.RemoveNode(copy)

    def _write(self, node: Any, path: str, keep: bool) -> bool:
        storage = node.GetStorageNode() if keep else None
        if storage is None or not storage.SupportedFileType(path):
            storage = self._scene.AddNode(node.CreateDefaultStorageNode())
        try:
            if keep:
                node.SetAndObserveStorageNodeID(storage.GetID())
            storage.SetFileName(path)
            return bool(storage.WriteData(node))
        finally:
            if not keep:
                self._scene.RemoveNode(storage)


def _base_name(path: str) -> str:
    name = Path(path).name
    endings = sorted((*SEGMENTATION, *VOLUME), key=len, reverse=True)
    return next((name[: -len(e)] for e in endings if name.lower().endswith(e)), name)
