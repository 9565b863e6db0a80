"""Segment the lesion: a calibrated probability, a volume with its interval, and what each modality was worth."""

from pathlib import Path

from DiffuFuseMedLib import load_case, predict, write_report
from DiffuFuseMedLib.metrics import score_case

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"
OUT = Path("out/examples")

case = load_case(CASE).cropped((14, 40, 40), (46, 124, 146))  # around the tumor; leave it out for the whole scan
prediction = predict(case, samples=2, seed=0, progress=lambda share, words: print(f"{share:4.0%} {words}"))

volume = prediction.volume_ml
held = volume.low is not None and volume.high is not None  # else withheld says why there is no interval
told = f"{volume.level:.0%}: {volume.low:.0f} to {volume.high:.0f}" if held else volume.withheld
print(f"lesion {volume.value:.0f} {volume.unit} ({told})")
print("weights:", {modality: round(weight, 2) for modality, weight in prediction.gates.items()})

without_pet = predict(case.only(["CT", "MR_T1"]), samples=2)  # a modality switched off is missing, not zero
print(f"without the PET: {without_pet.volume_ml.value:.0f} mL")

scores = score_case(prediction, case)  # against the expert's contour
print(f"Dice {scores['dice']:.3f}, HD95 {scores['hd95_mm']:.1f} mm")
print("page:", write_report(case, OUT / "segmentation.html", prediction))
