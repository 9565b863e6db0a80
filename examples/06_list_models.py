"""The models that are installed, what is known of each, and a folder of models of your own."""

import shutil
from pathlib import Path

from DiffuFuseMedLib import list_models
from DiffuFuseMedLib.models.registry import card, models_folder
from DiffuFuseMedLib.models.zoo import verify

MINE = Path("out/examples/models")

for record in list_models():  # reads no weights
    print(f"{record.id}: {record.task} with {', '.join(record.modalities)}, by the system {record.system}")
    print("  card:", card(record.id).read_text(encoding="utf-8").splitlines()[0])
    print("  weights intact:", verify(record.id).sha256[:12])

# A model is a folder: model.json, weights.safetensors, card.md. DIFFUFUSEMED_MODELS names another place for all tools.
shutil.copytree(models_folder() / "sts-diffufusemed", MINE / "sts-diffufusemed", dirs_exist_ok=True)
print("mine:", [record.id for record in list_models(MINE)])
print("predict() and --model also take the path of a folder:", MINE / "sts-diffufusemed")
