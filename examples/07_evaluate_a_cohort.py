"""A model over many cases: scores per patient, their mean with a bootstrap interval, the trivial rows beside it."""

from pathlib import Path

from DiffuFuseMedLib import load_case
from DiffuFuseMedLib.models.zoo import load_segmenter
from DiffuFuseMedLib.tasks.segment.evaluate import conditions_of, evaluate, summary, write_csv
from DiffuFuseMedLib.tasks.segment.settings import Settings

FOLDER = Path(__file__).parents[1] / "Resources" / "SampleData"
OUT = Path("out/examples")

folders = sorted(path for path in FOLDER.iterdir() if path.is_dir())  # one patient each; here there is one
cases = [load_case(folder).cropped((14, 40, 40), (46, 124, 146)) for folder in folders]
model = load_segmenter("sts-diffufusemed")

which = conditions_of(model, corruptions=False, seed=0)  # True: with noise, and modality by modality withheld
rows = evaluate(model, cases, which, Settings(samples=2), progress=print)
write_csv([*rows, *summary(rows)], OUT / "scores.csv")

for row in rows:
    print(f"{row['method']:18} {row['case']}: Dice {row['dice']:.3f}, NSD at 2 mm {row['nsd_2mm']:.3f}")
print("table:", OUT / "scores.csv")
