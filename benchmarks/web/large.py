"""A case as large as a whole body's CT, made by laying the shipped one side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.load import load_case

SHAPE = (300, 512, 512)  # k, j, i
PET_EDGE = 4  # CT pixels a PET pixel is wide: 3.9 mm here


def tiled(array: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The array [k, j, i] repeated along every axis and cut to the shape."""
    grown = array
    for axis, wanted in enumerate(shape):
        index = np.arange(wanted) % array.shape[axis]
        grown = grown.take(index, axis)
    return grown


def write_large(folder: Path, target: Path, shape: tuple[int, int, int] = SHAPE) -> None:
    """The case in `folder` aligned, tiled to the shape and written to `target`: CT and MR in every voxel, PET in wider
    ones, as scanners do. Raises InputError for a folder that is no case."""
    case = load_case(folder)
    target.mkdir(parents=True, exist_ok=True)
    for modality in case.modalities:
        large = _large(case, modality, shape)
        written = _wider(large, PET_EDGE) if modality == "PET" else large
        sitk.WriteImage(written.to_sitk(), str(target / f"{modality}.nii"))


def _large(case: Case, modality: str, shape: tuple[int, int, int]) -> Volume:
    """0 where the modality says nothing, as its file has it; whole numbers but for SUV."""
    seen = np.where(case.valid[modality], case.volumes[modality].array, 0)
    kept = seen.astype(np.float32) if modality == "PET" else seen.round().astype(np.int16)
    return Volume(tiled(kept, shape), replace(case.grid, size=shape[::-1]), modality)


def _wider(volume: Volume, edge: int) -> Volume:
    """Means of edge x edge pixels of each slice, whose edges it divides."""
    k, j, i = volume.grid.shape
    array = volume.array.reshape(k, j // edge, edge, i // edge, edge).mean((2, 4))
    x, y, z = volume.grid.spacing_mm
    return Volume(array, volume.grid.with_spacing((x * edge, y * edge, z)), volume.modality)
