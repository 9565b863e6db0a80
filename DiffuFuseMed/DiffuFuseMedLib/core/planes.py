"""The three planes of a volume by name: the array axis [k, j, i] along which their slices follow each other."""

from __future__ import annotations

PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}
