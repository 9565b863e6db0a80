"""Synthetic tumors that were tried: which count as found, and how many of each kind."""

from dataclasses import replace

from DiffuFuseMedLib.core.probed import Probed, sensitivities


def test_sensitivity_is_told_by_size_and_contrast():
    hit, miss = (Probed(10.0, 1.0, 0.5, 3.0, iou, 0.5, 0) for iou in (0.1, 0.09))
    rows = sensitivities([hit, miss, hit, replace(miss, diameter_mm=20.0)])
    assert rows == [(10.0, 1.0, 2, 3), (20.0, 1.0, 0, 1)]
