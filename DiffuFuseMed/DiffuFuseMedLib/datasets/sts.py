"""Soft-tissue-Sarcoma of The Cancer Imaging Archive: PET, CT and MR of 51 patients with a drawn tumor."""

from __future__ import annotations

from typing import Any

from ..training.data import Collection, TrainingData
from ..training.recipe import Recipe
from ..training.recipe import recipe_of_readers as of_readers
from ..training.windows import WindowSettings

COLLECTION = Collection(
    "the Soft-tissue-Sarcoma collection of TCIA, CC BY 3.0",
    "Vallières M, Freeman CR, Skamene SR, El Naqa I (2015). A radiomics model from joint FDG-PET and MRI texture "
    "features for the prediction of lung metastases in soft-tissue sarcomas of the extremities. The Cancer Imaging "
    "Archive, https://doi.org/10.7937/K9/TCIA.2015.7GO2GSKS",
)
HELD_OUT = ("STS_010",)  # the demonstration case is in no training set
DATA = TrainingData((COLLECTION,), (1, 2, 3), HELD_OUT)
# One drawing a patient: the systems that learn how readers differ are shown simulated ones around it.
SEVERAL_READERS = WindowSettings(simulated_readers=3, corrupt=0.1)


def recipe_of_readers(model_id: str, system: str, config: Any) -> Recipe:
    """Of a system that learns how readers differ."""
    return of_readers(model_id, system, config, data=DATA, windows=SEVERAL_READERS, minutes=600.0)
