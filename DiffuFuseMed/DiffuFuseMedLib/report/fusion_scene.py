"""Fusion scene: what the report draws of a fusion, cut to the lesion's surroundings, else to the body."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..core.case import Case
from ..core.errors import input_error
from ..core.fusion import Fusion
from ..core.modalities import MODALITIES, tracers
from ..core.triples import triple
from .scene import Scene, box_around, center_of, turn
from .window_level import Window, windows_of

SHOWN_MAP = "fusion"
FIELD_OF_VIEW = "field of view"


def fusion_scene(fusion: Fusion, case: Case) -> Scene:
    """Scene with images "CT", the MR, "fused" and a tracer; masks "soft", "bone", "lesion" and the MR's "field of
    view"; uncertainty "fusion".

    Raises InputError when fusion and case are not on one grid.
    """
    if not fusion.grid.same_as(case.grid):
        raise input_error("a fusion on another grid than its case", "one grid", "fuse this case again")
    lesion, inside = fusion.rois.lesion, fusion.rois.inside
    box = box_around(lesion if lesion.any() else inside, case.grid)
    grid = case.grid.cropped(tuple(s.start for s in box), tuple(s.stop for s in box))
    shown = [m for m in ("CT", fusion.mri, tracer_of(case)) if m]

    def turned(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: turn(array[box], grid)[0] for key, array in arrays.items()}

    image, lps = turn(fusion.fused.image[box], grid)
    masks = turned({**fusion.masks, "inside": inside, FIELD_OF_VIEW: case.valid[fusion.mri]})
    return Scene(
        grid=lps,
        reference="fused",
        images={**turned({m: case.volumes[m].array for m in shown}), "fused": image},
        valid={**turned({m: case.valid[m] for m in shown}), "fused": np.ones(image.shape, bool)},
        masks=masks,
        uncertainty=turned({SHOWN_MAP: fusion.fused.uncertainty}),
        center_kji=_center(masks["lesion"], masks["inside"]),
        windows=windows_of(case, {m: case.volumes[m].array for m in shown}),
    )


def fusion_windows(fusion: Fusion, scene: Scene) -> dict[str, Window]:
    """Per image of the scene its window: the CT's is the one it was fused with."""
    low, high = fusion.settings.ct_window_hu
    unit = MODALITIES["CT"].report_unit
    ct = Window(low, high, f"window {low:g} to {high:g} {unit}", unit=unit)
    return {**scene.windows, "CT": ct, "fused": Window(0, 1, "gray value 0 to 1")}


def tracer_of(case: Case) -> str | None:
    """The modality shown as a color layer."""
    return next((m for m in tracers() if m in case.volumes), None)


def _center(lesion: np.ndarray, inside: np.ndarray) -> tuple[int, int, int]:
    """The lesion's largest cross-sections, else the body's center, else the middle."""
    if lesion.any():
        return center_of(lesion, inside)
    middle = ndimage.center_of_mass(inside) if inside.any() else [(n - 1) / 2 for n in inside.shape]
    return triple(round(float(n)) for n in middle)
