"""Where it may be wrong: the maps, the contours between which the border lies, and the regions to look at first."""

from pathlib import Path

import numpy as np
from DiffuFuseMedLib import load_case, predict
from DiffuFuseMedLib.review import worklist

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"

case = load_case(CASE).cropped((14, 40, 40), (46, 124, 146))
prediction = predict(case, samples=2)

for name, nats in prediction.uncertainty.items():  # float32 [k, j, i], from 0 to ln 2
    print(f"{name}: at most {nats.max():.2f} nat, above 0.3 nat in {np.mean(nats > 0.3):.1%} of the voxels")
between = np.count_nonzero(prediction.outer & ~prediction.inner) * case.grid.voxel_mm3 / 1000
print(f"between the inner and the outer contour: {between:.0f} mL")

# With a run for each modality that is switched off, a region says which of them disagrees.
kinds = case.modalities
without = {m: predict(case.only([k for k in kinds if k != m]), samples=1).probability for m in kinds}
found = worklist(prediction, without, most=5)

for region in found.regions:  # worst first
    wrong_ml = region.expected_error_mm3 / 1000
    print(f"{region.id}. {region.volume_mm3 / 1000:.1f} mL, {wrong_ml:.1f} mL expected to be wrong: {region.why}")
