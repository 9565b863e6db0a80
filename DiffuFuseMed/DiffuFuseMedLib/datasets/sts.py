"""Soft-tissue-Sarcoma of The Cancer Imaging Archive: PET, CT and MR of 51 patients with a drawn tumor."""

from __future__ import annotations

from ..training.data import Collection, TrainingData

COLLECTION = Collection(
    "the Soft-tissue-Sarcoma collection of TCIA, CC BY 3.0",
    "Vallières M, Freeman CR, Skamene SR, El Naqa I (2015). A radiomics model from joint FDG-PET and MRI texture "
    "features for the prediction of lung metastases in soft-tissue sarcomas of the extremities. The Cancer Imaging "
    "Archive, https://doi.org/10.7937/K9/TCIA.2015.7GO2GSKS",
)
HELD_OUT = ("STS_010",)  # the demonstration case is in no training set
DATA = TrainingData((COLLECTION,), (1, 2, 3), HELD_OUT)
