"""Crops as they are cut, without what training does to them."""

import pytest
from DiffuFuseMedLib.systems.clin_fusediff.crops import CropSettings


@pytest.fixture
def plain():
    """A function of overriding settings: crops of 32 pixels that neither turn, scale, grade nor jitter."""

    def settings(**changed):
        still = {"size": 32, "zoom": (1.0, 1.0), "rotation_degrees": 0.0, "jittered": -1.0, "gain": 0.0, "roi_px": 0}
        return CropSettings(**(still | changed))

    return settings
