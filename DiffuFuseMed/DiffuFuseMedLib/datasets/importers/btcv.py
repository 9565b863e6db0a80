"""BTCV (Beyond the Cranial Vault, abdomen): thirteen organs and vessels on CT of 30 patients. No lesions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet, either

IMAGE = re.compile(r"img(\d{4})\.nii(?:\.gz)?")
NAMES = (
    "spleen",
    "right-kidney",
    "left-kidney",
    "gallbladder",
    "esophagus",
    "liver",
    "stomach",
    "aorta",
    "inferior-vena-cava",
    "portal-and-splenic-vein",
    "pancreas",
    "right-adrenal-gland",
    "left-adrenal-gland",
)  # in the order of their labels, from 1 on


def plan(folder: Path) -> Iterator[Planned]:
    """RawData/Training/img/img0001.nii.gz and RawData/Training/label/label0001.nii.gz; the images of Testing/ have no
    labels and are none of the cases."""
    for path in sorted(p for p in folder.rglob("img*.nii*") if p.parent.name == "img"):
        found = IMAGE.fullmatch(path.name)
        if found and (labels := path.parents[1] / "label").is_dir():
            drawn = either(labels / f"label{found[1]}.nii.gz")
            yield Planned(f"BTCV_{found[1]}", f"BTCV_{found[1]}", {"CT": path}, {"GTV": Drawn(drawn)})


BTCV = PublicSet(
    "btcv",
    "an organ on abdominal CT, chosen by --target",
    "of the challenge: registration at Synapse",
    "Landman B, Xu Z, Igelsias JE, et al. (2015). MICCAI Multi-Atlas Labeling Beyond the Cranial Vault: Workshop and "
    "Challenge. Synapse, https://doi.org/10.7303/syn3193805",
    "https://www.synapse.org/#!Synapse:syn3193805/wiki/89480",
    plan,
    {name: (label,) for label, name in enumerate(NAMES, 1)} | {"kidneys": (2, 3)},
)
