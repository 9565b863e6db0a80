"""Holes of LaMa's kind: thick strokes along random chains, and boxes (Suvorov et al. 2022, section 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import torch
from torch import Tensor

from ...training.corruptions import uniform


@dataclass(frozen=True)
class HoleSettings:
    """In pixels of the window; from 1 to `strokes` chains of up to `vertices` pieces, or from 1 to `boxes` boxes."""

    box_share: float = 0.4  # of holes that are boxes
    strokes: int = 3
    vertices: int = 4
    stroke_length: tuple[float, float] = (8.0, 32.0)
    stroke_width: tuple[float, float] = (8.0, 36.0)
    boxes: int = 2
    box_side: tuple[float, float] = (12.0, 56.0)
    spread: float = 14.0  # how far from the window's center a second stroke or box begins


def draw_hole(shape: tuple[int, int], settings: HoleSettings, generator: torch.Generator) -> Tensor:
    """bool (H, W), True where the picture is taken away; the first stroke or box covers the window's center."""
    hole = torch.zeros(shape, dtype=torch.bool)
    center = (torch.tensor(shape) - 1) / 2
    draw, most = (_box, settings.boxes) if uniform(0, 1, generator) < settings.box_share else (_chain, settings.strokes)
    for number in range(1 + int(torch.randint(most, (), generator=generator))):
        offset = settings.spread * torch.randn(2, generator=generator) if number else torch.zeros(2)
        hole |= draw(shape, center + offset, settings, generator)
    return hole


def _box(shape: tuple[int, int], at: Tensor, settings: HoleSettings, generator: torch.Generator) -> Tensor:
    """A box that covers `at`, anywhere inside."""
    covered = torch.ones(shape, dtype=torch.bool)
    for axis, position in enumerate(_positions(shape)):
        side = uniform(*settings.box_side, generator)
        start = float(at[axis]) - uniform(0, side, generator)
        covered &= (position >= start) & (position <= start + side)
    return covered


def _chain(shape: tuple[int, int], at: Tensor, settings: HoleSettings, generator: torch.Generator) -> Tensor:
    """A chain of straight pieces that begins at `at`, as wide as a brush."""
    covered = torch.zeros(shape, dtype=torch.bool)
    width = uniform(*settings.stroke_width, generator)
    angle = uniform(0, 2 * pi, generator)
    for _ in range(1 + int(torch.randint(settings.vertices, (), generator=generator))):
        angle += uniform(-2.0, 2.0, generator)
        step = uniform(*settings.stroke_length, generator) * torch.tensor([sin(angle), cos(angle)])
        covered |= _distance_to_segment(shape, at, at + step) <= width / 2
        at = at + step
    return covered


def _distance_to_segment(shape: tuple[int, int], start: Tensor, stop: Tensor) -> Tensor:
    """(H, W): of each pixel to the straight line from start to stop."""
    position = torch.stack(_positions(shape), dim=-1).float()
    along = stop - start
    share = ((position - start) @ along / along.square().sum()).clamp(0, 1)
    return (position - start - share[..., None] * along).norm(dim=-1)


def _positions(shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    rows, columns = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
    return rows, columns
