"""Load a case: every image of the folder on one grid, in its own units, with where it says anything."""

from pathlib import Path

from DiffuFuseMedLib import load_case
from DiffuFuseMedLib.preprocessing.quality import quality_report

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"

case = load_case(CASE)  # NIfTI, NRRD, MHA by their names, or DICOM at any depth
print(f"{case.name}: {case.grid.size} voxels of {case.grid.spacing_kji_mm} mm (k, j, i)")

for modality, volume in case.volumes.items():
    seen = volume.array[case.valid[modality]]  # outside its field of view an image says nothing: never zero
    print(f"{modality}: {seen.min():.1f} to {seen.max():.1f} {volume.units}, {case.valid[modality].mean():.0%} in view")

for sentence in quality_report(case):
    print("-", sentence)

upper_half = case.cropped((0, 0, 0), (30, *case.grid.shape[1:]))  # array[start:stop] along k, j, i
print(f"cut to {upper_half.grid.size}; without the PET: {upper_half.only(['CT', 'MR_T1']).modalities}")
