"""Synthetic tumors that were tried: which count as found, and how many of each kind."""

from dataclasses import replace

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.probed import ModelName, Probed, ProbeRecord, check_of, sensitivities


def test_sensitivity_is_told_by_size_and_contrast():
    hit, miss = (Probed(10.0, 1.0, 0.5, 3.0, iou, 0.5, 0.0, 0) for iou in (0.1, 0.09))
    rows = sensitivities([hit, miss, hit, replace(miss, diameter_mm=20.0)])
    assert rows == [(10.0, 1.0, 2, 3), (20.0, 1.0, 0, 1)]


def test_a_record_is_of_one_case_model_and_set_of_images(a_case):
    case, by, drawer = a_case(), ModelName("model", "a1"), ModelName("drawer", "b2")
    hit = Probed(10.0, 1.0, 0.5, 3.0, 0.4, 0.5, 0.0, 0)
    record = ProbeRecord(case.name, case.grid, by, drawer, ("PET", "CT"), (hit,))
    check_of(record, case, by, ("CT", "PET"))
    wrong = {
        "in the case other": replace(record, case="other"),
        "a probe of another in the case": replace(record, segmenter=ModelName("another", "a1")),
        "other weights of model": replace(record, segmenter=ModelName("model", "c3")),
        "a probe of PET, wanted CT and PET": replace(record, modalities=("PET",)),
        "on another grid": replace(record, grid=case.grid.thinned((2, 1, 1))),
    }
    for why, other in wrong.items():
        with pytest.raises(InputError, match=why):
            check_of(other, case, by, ("CT", "PET"))
