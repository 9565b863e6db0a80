"""LIDC-IDRI of The Cancer Imaging Archive: lung nodules on CT, each drawn by up to four radiologists."""

from __future__ import annotations

from ..training.data import Collection, TrainingData

COLLECTION = Collection(
    "the LIDC-IDRI collection of TCIA, CC BY 3.0",
    "Armato SG III, McLennan G, Bidaut L, et al. (2015). Data from LIDC-IDRI. The Cancer Imaging Archive, "
    "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX",
)
DATA = TrainingData((COLLECTION,), (1, 2, 3))
