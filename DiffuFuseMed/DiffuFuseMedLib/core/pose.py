"""Pose: how far one image of a case was moved and turned from where it was opened, in the six numbers a reader sees."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple, dataclass
from math import isfinite
from typing import Any

import numpy as np

from .errors import input_error
from .grid import Grid

MOST_MM = 500.0
MOST_DEGREES = 180.0
SHIFTS = (("left", "right"), ("back", "front"), ("head", "feet"))
STILL_MM = STILL_DEGREES = 0.05  # what a reader would call unmoved

Numbers = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Pose:
    """left_mm, back_mm, head_mm: LPS shift of the image; about_left_degrees and the others: turns about the same axes
    through the middle of the case's grid, the first one first, before the shift."""

    left_mm: float = 0.0
    back_mm: float = 0.0
    head_mm: float = 0.0
    about_left_degrees: float = 0.0
    about_back_degrees: float = 0.0
    about_head_degrees: float = 0.0

    @classmethod
    def of(cls, numbers: Any) -> Pose:
        """From its six numbers. Raises InputError for what is none."""
        given = list(numbers) if isinstance(numbers, (tuple, list)) else []
        if len(given) != 6 or not all(map(_is_number, given)):
            raise input_error(f"the pose {str(numbers)[:60]}", "three mm and three degrees", "correct the six numbers")
        if max(map(abs, given[:3])) > MOST_MM or max(map(abs, given[3:])) > MOST_DEGREES:
            wanted = f"at most {MOST_MM:g} mm and {MOST_DEGREES:g} degrees either way"
            raise input_error(f"the pose {', '.join(f'{n:g}' for n in given)}", wanted, "choose smaller numbers")
        return cls(*map(float, given))

    @classmethod
    def of_matrix(cls, matrix: np.ndarray, grid: Grid) -> Pose:
        """The pose of a rigid 4 x 4 LPS matrix."""
        turn, middle = matrix[:3, :3], _middle(grid)
        shift = matrix[:3, 3] + turn @ middle - middle
        about_back = np.arcsin(np.clip(-turn[2, 0], -1, 1))
        about_left, about_head = np.arctan2(turn[2, 1], turn[2, 2]), np.arctan2(turn[1, 0], turn[0, 0])
        return cls(*(float(n) for n in (*shift, *np.degrees((about_left, about_back, about_head)))))

    @property
    def numbers(self) -> Numbers:
        return astuple(self)

    @property
    def is_still(self) -> bool:
        return max(map(abs, self.numbers[:3])) < STILL_MM and max(map(abs, self.numbers[3:])) < STILL_DEGREES

    def matrix(self, grid: Grid) -> np.ndarray:
        """4 x 4 LPS matrix from where a point of the image was to where it is now."""
        x, y, z = (_about(axis, np.radians(angle)) for axis, angle in enumerate(self.numbers[3:]))
        matrix, middle = np.eye(4), _middle(grid)
        matrix[:3, :3] = z @ y @ x
        matrix[:3, 3] = middle - matrix[:3, :3] @ middle + self.numbers[:3]
        return matrix

    def words(self) -> str:
        """Such as "12.0 mm to the left, turned 5.0 degrees about the axis to the head"; empty when it is still."""
        shifts = zip(self.numbers[:3], SHIFTS, strict=True)
        parts = [f"{abs(mm):.1f} mm to the {side[mm < 0]}" for mm, side in shifts if abs(mm) >= STILL_MM]
        turns = [(n, to) for n, (to, _) in zip(self.numbers[3:], SHIFTS, strict=True) if abs(n) >= STILL_DEGREES]
        parts += [f"turned {degrees:.1f} degrees about the axis to the {to}" for degrees, to in turns]
        return ", ".join(parts)


def check_poses(poses: Any, known: Collection[str]) -> None:
    """Raises InputError for what is no mapping of some of these modalities to poses."""
    if not isinstance(poses, dict) or not set(poses) <= set(known):
        raise input_error(f"the poses {str(poses)[:60]}", f"one for some of {', '.join(known)}", "correct the names")
    for numbers in poses.values():
        Pose.of(numbers)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _middle(grid: Grid) -> np.ndarray:
    return grid.to_physical((np.array(grid.size) - 1) / 2)


def _about(axis: int, angle: float) -> np.ndarray:
    """3 x 3 rotation about one axis, right-handed."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
    return turn
