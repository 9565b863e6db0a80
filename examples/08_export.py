"""Keep the results: everything as a folder, the lesion as .seg.nrrd for 3D Slicer, any map or mask as NIfTI."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from DiffuFuseMedLib import Volume, load_case, predict
from DiffuFuseMedLib.api import sentences
from DiffuFuseMedLib.io.export import write_outputs, write_segmentation

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"
OUT = Path("out/examples/export")

case = load_case(CASE).cropped((14, 40, 40), (46, 124, 146))
prediction = predict(case, samples=2)

# What `diffufusemed run` writes: segmentation, contours, maps, and prediction.json with every number and its origin.
for name, path in write_outputs(prediction, case, OUT, sentences(case, prediction)).items():
    print(f"{name}: {path}")

# The lesion alone, after a change of yours: here without what is above the 40th slice of the whole scan.
labels = prediction.labels.copy()
labels[26:] = 0
write_segmentation(replace(prediction, labels=labels), OUT / "cut.seg.nrrd", case.reference)

# Any array on the case's grid, as NIfTI (ITK turns LPS into the file's RAS).
for name, array in {"lesion": labels, "probability": prediction.probability.astype(np.float32)}.items():
    sitk.WriteImage(Volume(array, case.grid).to_sitk(), OUT / f"{name}.nii.gz")
    print("NIfTI:", OUT / f"{name}.nii.gz")
