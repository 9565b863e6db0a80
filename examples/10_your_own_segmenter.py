"""Plug in a segmenter of your own: it draws windows, and everything around that is already there."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from DiffuFuseMedLib import load_case, predict
from DiffuFuseMedLib.models.registry import ModelRecord
from DiffuFuseMedLib.models.zoo import Model
from DiffuFuseMedLib.networks.draw import Draw
from DiffuFuseMedLib.preprocessing.intensity import pet_scale
from DiffuFuseMedLib.systems import SYSTEMS, SystemEntry

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"


class PetThreshold(torch.nn.Module):
    """Lesion is what exceeds an SUV that differs from draw to draw; tasks/segment/contract.py says what else it may."""

    config = SimpleNamespace(modalities=("PET",), spatial_dims=3)
    stride = (1, 1, 1)

    def memory_bytes(self, voxels, modalities):
        return 32 * voxels

    def segment(self, inputs, generator=None):
        intensity, valid = inputs["PET"].split(1, dim=1)  # (B, 1, *space) each
        suv = 2.5 + 0.5 * torch.randn(1, generator=generator).item()
        logits = 20 * (intensity - float(pet_scale(np.float32(suv))))
        return Draw(torch.where(valid > 0.5, logits, -10.0))


SYSTEMS["pet-threshold"] = SystemEntry("segment", "")  # in a fork: your module and class, for zoo.load()
window = {"shape": (32, 64, 64), "spacing_kji_mm": (3.3, 2.0, 2.0)}
plain = {
    "all": {"scale": 1.0, "offset": 0.0, "contour_width": 1.0}
}  # tasks/segment/calibrate.py fits these on patients
facts = {"config": {"modalities": ("PET",)}, "window": window, "sha256": "", "licence": "none", "calibration": plain}
record = ModelRecord("pet-threshold", "pet-threshold", **facts)

case = load_case(CASE)
prediction = predict(case, Model(record, PetThreshold(), "cpu"), samples=4)
print(f"{prediction.volume_ml.value:.0f} mL, samples: {[round(v) for v in prediction.sample_volumes_ml]}")
