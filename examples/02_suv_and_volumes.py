"""What a clinic asks of a lesion: its volume and its uptake, here of the one that the expert drew."""

from pathlib import Path

from DiffuFuseMedLib import load_case
from DiffuFuseMedLib.core.lesion import quantify

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"

case = load_case(CASE)
drawn = case.reference_mask.array > 0  # for scoring only, never an input of a model
measures = quantify(drawn, case)

print(f"volume {measures['volume_ml']:.0f} mL")
print(f"SUVmax {measures['suv_max']:.1f}, SUVpeak {measures['suv_peak']:.1f}, SUVmean {measures['suv_mean']:.1f} g/mL")
print(f"MTV (41 % of SUVmax) {measures['mtv_ml']:.0f} mL, TLG {measures['tlg_g']:.0f} g")

hot = (case.volumes["PET"].array > 2.5) & case.valid["PET"]  # the same of any mask of yours, bool [k, j, i]
print(f"all that is above SUV 2.5: {quantify(hot, case)['volume_ml']:.0f} mL")
