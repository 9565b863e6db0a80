"""Review figures: one picture of each region, cut where it shows the most, with the lesion before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import find_objects

from ..core.case import Case
from ..core.modalities import title_of
from .figures import OUTSIDE, slice_panel
from .planes import PLANES, Plane
from .scene import Scene, turn
from .window_level import Window, window_of

if TYPE_CHECKING:
    from .review import ReviewSection

LINES = ("region", "predicted", "lesion")
MARGIN_MM = 25.0
LEAST_VIEW_MM = 90.0  # a region is some 25 mm across: enough around it to see which part of the lesion it is
WIDTH_IN = 3.2


@dataclass(frozen=True)
class Picture:
    """png: the bytes; where: plane and place, such as "Axial S 412 mm"."""

    png: bytes
    where: str


@dataclass(frozen=True)
class _Base:
    """The image under the contours: array [k, j, i], where it is valid, its window and what a caption calls it."""

    array: np.ndarray
    valid: np.ndarray
    window: Window
    name: str


class Pictures:
    """Pictures of regions by id, drawn when asked for; caption: what all of them show."""

    def __init__(self, section: ReviewSection, case: Case) -> None:
        self._section, self._case, self._base = section, case, _base(section, case)
        self._boxes = find_objects(section.review.worklist.labels.astype(np.int32))
        self.caption = f"{self._base.name}, {self._base.window.caption}"

    def __getitem__(self, region_id: int) -> Picture:
        scene = self._scene(region_id)
        plane, index = best_cut(scene)
        gray = self._base.window.gray(plane.cut(scene.images["base"], index))
        rgb = np.repeat(gray[..., None], 3, axis=-1)
        rgb[~plane.cut(scene.valid["base"], index)] = OUTSIDE
        where = f"{plane.name} {plane.position(scene.grid, index)}"
        return Picture(slice_panel(scene, plane, index, rgb, LINES, WIDTH_IN), where)

    def _scene(self, region_id: int) -> Scene:
        """The region's surroundings, turned to the patient's axes."""
        section, whole = self._section, self._case.grid
        box = _around(self._boxes[region_id - 1], whole.shape, whole.spacing_kji_mm)
        grid = whole.cropped(tuple(s.start for s in box), tuple(s.stop for s in box))

        def turned(array: np.ndarray) -> np.ndarray:
            return turn(array[box], grid)[0]

        image, lps = turn(self._base.array[box], grid)
        masks = {"lesion": turned(section.drawn), "predicted": turned(section.predicted)}
        masks["region"] = turned(section.review.worklist.labels == region_id)
        return Scene(lps, "base", {"base": image}, {"base": turned(self._base.valid)}, masks, {}, (0, 0, 0))


def pictures(section: ReviewSection, case: Case) -> Pictures:
    return Pictures(section, case)


def best_cut(scene: Scene) -> tuple[Plane, int]:
    """The plane and slice with the largest area, in mm2, of what was changed in the region, else of the region."""
    region = scene.masks["region"]
    changed = region & (scene.masks["lesion"] != scene.masks["predicted"])
    shown = changed if changed.any() else region
    areas = {plane: shown.sum(axis=_others(plane)) * np.prod(plane.pixel_mm(scene.grid)) for plane in PLANES}
    best = max(PLANES, key=lambda plane: areas[plane].max())
    return best, int(areas[best].argmax())


def _others(plane: Plane) -> tuple[int, ...]:
    return tuple(axis for axis in range(3) if axis != plane.axis)


def _base(section: ReviewSection, case: Case) -> _Base:
    """The fused image, else the CT, else the reference."""
    if section.fused is not None:
        everywhere = np.ones(section.fused.shape, bool)
        return _Base(section.fused, everywhere, Window(0, 1, "gray value 0 to 1"), "fused image")
    key = "CT" if "CT" in case.volumes else case.reference
    array, valid = case.volumes[key].array, case.valid[key]
    return _Base(array, valid, window_of(key, array, valid), title_of(key))


def _around(found: tuple[slice, ...], shape: tuple[int, ...], spacing_kji_mm: tuple[float, ...]) -> tuple[slice, ...]:
    """A region's bounding box with a margin, LEAST_VIEW_MM wide where the volume is, moved inward at its edges."""
    return tuple(_widened(*sides) for sides in zip(found, shape, spacing_kji_mm, strict=True))


def _widened(found: slice, size: int, spacing_mm: float) -> slice:
    wide_mm = max(LEAST_VIEW_MM, (found.stop - found.start) * spacing_mm + 2 * MARGIN_MM)
    count = min(size, round(wide_mm / spacing_mm))
    start = min(max(0, (found.start + found.stop - count) // 2), size - count)
    return slice(start, start + count)
