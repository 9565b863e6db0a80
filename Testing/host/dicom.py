"""slicer.dicomDatabase over plain files: what pydicom reads, by instance UID and tag."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
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
