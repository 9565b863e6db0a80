"""Kvasir-SEG: 1000 pictures of polyps, each with a mask."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..kvasir import COLLECTION
from .pictures import read_pictures
from .plan import Planned, PublicSet


def plan(folder: Path) -> Iterator[Planned]:
    """Kvasir-SEG/images/NAME.jpg and Kvasir-SEG/masks/NAME.jpg. Which pictures are of one patient is not told."""
    for path in sorted(p for p in folder.rglob("*.jpg") if p.parent.name == "images"):
        mask = path.parents[1] / "masks" / path.name
        yield Planned(path.stem, path.stem, read=partial(read_pictures, path, {"GTV": mask}))


KVASIR_SEG = PublicSet(
    "kvasir-seg",
    "polyps on pictures in color",
    "research and education, no commerce",
    COLLECTION.attribution,
    "https://datasets.simula.no/kvasir-seg/",
    plan,
)
