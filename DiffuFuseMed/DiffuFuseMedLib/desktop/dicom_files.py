"""The DICOM files that a volume of the scene was loaded from."""

from __future__ import annotations

from typing import Any

import slicer

from ..mrml.roles import instance_uids


def files_of(node: Any) -> list[str]:
    """Paths of those that Slicer's DICOM database knows."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None:
        return []
    return [path for path in (database.fileForInstance(uid) for uid in instance_uids(node)) if path]
