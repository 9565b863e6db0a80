"""Fuse CT and MR: the volume under one setting of the sliders, then one slice while alpha moves."""

from dataclasses import replace
from pathlib import Path

from DiffuFuseMedLib import fuse, load_case
from DiffuFuseMedLib.io.export import write_fusion
from DiffuFuseMedLib.io.picture_pairs import write_picture
from DiffuFuseMedLib.tasks.fuse import Fuser

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"
OUT = Path("out/examples")

case = load_case(CASE).cropped((24, 40, 40), (40, 124, 146))
lesion = case.reference_mask.array > 0  # or a Prediction: whose border gamma keeps

# alpha: soft tissue like MRI; beta: bone like CT; gamma: the lesion's border. One that is given replaces the preset's.
fusion = fuse(case, preset="soft-tissue-sarcoma", gamma=0.8, lesion=lesion, samples=1)
print("volume:", *write_fusion(fusion, case, OUT / "fusion").values())
for name in ("fused", "average"):
    rows = fusion.metrics[name]
    print(f"{name}: soft SSIM to MRI {rows['soft_ssim_mri']:.3f}, bone PSNR to CT {rows['bone_psnr_ct']:.1f} dB")

fuser = Fuser.shipped()  # what a host keeps open: a slider pays only for what it changes
opened = fuser.open(case, fusion.rois, fusion.settings)
for alpha in (0.0, 0.5, 1.0):
    settings = replace(fusion.settings, alpha=alpha)
    picture = fuser.slice(opened, "axial", 8, settings, uncertainty=False)
    write_picture(picture.image, OUT / f"alpha_{alpha:.1f}.png")
print("slices:", *sorted(OUT.glob("alpha_*.png")))
