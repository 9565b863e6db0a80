"""Grid: where an array lies in the patient, in LPS millimetres (the DICOM and ITK convention)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from .triples import triple

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Grid:
    """Geometry of a Volume. Tuples run i, j, k (ITK order); arrays run [k, j, i].

    size: voxels; spacing_mm, origin: millimetres; direction: 3 x 3 row-major cosines, LPS.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY

    @classmethod
    def of(cls, image: sitk.Image) -> Grid:
        """The Grid of a 3D SimpleITK image."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape (k, j, i)."""
        return self.size[::-1]

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        return self.spacing_mm[::-1]

    @property
    def voxel_mm3(self) -> float:
        return float(np.prod(self.spacing_mm))

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Edge lengths along i, j, k, voxel borders included."""
        return triple(n * s for n, s in zip(self.size, self.spacing_mm, strict=True))

    def affine_lps(self) -> np.ndarray:
        """4 x 4 matrix from voxel index (i, j, k) to LPS millimetres."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.direction, (3, 3)) * np.asarray(self.spacing_mm)
        matrix[:3, 3] = self.origin
        return matrix

    def to_physical(self, index_ijk: np.ndarray) -> np.ndarray:
        """LPS millimetres of continuous indices, (..., 3) in and out, order i, j, k / L, P, S."""
        matrix = self.affine_lps()
        return np.asarray(index_ijk) @ matrix[:3, :3].T + matrix[:3, 3]

    def to_index(self, point_lps: np.ndarray) -> np.ndarray:
        """Continuous indices i, j, k of LPS points, (..., 3) in and out."""
        matrix = self.affine_lps()
        return (np.asarray(point_lps) - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T

    def same_as(self, other: Grid, tolerance_mm: float = 1e-2) -> bool:
        """Whether both grids put every corner voxel at the same place, within tolerance_mm."""
        if self.size != other.size:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.size])).reshape(3, -1).T
        return bool(np.abs(self.to_physical(corners) - other.to_physical(corners)).max() <= tolerance_mm)

    def cropped(self, start_kji: tuple[int, int, int], stop_kji: tuple[int, int, int]) -> Grid:
        """The Grid of array[start:stop] per axis (k, j, i)."""
        origin = self.to_physical(np.array(start_kji[::-1], dtype=float))
        size = triple(int(b - a) for a, b in zip(start_kji[::-1], stop_kji[::-1], strict=True))
        return Grid(size, self.spacing_mm, triple(float(x) for x in origin), self.direction)

    def thinned(self, steps_kji: tuple[int, int, int]) -> Grid:
        """The Grid of array[::step] per axis (k, j, i)."""
        steps = steps_kji[::-1]
        size = triple(-(-n // step) for n, step in zip(self.size, steps, strict=True))
        return replace(self, size=size, spacing_mm=triple(n * s for n, s in zip(steps, self.spacing_mm, strict=True)))

    def with_spacing(self, spacing_mm: tuple[float, float, float]) -> Grid:
        """A Grid over the same box of space (voxel borders kept at the first corner) at another spacing (i, j, k)."""
        size = triple(
            max(1, int(np.ceil(extent / s - 1e-6))) for extent, s in zip(self.extent_mm, spacing_mm, strict=True)
        )
        shift = (np.asarray(spacing_mm) / np.asarray(self.spacing_mm) - 1) / 2
        origin = self.to_physical(shift)
        return Grid(size, triple(float(s) for s in spacing_mm), triple(float(x) for x in origin), self.direction)
