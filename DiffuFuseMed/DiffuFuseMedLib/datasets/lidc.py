"""LIDC-IDRI of The Cancer Imaging Archive: lung nodules on CT, each drawn by up to four radiologists."""

from __future__ import annotations

from typing import Any

from ..training.data import Collection, TrainingData
from ..training.recipe import Recipe
from ..training.recipe import recipe_of_readers as of_readers
from ..training.windows import WindowSettings

COLLECTION = Collection(
    "the LIDC-IDRI collection of TCIA, CC BY 3.0",
    "Armato SG III, McLennan G, Bidaut L, et al. (2015). Data from LIDC-IDRI. The Cancer Imaging Archive, "
    "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX",
)
DATA = TrainingData((COLLECTION,), (1, 2, 3))
# Slices around a nodule, seen from every side.
SLICES = WindowSettings(
    shape=(1, 48, 48),
    spacing_kji_mm=(2.5, 0.7, 0.7),
    margin_mm=(2.0, 15.0),
    rotation_degrees=(180.0, 0.0, 0.0),
    corrupt=0.0,
)


def recipe(model_id: str, system: str, config: Any) -> Recipe:
    """Of a system that learns how readers differ, on slices."""
    return of_readers(model_id, system, config, data=DATA, windows=SLICES, batch=16, minutes=120.0)
