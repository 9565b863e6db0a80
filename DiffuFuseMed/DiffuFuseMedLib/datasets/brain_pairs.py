"""Registered 8-bit pairs of brain slices, CT, PET or SPECT beside MRI, that the fusion literature compares on."""

from __future__ import annotations

from ..training.data import Collection

COLLECTION = Collection(
    "registered brain pairs of the Harvard Whole Brain Atlas, whose images are not redistributed",
    "Johnson KA, Becker JA. The Whole Brain Atlas. Harvard Medical School, https://www.med.harvard.edu/aanlib/",
)
LEFT_OUT = ("20", "33", "41", "10", "18", "29")  # series that only validate
