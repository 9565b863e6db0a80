"""A mask's slices as closed polygons along the borders of its pixels, holes joined to the outside by keyholes.

The polygons of a slice enclose exactly its pixels: whoever fills or measures them gets the mask back. A hole is joined
to the border around it by a bridge of no width, run along there and back ("keyhole", DICOM PS3.3, C.8.8.6.3).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

Point = tuple[int, int]  # x, y: a corner of pixels; the pixel [j, i] reaches from (i, j) to (i + 1, j + 1)


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Polygons (points, 2) of x and y in pixels, where pixel [j, i] has its center at (i, j). mask: bool [j, i].

    One polygon for each part whose pixels share edges; parts that touch at a corner are two.
    """
    parts, _ = ndimage.label(mask)
    boxes = ndimage.find_objects(parts)
    return [_outline(parts[box] == n, (box[1].start, box[0].start)) for n, box in enumerate(boxes, 1)]


def _outline(part: np.ndarray, first: Point) -> np.ndarray:
    """Of one connected part, whose array begins at pixel `first` (x, y)."""
    outside, *holes = sorted(_loops(part), key=min)  # no hole begins left of what is around it
    for hole in holes:
        outside = _joined(outside, hole)
    return np.array(_corners(outside), float) + first - 0.5


def _loops(part: np.ndarray) -> list[list[Point]]:
    """Every closed border of the part, point by point, with the part always on the same side."""
    onward = _steps(part)
    loops = []
    while onward:
        start = next(iter(onward))
        loop, step = [start], onward[start][0]
        point = _take(onward, start, step)
        while point != start:
            loop.append(point)
            step = _next(onward[point], step)
            point = _take(onward, point, step)
        loops.append(loop)
    return loops


def _steps(part: np.ndarray) -> dict[Point, list[Point]]:
    """By corner, the steps (dx, dy) that run along the part's border from there."""
    p = np.pad(part, 1)
    here = p[1:-1, 1:-1]
    sides = (  # the pixel beyond, where the step begins from the pixel's first corner, the step
        (p[:-2, 1:-1], (0, 0), (1, 0)),
        (p[1:-1, 2:], (1, 0), (0, 1)),
        (p[2:, 1:-1], (1, 1), (-1, 0)),
        (p[1:-1, :-2], (0, 1), (0, -1)),
    )
    onward: dict[Point, list[Point]] = {}
    for beyond, (x, y), step in sides:
        for j, i in np.argwhere(here & ~beyond).tolist():
            onward.setdefault((i + x, j + y), []).append(step)
    return onward


def _take(onward: dict[Point, list[Point]], point: Point, step: Point) -> Point:
    """Where the step leads, which is not run again."""
    onward[point].remove(step)
    if not onward[point]:
        del onward[point]
    return point[0] + step[0], point[1] + step[1]


def _next(steps: list[Point], before: Point) -> Point:
    """Where two pixels touch at a corner, the turn that stays with the pixel."""
    turn = (-before[1], before[0])
    return turn if turn in steps else steps[0]


def _joined(around: list[Point], hole: list[Point]) -> list[Point]:
    """One loop of both: from the hole's first corner straight to the left until the border is met, and back."""
    begin = hole.index(min(hole))
    x, y = hole[begin]
    bridge = [(x, y)]
    met = set(around)
    while bridge[-1] not in met:
        bridge.append((bridge[-1][0] - 1, y))
    at = around.index(bridge[-1])
    return [*around[:at], *bridge[::-1], *hole[begin + 1 :], *hole[:begin], *bridge, *around[at + 1 :]]


def _corners(loop: list[Point]) -> list[Point]:
    """Without the points that the loop runs straight through."""
    p = np.array(loop)
    arrives, leaves = p - np.roll(p, 1, axis=0), np.roll(p, -1, axis=0) - p
    return p[(arrives != leaves).any(axis=1)].tolist()
